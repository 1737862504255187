// RangeFetcher against an origin with every fault: what passes is gone on with from the byte that was
// reached, what doesn't is told, and never a wrong byte counts as a right one.
#include "transfer/range_fetcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "base/fault.h"
#include "support/content.h"
#include "support/held_resources.h"
#include "support/http_origin.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kEtag = "\"v1\"";

class RangeFetcherTest : public ::testing::Test {
 protected:
  RangeFetcherTest() {
    options_.patience.first_pause = std::chrono::milliseconds(1);
    options_.patience.longest_pause = std::chrono::milliseconds(2);
    options_.patience.stall = std::chrono::seconds(20);
  }

  // Fetches all of the content, in ranges of `step`; what each came to.
  Status Fetch(HttpOrigin& origin, size_t step, const std::string& path = "/w.bin") {
    auto object = std::make_shared<HttpObject>();
    object->request.url = origin.url() + path;
    object->length = content_.size();
    object->etag = kEtag;
    return FetchObject(object, step);
  }

  Status FetchObject(const std::shared_ptr<const HttpObject>& object, size_t step) {
    const auto fetcher = RangeFetcher::Start(options_).value();
    fetched_.assign(content_.size(), '\0');
    Status first_error;
    size_t at = 0;
    while (at < content_.size() || fetcher->in_flight() > 0) {
      if (at < content_.size() && !fetcher->full()) {
        const size_t length = std::min(step, content_.size() - at);
        fetcher->Submit(
            {.object = object,
             .offset = at,
             .destination = std::as_writable_bytes(std::span(fetched_)).subspan(at, length),
             .tag = at});
        at += length;
        continue;
      }
      const RangeDone done = fetcher->Wait();
      if (first_error.ok()) first_error = done.status;
    }
    if (first_error.ok()) {
      EXPECT_TRUE(fetched_ == content_) << "wrong bytes";
    }
    return first_error;
  }

  // All ranges go well but for the request of that number.
  HttpOrigin::Script WithFault(int number, OriginReply fault) {
    return [this, number, fault](const OriginRequest& request) {
      if (request.number != number) return ServeObject(request, content_, kEtag);
      OriginReply reply = fault;
      if (reply.status == 200) {
        OriginReply good = ServeObject(request, content_, kEtag);
        reply.status = good.status;
        reply.body = good.body;
        reply.headers.insert(reply.headers.end(), good.headers.begin(), good.headers.end());
      }
      return reply;
    };
  }

  std::string content_ = Content(1'000'003);
  std::string fetched_;
  RangeFetcherOptions options_;
};

TEST_F(RangeFetcherTest, RangesComeWhereTheyBelong) {
  HttpOrigin origin(WithFault(-1, {}));
  const Status status = Fetch(origin, 100'000);
  ASSERT_TRUE(status.ok()) << status.ToString();
  const std::vector<OriginRequest> requests = origin.requests();
  EXPECT_EQ(requests.size(), 11u);
  for (const OriginRequest& request : requests) {
    EXPECT_EQ(request.Header("if-match"), kEtag);
    EXPECT_THAT(request.Header("range"), HasSubstr("bytes="));
  }
}

TEST_F(RangeFetcherTest, WhatPassesIsTriedAgainFromWhereItWas) {
  const std::map<std::string, OriginReply> faults = {
      {"reset", {.reset_after = 30'000}},
      {"closed", {.close_after = 30'000}},
      {"reset at once", {.reset_after = 0}},
      {"500", {.status = 500, .body = "oops"}},
      {"503", {.status = 503, .headers = {"Retry-After: 0"}}},
      {"429", {.status = 429}},
  };
  for (const auto& [name, fault] : faults) {
    SCOPED_TRACE(name);
    HttpOrigin origin(WithFault(2, fault));
    const Status status = Fetch(origin, 100'000);
    EXPECT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(origin.requests().size(), 12u);
  }
}

TEST_F(RangeFetcherTest, WhatStallsIsTriedAgainFromWhereItWas) {
  options_.patience.stall = std::chrono::milliseconds(200);
  HttpOrigin origin(WithFault(2, {.stall_after = 30'000}));
  const Status status = Fetch(origin, 100'000);
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_GE(origin.requests().size(), 12u);
}

TEST_F(RangeFetcherTest, WhatMerelyDripsIsTriedAgainAndGivenUpInTheEnd) {
  options_.patience.stall = std::chrono::milliseconds(150);
  options_.patience.attempts = 3;
  HttpOrigin origin([this](const OriginRequest& request) {
    OriginReply reply = ServeObject(request, content_, kEtag);
    reply.drip_ms = 5;
    return reply;
  });
  const Status status = Fetch(origin, content_.size());
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr("/w.bin"));
  EXPECT_THAT(status.message(), HasSubstr("bytes came in 150 ms, expected at least 307"));
  ASSERT_EQ(origin.requests().size(), 3u);
  EXPECT_NE(origin.requests()[1].Header("range"), origin.requests()[0].Header("range"))
      << "it goes on from what has dripped";
}

TEST_F(RangeFetcherTest, AnErrorThatDripsEndsToo) {
  options_.patience.stall = std::chrono::milliseconds(50);
  options_.patience.attempts = 2;
  HttpOrigin origin([](const OriginRequest&) {
    return OriginReply{.status = 404, .body = std::string(100'000, 'x'), .drip_ms = 5};
  });
  EXPECT_EQ(Fetch(origin, content_.size()).code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(origin.requests().size(), 2u);
}

TEST_F(RangeFetcherTest, WhatIsSlowButComesOnIsLeftAlone) {
  content_ = Content(60);
  options_.patience.stall = std::chrono::milliseconds(100);
  options_.patience.slowest = 8 * 10;  // a byte in each 100 ms
  HttpOrigin origin([this](const OriginRequest& request) {
    OriginReply reply = ServeObject(request, content_, kEtag);
    reply.drip_ms = 4;
    return reply;
  });
  const Status status = Fetch(origin, content_.size());
  EXPECT_TRUE(status.ok()) << status.ToString();
}

TEST_F(RangeFetcherTest, WhoIsHeldBackIsNotLate) {
  content_ = Content(2500);
  options_.depth = 1;
  options_.bytes_per_second = 1000;
  options_.patience.attempts = 1;
  options_.patience.stall = std::chrono::milliseconds(1000);
  HttpOrigin origin(WithFault(-1, {}));
  const Status status = Fetch(origin, content_.size());
  EXPECT_TRUE(status.ok()) << status.ToString();
}

TEST_F(RangeFetcherTest, ADateTellsAnotherObjectWhereNoStrongETagDoes) {
  constexpr char kDate[] = "Mon, 01 Jan 2024 00:00:00 GMT";
  const auto fetched = [&](const std::string& etag, const std::string& known_date) {
    HttpOrigin origin([&](OriginRequest request) {
      request.headers.erase("if-match");
      OriginReply reply = ServeObject(request, content_, etag);
      if (etag.empty()) reply.headers.erase(reply.headers.begin());
      reply.headers.push_back(std::string("Last-Modified: ") +
                              (request.number < 3 ? kDate : "Tue, 02 Jan 2024 00:00:00 GMT"));
      return reply;
    });
    auto object = std::make_shared<HttpObject>();
    object->request.url = origin.url() + "/w.bin";
    object->length = content_.size();
    object->etag = etag;
    object->last_modified = known_date;
    return FetchObject(object, 100'000);
  };
  for (const char* etag : {"", "W/\"v1\""}) {
    const Status status = fetched(etag, kDate);
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << etag << status.ToString();
    EXPECT_THAT(status.message(), HasSubstr("changed"));
    EXPECT_TRUE(fetched(etag, "").ok()) << "nobody said when it was modified";
  }
  EXPECT_TRUE(fetched(kEtag, kDate).ok()) << "a strong ETag says more";
}

TEST_F(RangeFetcherTest, WithoutMemoryForAHeaderNothingIsAsked) {
  HttpOrigin origin(WithFault(-1, {}));
  for (int nth = 1; nth <= 2; ++nth) {
    const fault::ScopedPlan plan({.op = fault::Op::kHeader, .nth = nth, .error = ENOMEM});
    EXPECT_EQ(Fetch(origin, content_.size()).code(), StatusCode::kResourceExhausted);
    EXPECT_TRUE(plan.fired());
  }
  EXPECT_EQ(origin.requests().size(), 0u);
  EXPECT_TRUE(Fetch(origin, content_.size()).ok());
}

TEST_F(RangeFetcherTest, ItGoesOnFromTheByteThatWasReached) {
  HttpOrigin origin(WithFault(0, {.close_after = 30'000}));
  options_.depth = 1;
  ASSERT_TRUE(Fetch(origin, content_.size()).ok());
  ASSERT_EQ(origin.requests().size(), 2u);
  EXPECT_EQ(origin.requests()[1].Header("range"), "bytes=30000-1000002");
}

TEST_F(RangeFetcherTest, WhatDoesNotPassIsToldWithTheServersWords) {
  const std::map<int, StatusCode> codes = {
      {403, StatusCode::kPermissionDenied},   {401, StatusCode::kPermissionDenied},
      {404, StatusCode::kNotFound},           {412, StatusCode::kFailedPrecondition},
      {416, StatusCode::kFailedPrecondition}, {400, StatusCode::kInvalidArgument}};
  for (const auto& [http, code] : codes) {
    HttpOrigin origin([http = http](const OriginRequest&) {
      return OriginReply{.status = http, .body = "go away\nsecond line"};
    });
    const Status status = Fetch(origin, content_.size(), "/w.bin?token=secret");
    EXPECT_EQ(status.code(), code) << status.ToString();
    EXPECT_THAT(status.message(), HasSubstr("/w.bin"));
    EXPECT_THAT(status.message(), HasSubstr("'go away'"));
    EXPECT_THAT(status.message(), HasSubstr(std::to_string(http)));
    EXPECT_THAT(status.ToString(), Not(HasSubstr("secret")));
    EXPECT_EQ(origin.requests().size(), 1u);
  }
}

TEST_F(RangeFetcherTest, AServerThatStaysAwayIsGivenUp) {
  HttpOrigin origin([](const OriginRequest&) { return OriginReply{.status = 503}; });
  options_.patience.attempts = 3;
  EXPECT_EQ(Fetch(origin, content_.size()).code(), StatusCode::kUnavailable);
  EXPECT_EQ(origin.requests().size(), 3u);
}

TEST_F(RangeFetcherTest, NobodyListens) {
  int port = 0;
  {
    port = HttpOrigin([](const OriginRequest&) { return OriginReply{}; }).port();
  }
  auto object = std::make_shared<HttpObject>();
  object->request.url = "http://127.0.0.1:" + std::to_string(port) + "/w.bin";
  object->length = content_.size();
  EXPECT_EQ(FetchObject(object, content_.size()).code(), StatusCode::kUnavailable);
}

TEST_F(RangeFetcherTest, AnObjectThatIsReplacedIsNoticed) {
  HttpOrigin with_match([this](const OriginRequest& request) {
    return ServeObject(request, content_, request.number < 3 ? kEtag : "\"v2\"");
  });
  EXPECT_EQ(Fetch(with_match, 100'000).code(), StatusCode::kFailedPrecondition);
  // A server that looks at no If-Match.
  HttpOrigin without([this](OriginRequest request) {
    request.headers.erase("if-match");
    return ServeObject(request, content_, request.number < 3 ? kEtag : "\"v2\"");
  });
  const Status status = Fetch(without, 100'000);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("changed"));
  HttpOrigin longer([this](const OriginRequest& request) {
    return ServeObject(request, content_ + "more", kEtag);
  });
  EXPECT_EQ(Fetch(longer, 100'000).code(), StatusCode::kFailedPrecondition);
}

TEST_F(RangeFetcherTest, AnswersThatAreNotWhatWasAskedAreRefused) {
  const auto served = [this](OriginReply reply) {
    HttpOrigin origin([reply](const OriginRequest&) { return reply; });
    options_.depth = 1;
    return Fetch(origin, 100'000);
  };
  // Another range, more than was asked for, no range at all.
  EXPECT_EQ(served({.status = 206,
                    .headers = {"Content-Range: bytes 1-100000/1000003"},
                    .body = std::string(100'000, 'x')})
                .code(),
            StatusCode::kDataLoss);
  EXPECT_EQ(served({.status = 206,
                    .headers = {"Content-Range: bytes 0-99999/1000003"},
                    .body = std::string(100'001, 'x')})
                .code(),
            StatusCode::kDataLoss);
  EXPECT_EQ(served({.status = 206, .body = std::string(100'000, 'x')}).code(),
            StatusCode::kDataLoss);
  EXPECT_EQ(served({.status = 206,
                    .headers = {"Content-Range: bytes 0-99999/1000003"},
                    .body = std::string(70'000, 'x'),
                    .endless = true})
                .code(),
            StatusCode::kDataLoss);
  EXPECT_EQ(served({.status = 200, .body = content_}).code(), StatusCode::kUnimplemented);
}

TEST_F(RangeFetcherTest, AServerWithoutRangesMaySendAllOfIt) {
  HttpOrigin origin(
      [this](const OriginRequest&) { return OriginReply{.status = 200, .body = content_}; });
  EXPECT_TRUE(Fetch(origin, content_.size()).ok());
  HttpOrigin other(
      [](const OriginRequest&) { return OriginReply{.status = 200, .body = "short"}; });
  EXPECT_EQ(Fetch(other, content_.size()).code(), StatusCode::kDataLoss);
}

TEST_F(RangeFetcherTest, RedirectsLeadToHttpOnlyAndEnd) {
  HttpOrigin target(WithFault(-1, {}));
  HttpOrigin origin([&target](const OriginRequest& request) {
    return OriginReply{.status = 302, .headers = {"Location: " + target.url() + request.target}};
  });
  auto object = std::make_shared<HttpObject>();
  object->request.url = origin.url() + "/w.bin";
  object->request.headers = {"Authorization: Bearer secret"};
  object->length = content_.size();
  object->etag = kEtag;
  EXPECT_TRUE(FetchObject(object, content_.size()).ok());
  EXPECT_EQ(origin.requests()[0].Header("authorization"), "Bearer secret");
  EXPECT_EQ(target.requests()[0].Header("authorization"), "") << "another host's";
  HttpOrigin loop([](const OriginRequest& request) {
    return OriginReply{.status = 302, .headers = {"Location: " + request.target}};
  });
  EXPECT_FALSE(Fetch(loop, content_.size()).ok());
  EXPECT_LE(loop.requests().size(), 10u);
  HttpOrigin files([](const OriginRequest&) {
    return OriginReply{.status = 302, .headers = {"Location: file:///etc/passwd"}};
  });
  EXPECT_FALSE(Fetch(files, content_.size()).ok());
}

TEST_F(RangeFetcherTest, GivenUpItEndsWhatIsInFlight) {
  HttpOrigin origin([this](const OriginRequest& request) {
    OriginReply reply = ServeObject(request, content_, kEtag);
    reply.stall_after = 10;
    return reply;
  });
  options_.patience.stall = std::chrono::seconds(600);
  auto object = std::make_shared<HttpObject>();
  object->request.url = origin.url();
  object->length = content_.size();
  fetched_.assign(content_.size(), '\0');
  const size_t fds = HeldFds();
  auto fetcher = RangeFetcher::Start(options_).value();
  for (size_t i = 0; i < 3; ++i) {
    fetcher->Submit({.object = object,
                     .offset = i,
                     .destination = std::as_writable_bytes(std::span(fetched_)).subspan(i, 1000),
                     .tag = i});
  }
  fetcher->Cancel();
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(fetcher->Wait().status.code(), StatusCode::kCancelled);
  fetcher->Submit({.object = object,
                   .offset = 0,
                   .destination = std::as_writable_bytes(std::span(fetched_)).first(1000),
                   .tag = 9});
  EXPECT_EQ(fetcher->Wait().status.code(), StatusCode::kCancelled);
  fetcher.reset();
  // Destroyed with something in flight.
  fetcher = RangeFetcher::Start(options_).value();
  fetcher->Submit({.object = object,
                   .offset = 0,
                   .destination = std::as_writable_bytes(std::span(fetched_)).first(1000),
                   .tag = 0});
  fetcher.reset();
  EXPECT_LE(HeldFds(), fds + 6) << "the origin's own ends of connections may stay a moment";
}

TEST_F(RangeFetcherTest, WithoutThreadsThereIsNone) {
  const fault::ScopedPlan plan({.op = fault::Op::kThread, .nth = 1, .error = EAGAIN});
  EXPECT_EQ(RangeFetcher::Start(options_).status().code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace trims::test
