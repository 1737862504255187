// What operators say of models in a tier, as a client sends it and others see it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include <nlohmann/json.hpp>

#include "server/raw_client.h"
#include "server/server_harness.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;
using Verb = wire::ControlVerb;

class ControlTest : public ::testing::Test {
 protected:
  void SetUp() override { harness_.AddModel("ocr", 2); }

  nlohmann::json Ask(const wire::ControlRequest& request) {
    const Result<std::string> document = operator_.Document(request);
    EXPECT_TRUE(document.ok()) << document.status().ToString();
    return document.ok() ? nlohmann::json::parse(*document) : nlohmann::json();
  }
  // Until the reply that is no progress; whether there was progress before.
  bool AwaitReply() {
    bool progress = false;
    while (operator_.Receive().ok() &&
           std::holds_alternative<wire::ProgressReply>(operator_.last().body)) {
      progress = true;
    }
    return progress;
  }

  ServerHarness harness_;
  RawClient operator_{harness_.socket_path()};
  RawClient function_{harness_.socket_path()};
};

TEST_F(ControlTest, APinIsSeenAndToldHowFarItsLoadIs) {
  harness_.HoldLoads();
  ASSERT_TRUE(operator_.Send(wire::ControlRequest{.verb = Verb::kPin, .reference = "ocr"}, 5).ok());
  harness_.StatusDocument();
  harness_.ReleaseLoads();
  EXPECT_TRUE(AwaitReply());
  EXPECT_TRUE(std::holds_alternative<wire::DocumentReply>(operator_.last().body));
  const nlohmann::json status = harness_.StatusDocument();
  EXPECT_TRUE(status["segments"][0]["pinned"]);
  EXPECT_EQ(status["host"]["pinned_bytes"], status["host"]["used_bytes"]);
  EXPECT_EQ(status["host"]["idle_bytes"], 0);
  EXPECT_FALSE(Ask({.verb = Verb::kUnpin, .reference = "ocr"})["variants"][0]["pinned"]);
}

TEST_F(ControlTest, WhoHoldsALeaseIsNamedByItsProcess) {
  ASSERT_TRUE(function_.OpenLease("ocr").ok());
  const Status refused =
      operator_.Ask(wire::ControlRequest{.verb = Verb::kEvict, .reference = "ocr"}).status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("pid " + std::to_string(::getpid())));
  const nlohmann::json later = Ask({.verb = Verb::kEvict, .reference = "ocr", .when_idle = true});
  EXPECT_TRUE(later["variants"][0]["leaving"]);
  function_.Disconnect();
  EXPECT_EQ(harness_.StatusDocument()["leases"], 0);
  ASSERT_TRUE(
      operator_
          .Send(wire::ControlRequest{.verb = Verb::kPrefetch, .reference = "ocr", .wait = true})
          .ok());
  AwaitReply();
  EXPECT_EQ(harness_.StatusDocument()["segments"][0]["state"], "resident");
}

TEST_F(ControlTest, ADrainSaysWhoIsStillServedAndIsAnsweredWhenNobodyIs) {
  const Result<uint64_t> lease = function_.OpenLease("ocr");
  ASSERT_TRUE(lease.ok());
  const nlohmann::json begun = Ask({.verb = Verb::kDrain});
  EXPECT_TRUE(begun["draining"]);
  EXPECT_EQ(begun["holders"][0]["pid"], ::getpid());
  EXPECT_EQ(begun["holders"][0]["leases"], 1);
  ASSERT_TRUE(operator_.Send(wire::ControlRequest{.verb = Verb::kDrain, .wait = true}, 9).ok());
  EXPECT_EQ(function_.OpenLease("ocr").status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(harness_.StatusDocument()["draining"]);
  ASSERT_TRUE(function_.Send(wire::CloseRequest{*lease}).ok());
  const Result<const wire::Reply*> ended = operator_.Receive();
  ASSERT_TRUE(ended.ok());
  EXPECT_EQ((*ended)->id, 9u);
  EXPECT_TRUE(std::holds_alternative<wire::DocumentReply>((*ended)->body));
  EXPECT_FALSE(Ask({.verb = Verb::kUndrain})["draining"]);
  EXPECT_TRUE(function_.OpenLease("ocr").ok());
}

// The connection of one that waits for the end of a drain may end before the drain does.
TEST_F(ControlTest, WhoWaitsForADrainMayLeave) {
  const Result<uint64_t> lease = function_.OpenLease("ocr");
  ASSERT_TRUE(lease.ok());
  RawClient impatient(harness_.socket_path());
  ASSERT_TRUE(impatient.Send(wire::ControlRequest{.verb = Verb::kDrain, .wait = true}).ok());
  harness_.StatusDocument();  // the daemon has read that by then
  impatient.Disconnect();
  ASSERT_TRUE(harness_.StatusDocument()["draining"]);
  function_.Disconnect();
  EXPECT_EQ(harness_.StatusDocument()["leases"], 0);
  EXPECT_EQ(Ask({.verb = Verb::kDrain, .wait = true})["leases"], 0);
}

TEST_F(ControlTest, AliasesAreListedMovedAndForgotten) {
  harness_.AddModel("new", 1);
  EXPECT_TRUE(Ask({.verb = Verb::kListAliases})["aliases"].empty());
  for (const char* reference : {"ocr", "new"}) {
    Ask({.verb = Verb::kSetAlias, .reference = reference, .alias = "prod"});
  }
  const nlohmann::json listed = Ask({.verb = Verb::kListAliases})["aliases"][0];
  EXPECT_EQ(listed["alias"], "default/prod");
  EXPECT_THAT(std::string(listed["reference"]), HasSubstr("default/new"));
  EXPECT_EQ(listed["before"].size(), 1u);
  const nlohmann::json back = Ask({.verb = Verb::kRollback, .alias = "prod"});
  EXPECT_THAT(std::string(back["reference"]), HasSubstr("default/ocr"));
  EXPECT_TRUE(function_.OpenLease("prod").ok());
  Ask({.verb = Verb::kDeleteAlias, .alias = "prod"});
  EXPECT_EQ(function_.OpenLease("prod").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace trims::test
