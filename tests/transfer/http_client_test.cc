// HttpClient against an origin: answers, limits, retries, redirects, cancelling.
#include "transfer/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/fault.h"
#include "support/http_origin.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

HttpPatience Hasty() {
  return {.attempts = 3,
          .first_pause = std::chrono::milliseconds(1),
          .longest_pause = std::chrono::milliseconds(2)};
}

TEST(HttpClientTest, AnyStatusIsAnAnswer) {
  HttpOrigin origin([](const OriginRequest& request) {
    return OriginReply{
        .status = 401,
        .headers = {"WWW-Authenticate: Bearer realm=x", "X-Method: " + request.method},
        .body = request.body + "!"};
  });
  HttpClient client(Hasty());
  const Result<HttpResponse> response =
      client.Ask({.method = "POST",
                  .url = origin.url() + "/a?b=c",
                  .headers = {"X-Mine: 1", "Content-Type: text/plain"},
                  .body = "asked"});
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  EXPECT_EQ(response->status, 401);
  EXPECT_EQ(response->Header("www-authenticate"), "Bearer realm=x");
  EXPECT_EQ(response->Header("x-method"), "POST");
  EXPECT_EQ(response->Header("none"), "");
  EXPECT_EQ(response->body, "asked!");
  EXPECT_EQ(origin.requests()[0].Header("x-mine"), "1");
  EXPECT_EQ(origin.requests()[0].target, "/a?b=c");
}

TEST(HttpClientTest, TheHeadOfAnObjectHasItsLength) {
  HttpOrigin origin(
      [](const OriginRequest& request) { return ServeObject(request, "0123456789", "\"e\""); });
  HttpClient client(Hasty());
  const Result<HttpResponse> response = client.Ask({.method = "HEAD", .url = origin.url()});
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->Header("content-length"), "10");
  EXPECT_EQ(response->Header("etag"), "\"e\"");
  EXPECT_EQ(response->body, "");
}

TEST(HttpClientTest, WhatPassesIsTriedAgain) {
  for (const OriginReply& fault :
       {OriginReply{.status = 503}, OriginReply{.body = "half", .reset_after = 2},
        OriginReply{.body = "half", .close_after = 2}}) {
    HttpOrigin origin([&fault](const OriginRequest& request) {
      return request.number == 0 ? fault : OriginReply{.body = "all"};
    });
    HttpClient client(Hasty());
    const Result<HttpResponse> response = client.Ask({.url = origin.url()});
    ASSERT_TRUE(response.ok()) << response.status().ToString();
    EXPECT_EQ(response->body, "all");
    EXPECT_EQ(origin.requests().size(), 2u);
  }
}

TEST(HttpClientTest, InTheEndTheLastAnswerStands) {
  HttpOrigin origin(
      [](const OriginRequest&) { return OriginReply{.status = 503, .body = "later"}; });
  HttpClient client(Hasty());
  const Result<HttpResponse> response = client.Ask({.url = origin.url()});
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(origin.requests().size(), 3u);
}

TEST(HttpClientTest, WhatIsTooLongIsNotRead) {
  HttpOrigin origin([](const OriginRequest&) {
    return OriginReply{.body = std::string(1000, 'x'), .endless = true};
  });
  HttpClient client(Hasty());
  const Status status =
      client.Ask({.url = origin.url() + "?k=secret"}, {.max_body = 5000}).status();
  EXPECT_EQ(status.code(), StatusCode::kTooLarge);
  EXPECT_THAT(status.message(), HasSubstr("5000"));
  EXPECT_THAT(status.message(), Not(HasSubstr("secret")));
}

TEST(HttpClientTest, NobodyWaitsPastTheTimeout) {
  HttpOrigin origin(
      [](const OriginRequest&) { return OriginReply{.body = "half", .stall_after = 2}; });
  HttpPatience once = Hasty();
  once.attempts = 1;
  HttpClient client(once);
  EXPECT_EQ(
      client.Ask({.url = origin.url()}, {.timeout = std::chrono::milliseconds(50)}).status().code(),
      StatusCode::kDeadlineExceeded);
}

TEST(HttpClientTest, NobodyWaitsPastTheLimitOfAllAttempts) {
  HttpPatience tireless = Hasty();
  tireless.attempts = 1'000'000;
  HttpClient client(tireless);
  HttpOrigin drips([](const OriginRequest&) {
    return OriginReply{.body = std::string(1'000'000, 'x'), .drip_ms = 5};
  });
  const HttpLimits limits{.timeout = std::chrono::milliseconds(60),
                          .overall = std::chrono::milliseconds(150)};
  const TimePoint begin = SteadyClock().Now();
  EXPECT_EQ(client.Ask({.url = drips.url()}, limits).status().code(),
            StatusCode::kDeadlineExceeded);
  EXPECT_LT(SteadyClock().Now() - begin, std::chrono::seconds(5));
  EXPECT_LE(drips.requests().size(), 3u) << "150 ms of 60 ms each";
  // The answer that came last is one.
  HttpOrigin busy([](const OriginRequest&) { return OriginReply{.status = 503}; });
  const Result<HttpResponse> last = client.Ask({.url = busy.url()}, limits);
  ASSERT_TRUE(last.ok()) << last.status().ToString();
  EXPECT_EQ(last->status, 503);
  // Nobody pauses for what comes too late.
  HttpOrigin later([](const OriginRequest&) {
    return OriginReply{.status = 503, .headers = {"Retry-After: 50"}};
  });
  EXPECT_EQ(client.Ask({.url = later.url()}, limits)->status, 503);
  EXPECT_EQ(later.requests().size(), 1u);
}

TEST(HttpClientTest, WithoutMemoryForAHeaderNothingIsAsked) {
  HttpOrigin origin([](const OriginRequest&) { return OriginReply{}; });
  HttpClient client(Hasty());
  const fault::ScopedPlan plan({.op = fault::Op::kHeader, .nth = 2, .error = ENOMEM});
  EXPECT_EQ(client.Ask({.url = origin.url(), .headers = {"X-One: 1", "X-Two: 2"}}).status().code(),
            StatusCode::kResourceExhausted);
  EXPECT_TRUE(plan.fired());
  EXPECT_EQ(origin.requests().size(), 0u);
}

TEST(HttpClientTest, ARedirectThatIsNotFollowedIsTheAnswer) {
  HttpOrigin other([](const OriginRequest&) { return OriginReply{}; });
  HttpOrigin origin([&other](const OriginRequest&) {
    return OriginReply{.status = 302, .headers = {"Location: " + other.url() + "/there"}};
  });
  HttpClient client(Hasty());
  const Result<HttpResponse> answer =
      client.Ask({.url = origin.url(), .headers = {"X-Secret: hush"}, .follow_redirects = false});
  ASSERT_TRUE(answer.ok()) << answer.status().ToString();
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(other.requests().size(), 0u);
  const Result<HttpResponse> followed =
      client.Ask({.url = origin.url(), .headers = {"Authorization: hush", "X-Public: 1"}});
  ASSERT_TRUE(followed.ok()) << followed.status().ToString();
  ASSERT_EQ(other.requests().size(), 1u);
  EXPECT_EQ(other.requests()[0].Header("authorization"), "");
  EXPECT_EQ(other.requests()[0].Header("x-public"), "1");
}

TEST(HttpClientTest, OtherProtocolsAreRefused) {
  HttpClient client(Hasty());
  EXPECT_FALSE(client.Ask({.url = "file:///etc/passwd"}).ok());
  HttpOrigin origin([](const OriginRequest&) {
    return OriginReply{.status = 302, .headers = {"Location: file:///etc/passwd"}};
  });
  EXPECT_FALSE(client.Ask({.url = origin.url()}).ok());
}

TEST(HttpClientTest, CancelledNobodyAsksAnyMore) {
  HttpClient client(Hasty());
  client.Cancel();
  EXPECT_EQ(client.Ask({.url = "http://127.0.0.1:1"}).status().code(), StatusCode::kCancelled);
}

TEST(HttpClientTest, APauseEndsWhenItIsCancelled) {
  std::mutex mutex;
  std::condition_variable changed;
  bool asked = false;
  HttpOrigin origin([&](const OriginRequest&) {
    const std::lock_guard<std::mutex> lock(mutex);
    asked = true;
    changed.notify_all();
    return OriginReply{.status = 503, .headers = {"Retry-After: 50"}};
  });
  HttpClient client(Hasty());
  std::thread cancels([&] {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return asked; });
    client.Cancel();
  });
  EXPECT_EQ(client.Ask({.url = origin.url()}).status().code(), StatusCode::kCancelled);
  cancels.join();
}

}  // namespace
}  // namespace trims::test
