// HttpSender against an origin with faults: what passes is sent again from its beginning, what doesn't is
// told, and a body arrives as it is or not at all.
#include "transfer/http_sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/fault.h"
#include "support/content.h"
#include "support/http_origin.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class HttpSenderTest : public ::testing::Test {
 protected:
  HttpSenderTest() {
    options_.patience.first_pause = std::chrono::milliseconds(1);
    options_.patience.longest_pause = std::chrono::milliseconds(2);
    options_.patience.stall = std::chrono::seconds(20);
  }

  SendRequest Put(const std::string& url, size_t tag = 7) {
    return {.request = {.method = "PUT", .url = url}, .body = BytesOf(body_), .tag = tag};
  }

  Result<HttpResponse> SendOne(const std::string& url) {
    const auto sender = HttpSender::Start(options_).value();
    sender->Submit(Put(url));
    SendDone done = sender->Wait();
    EXPECT_EQ(done.tag, 7u);
    return std::move(done.response);
  }

  const std::string body_ = Content(3'000'001);
  HttpSenderOptions options_;
};

TEST_F(HttpSenderTest, BodiesArriveAsTheyAreAndAnswersComeBack) {
  HttpOrigin origin([](const OriginRequest& request) {
    return OriginReply{.headers = {"ETag: \"" + request.target + "\""}, .body = "words"};
  });
  std::atomic<uint64_t> most = 0;
  options_.depth = 2;
  options_.on_sent = [&](size_t tag, uint64_t bytes) {
    EXPECT_LT(tag, 5u);
    if (bytes > most) most = bytes;
  };
  const auto sender = HttpSender::Start(options_).value();
  std::set<size_t> ended;
  const auto reap = [&] {
    const SendDone done = sender->Wait();
    ASSERT_TRUE(done.response.ok()) << done.response.status().ToString();
    EXPECT_EQ(done.response->status, 200);
    EXPECT_EQ(done.response->Header("etag"), "\"/" + std::to_string(done.tag) + "\"");
    EXPECT_EQ(done.response->body, "words");
    ended.insert(done.tag);
  };
  for (size_t tag = 0; tag < 5; ++tag) {
    if (sender->full()) reap();
    sender->Submit(Put(origin.url() + "/" + std::to_string(tag), tag));
  }
  while (sender->in_flight() > 0) reap();
  EXPECT_EQ(ended.size(), 5u);
  EXPECT_EQ(most, body_.size());
  for (const OriginRequest& request : origin.requests()) {
    EXPECT_EQ(request.method, "PUT");
    EXPECT_TRUE(request.body == body_);
  }
}

TEST_F(HttpSenderTest, AnEmptyBodyIsOne) {
  HttpOrigin origin([](const OriginRequest&) { return OriginReply{}; });
  const auto sender = HttpSender::Start(options_).value();
  sender->Submit({.request = {.method = "PUT", .url = origin.url()}, .body = {}, .tag = 1});
  const SendDone done = sender->Wait();
  ASSERT_TRUE(done.response.ok()) << done.response.status().ToString();
  EXPECT_EQ(origin.requests().front().Header("content-length"), "0");
}

TEST_F(HttpSenderTest, WhatPassesIsSentAgainFromItsBeginning) {
  const std::map<std::string, OriginReply> faults = {
      {"reset within the answer", {.body = "123", .reset_after = 0}},
      {"the answer is cut off", {.body = "123456", .close_after = 3}},
      {"500", {.status = 500, .body = "oops"}},
      {"503", {.status = 503, .headers = {"Retry-After: 0"}}},
      {"429", {.status = 429}},
  };
  for (const auto& [name, fault] : faults) {
    SCOPED_TRACE(name);
    HttpOrigin origin([&fault = fault](const OriginRequest& request) {
      return request.number == 0 ? fault : OriginReply{};
    });
    const Result<HttpResponse> response = SendOne(origin.url());
    ASSERT_TRUE(response.ok()) << response.status().ToString();
    EXPECT_EQ(response->status, 200);
    ASSERT_EQ(origin.requests().size(), 2u);
    EXPECT_TRUE(origin.requests().back().body == body_);
  }
}

TEST_F(HttpSenderTest, AConnectionThatIsResetWithinABodyCostsAnAttempt) {
  std::atomic<int> cuts = 0;
  HttpOrigin origin([](const OriginRequest&) { return OriginReply{}; },
                    [&cuts](const OriginRequest&) { return ++cuts <= 2 ? 1'000'000 : -1; });
  const Result<HttpResponse> response = SendOne(origin.url());
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  EXPECT_EQ(cuts, 3);
  EXPECT_TRUE(origin.requests().back().body == body_);
}

TEST_F(HttpSenderTest, WhatNobodyAnswersIsSentAgainAndThenGivenUp) {
  options_.patience.stall = std::chrono::milliseconds(500);
  options_.patience.attempts = 2;
  HttpOrigin origin(
      [](const OriginRequest&) { return OriginReply{.body = "1", .stall_after = 0}; });
  const Status status = SendOne(origin.url() + "/w?secret").status();
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr("/w: "));
  EXPECT_THAT(status.message(), Not(HasSubstr("secret")));
  EXPECT_EQ(origin.requests().size(), 2u);
}

TEST_F(HttpSenderTest, WhatDoesNotPassIsAnAnswerAtOnce) {
  HttpOrigin origin([](const OriginRequest&) {
    return OriginReply{.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"};
  });
  const Result<HttpResponse> response = SendOne(origin.url());
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  EXPECT_EQ(response->status, 403);
  EXPECT_THAT(response->body, HasSubstr("AccessDenied"));
  EXPECT_EQ(origin.requests().size(), 1u);
}

TEST_F(HttpSenderTest, TheLastAnswerIsToldWhenPatienceEnds) {
  options_.patience.attempts = 3;
  HttpOrigin origin(
      [](const OriginRequest&) { return OriginReply{.status = 503, .body = "slow"}; });
  const Result<HttpResponse> response = SendOne(origin.url());
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->body, "slow");
  EXPECT_EQ(origin.requests().size(), 3u);
}

TEST_F(HttpSenderTest, NobodyFollowsARedirectWithABody) {
  HttpOrigin origin([](const OriginRequest&) {
    return OriginReply{.status = 307, .headers = {"Location: /elsewhere"}};
  });
  EXPECT_EQ(SendOne(origin.url())->status, 307);
  EXPECT_EQ(origin.requests().size(), 1u);
}

TEST_F(HttpSenderTest, CancelledItEndsAll) {
  HttpOrigin origin(
      [](const OriginRequest&) { return OriginReply{.body = "1", .stall_after = 0}; });
  const auto sender = HttpSender::Start(options_).value();
  for (size_t tag = 0; tag < 3; ++tag) sender->Submit(Put(origin.url(), tag));
  sender->Cancel();
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(sender->Wait().response.status().code(), StatusCode::kCancelled);
  }
  sender->Submit(Put(origin.url()));
  EXPECT_EQ(sender->Wait().response.status().code(), StatusCode::kCancelled);
}

TEST_F(HttpSenderTest, WithoutMemoryForAHeaderNothingIsSent) {
  HttpOrigin origin([](const OriginRequest&) { return OriginReply{}; });
  const auto sender = HttpSender::Start(options_).value();
  SendRequest request = Put(origin.url());
  request.request.headers = {"x-amz-meta-a: b"};
  const fault::ScopedPlan plan({.op = fault::Op::kHeader, .nth = 1, .error = ENOMEM});
  sender->Submit(std::move(request));
  EXPECT_EQ(sender->Wait().response.status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(origin.requests().empty());
}

}  // namespace
}  // namespace trims::test
