// What a client hears of what the daemon does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "events/event_feed.h"
#include "server/raw_client.h"
#include "server/server_harness.h"

namespace trims::test {
namespace {

using Json = nlohmann::json;

class EventsTest : public ::testing::Test {
 protected:
  void SetUp() override { harness_.AddModel("ocr"); }

  Json Ask(const wire::EventsRequest& request) {
    const Result<std::string> document = listener_.Document(request);
    EXPECT_TRUE(document.ok()) << document.status().ToString();
    return document.ok() ? Json::parse(*document) : Json();
  }
  static std::vector<std::string> KindsOf(const Json& batch) {
    std::vector<std::string> kinds;
    for (const Json& event : batch["events"]) kinds.push_back(event["kind"]);
    return kinds;
  }

  ServerHarness harness_;
  RawClient listener_{harness_.socket_path()};
  RawClient function_{harness_.socket_path()};
};

using Kinds = std::vector<std::string>;

TEST_F(EventsTest, WhatWasDoneIsKept) {
  ASSERT_TRUE(function_.OpenLease("ocr").ok());
  const Json batch = Ask({.since = 0});
  EXPECT_EQ(KindsOf(batch), (Kinds{"segment.loading", "segment.resident"}));
  const Json& resident = batch["events"][1];
  EXPECT_EQ(resident["model"].get<std::string>().substr(0, 11), "default/ocr");
  EXPECT_EQ(resident["tier"], "host");
  EXPECT_GT(resident["bytes"], 0);
  EXPECT_TRUE(resident.contains("took_us"));
  EXPECT_EQ(resident["load"], 1);
  EXPECT_GT(resident["began_us"], 0);
  EXPECT_EQ(batch["events"][0]["load"], 1);
  EXPECT_EQ(batch["next"], resident["sequence"]);
  EXPECT_EQ(Ask({.since = batch["next"].get<uint64_t>()})["events"], Json::array());
}

TEST_F(EventsTest, WhoWaitsIsAnsweredWhenSomethingIsDone) {
  ASSERT_TRUE(listener_.Send(wire::EventsRequest{.wait_ms = 60'000}, 5).ok());
  harness_.StatusDocument();  // it waits by now
  ASSERT_TRUE(function_.OpenLease("ocr").ok());
  ASSERT_TRUE(listener_.Receive().ok());
  EXPECT_EQ(listener_.last().id, 5U);
  EXPECT_TRUE(std::holds_alternative<wire::DocumentReply>(listener_.last().body));
}

TEST_F(EventsTest, LeasesOfAClientThatDiedAreTold) {
  ASSERT_TRUE(function_.OpenLease("ocr").ok());
  function_.Disconnect();
  harness_.StatusDocument();
  const Json batch = Ask({.since = 0, .kinds = {"leases"}});
  ASSERT_EQ(batch["events"].size(), 1U);
  EXPECT_EQ(batch["events"][0]["leases"], 1);
  EXPECT_EQ(batch["events"][0]["pid"], ::getpid());
}

TEST_F(EventsTest, WhoClosesAndLeavesAtOnceHasNotDied) {
  const Result<uint64_t> first = function_.OpenLease("ocr");
  const Result<uint64_t> second = function_.OpenLease("ocr");
  ASSERT_TRUE(first.ok() && second.ok());
  harness_.OnLoop([&] {  // so that the loop sees all of it together
    EXPECT_TRUE(function_.Send(wire::CloseRequest{*first}).ok());
    EXPECT_TRUE(function_.Send(wire::CloseRequest{*second}).ok());
    function_.Disconnect();
  });
  EXPECT_EQ(harness_.StatusDocument()["leases"], 0);
  EXPECT_EQ(Ask({.since = 0, .kinds = {"leases"}})["events"], Json::array());
}

TEST_F(EventsTest, OpensAreToldToWhoAskedForThem) {
  ASSERT_TRUE(listener_.Send(wire::EventsRequest{.opens = true, .wait_ms = 60'000}, 5).ok());
  harness_.StatusDocument();
  ASSERT_TRUE(function_.OpenLease("ocr").ok());
  ASSERT_TRUE(function_.OpenLease("ocr").ok());
  EXPECT_FALSE(function_.OpenLease("none").ok());
  ASSERT_TRUE(listener_.Receive().ok());
  const Json batch = Ask({.since = 0, .opens_since = 0, .kinds = {"open"}});
  EXPECT_EQ(KindsOf(batch), (Kinds{"open.miss", "open.hit", "open.failed"}));
  EXPECT_EQ(batch["events"][1]["variant"], "files");
  EXPECT_EQ(batch["events"][1]["tier"], "host");
  EXPECT_EQ(batch["events"][1]["pid"], ::getpid());
  for (const Json& open : {batch["events"][0], batch["events"][1]}) {
    EXPECT_EQ(open["load"], 1) << "that brought the bytes";
    EXPECT_GT(open["began_us"], 0);
    EXPECT_LE(open["queued_us"], open["ready_us"]);
    EXPECT_LE(open["ready_us"], open["took_us"]);
    EXPECT_FALSE(open.contains("traceparent"));
  }
  EXPECT_EQ(batch["events"][2]["model"], "default/none");
  EXPECT_EQ(batch["events"][2]["error"]["code"], "NOT_FOUND");
}

TEST_F(EventsTest, AnOpensTraceparentIsTold) {
  constexpr std::string_view kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  ASSERT_TRUE(listener_.Send(wire::EventsRequest{.opens = true, .wait_ms = 60'000}, 5).ok());
  harness_.StatusDocument();
  for (const char* name : {"ocr", "ocr", "none"}) {
    static_cast<void>(
        function_.Ask(wire::OpenRequest{.reference = name, .traceparent = kParent}).ok());
  }
  ASSERT_TRUE(listener_.Receive().ok());
  const Json batch = Ask({.since = 0, .opens_since = 0, .kinds = {"open"}});
  ASSERT_EQ(batch["events"].size(), 3U);
  for (const Json& open : batch["events"]) EXPECT_EQ(open["traceparent"], kParent);
}

TEST_F(EventsTest, AWaitEndsWithACancelAndWithItsConnection) {
  ASSERT_TRUE(listener_.Send(wire::EventsRequest{.wait_ms = 60'000}, 5).ok());
  harness_.StatusDocument();
  EXPECT_EQ(harness_.StatusDocument()["server"]["requests_in_flight"], 1);
  ASSERT_TRUE(listener_.Send(wire::CancelRequest{5}, 0).ok());
  EXPECT_EQ(Ask({.since = 0})["events"], Json::array()) << "the next reply is the next request's";
  EXPECT_EQ(harness_.StatusDocument()["server"]["requests_in_flight"], 0);
  ASSERT_TRUE(listener_.Send(wire::EventsRequest{.wait_ms = 60'000}, 7).ok());
  harness_.StatusDocument();
  listener_.Disconnect();
  EXPECT_EQ(harness_.StatusDocument()["server"]["requests_in_flight"], 0);
  ASSERT_TRUE(function_.OpenLease("ocr").ok());
}

TEST_F(EventsTest, OnlySoManyWaitOnOneConnection) {
  const size_t most = ServerLimits{}.max_event_waits_per_connection;
  for (size_t i = 0; i < most; ++i)
    ASSERT_TRUE(listener_.Send(wire::EventsRequest{.wait_ms = 60'000}, 5 + i).ok());
  EXPECT_EQ(listener_.Ask(wire::EventsRequest{.wait_ms = 60'000}).status().code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(Ask({.since = 0})["events"], Json::array()) << "what is kept can be asked for";
  ASSERT_TRUE(listener_.Send(wire::CancelRequest{5}, 0).ok());
  ASSERT_TRUE(listener_.Send(wire::EventsRequest{.wait_ms = 60'000}, 50).ok());
  EXPECT_EQ(harness_.StatusDocument()["server"]["requests_in_flight"], most);
}

TEST(EventsLimits, OnlySoManyWaitInAll) {
  ServerHarness harness({.limits = {.max_event_waits = 2, .event_waits_for_operators = 1}});
  RawClient one(harness.socket_path());
  ASSERT_TRUE(one.Send(wire::EventsRequest{.wait_ms = 60'000}, 5).ok());
  ASSERT_TRUE(one.Send(wire::EventsRequest{.wait_ms = 60'000}, 6).ok());
  harness.StatusDocument();
  RawClient other(harness.socket_path());
  EXPECT_EQ(other.Ask(wire::EventsRequest{.wait_ms = 60'000}).status().code(),
            StatusCode::kResourceExhausted);
  one.Disconnect();
  harness.StatusDocument();
  ASSERT_TRUE(other.Send(wire::EventsRequest{.wait_ms = 60'000}, 5).ok());
  harness.StatusDocument();
  EXPECT_EQ(harness.StatusDocument()["server"]["requests_in_flight"], 1);
}

TEST_F(EventsTest, AKindThatThereIsNotIsRefused) {
  EXPECT_EQ(listener_.Ask(wire::EventsRequest{.kinds = {"nothing"}}).status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace trims::test
