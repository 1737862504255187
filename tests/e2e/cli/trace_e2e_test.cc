// trims trace export against a collector of the test's own, and what the actions refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include "trims/client.h"

#include "e2e/cli/program.h"
#include "support/free_port.h"
#include "support/http_origin.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* kTraceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

class TraceE2eTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.ready()) << daemon_.Log();
    const std::string path = folder_.Write("one.safetensors", SmallSafetensors(1));
    const Ended added = Trims({"add", "one", path, "--variant", "files"});
    ASSERT_EQ(added.code, 0) << added.err;
  }

  Ended Trims(std::vector<std::string> arguments, const Environment& environment = {}) const {
    arguments.insert(arguments.begin(), {TRIMS_PROGRAM, "--socket", daemon_.socket()});
    return RunToEnd(arguments, environment);
  }
  // Exports one open, of those that are made until it has ended.
  Ended Export(const Environment& environment) {
    Ended ended;
    std::atomic<bool> over = false;
    std::thread exporting([&] {
      ended = Trims({"--json", "trace", "export", "--count", "1"}, environment);
      over = true;
    });
    Result<Client> client = Client::Connect({.socket_path = daemon_.socket()});
    EXPECT_TRUE(client.ok());
    while (!over) EXPECT_TRUE(client->Open("one", {.traceparent = kTraceparent}).ok());
    exporting.join();
    return ended;
  }

  const ScratchFolder folder_;
  DaemonProcess daemon_{folder_.path()};
};

TEST_F(TraceE2eTest, AnOpenIsSentToTheCollector) {
  const HttpOrigin collector([](const OriginRequest& request) {
    if (request.number == 0) return OriginReply{.status = 503, .headers = {"Retry-After: 0"}};
    return OriginReply{.body = "{}"};
  });
  const Ended ended = Export({{"OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()},
                              {"OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=t"},
                              {"OTEL_SERVICE_NAME", "models"}});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const Json said = Json::parse(ended.out);
  EXPECT_EQ(said["dropped"], 0);
  EXPECT_GE(said["sent"], 3);
  const std::vector<OriginRequest> requests = collector.requests();
  ASSERT_EQ(requests.size(), 2U) << "the second is the first again";
  EXPECT_EQ(requests[1].target, "/v1/traces");
  EXPECT_EQ(requests[1].Header("x-tenant"), "t");
  const Json sent = Json::parse(requests[1].body)["resourceSpans"][0];
  EXPECT_THAT(sent["resource"].dump(), HasSubstr("models"));
  const Json& spans = sent["scopeSpans"][0]["spans"];
  const auto serve = std::find_if(spans.begin(), spans.end(),
                                  [](const Json& span) { return span["name"] == "serve"; });
  ASSERT_NE(serve, spans.end()) << spans;
  EXPECT_EQ((*serve)["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ((*serve)["parentSpanId"], "00f067aa0ba902b7");
}

TEST_F(TraceE2eTest, ACollectorThatIsNotThereIsToldAndCostsNoOpen) {
  const Ended ended = Export({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:" + FreePort()}});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(Json::parse(ended.out)["sent"], 0);
  EXPECT_GE(Json::parse(ended.out)["dropped"], 3);
  EXPECT_THAT(ended.err, HasSubstr("warning: spans dropped"));
}

TEST_F(TraceE2eTest, WithoutACollectorItSaysHowToNameOne) {
  const Ended ended = Trims({"trace", "export"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT="));
}

TEST_F(TraceE2eTest, WhatAnActionDoesNotTakeIsRefused) {
  EXPECT_EQ(Trims({"trace"}).code, 2);
  EXPECT_EQ(Trims({"trace", "nothing"}).code, 2);
  EXPECT_EQ(Trims({"trace", "record", "a.json"}).code, 2);
  EXPECT_EQ(Trims({"trace", "summarise"}).code, 2);
  EXPECT_EQ(Trims({"trace", "combine", "a.json"}).code, 2);
  EXPECT_EQ(Trims({"trace", "record", "--for", "soon"}).code, 2);
  EXPECT_EQ(Trims({"trace", "summarise", folder_ / "none.json"}).code, 3);
  const Ended no_trace = Trims({"trace", "summarise", folder_ / "one.safetensors"});
  EXPECT_EQ(no_trace.code, 2);
  EXPECT_THAT(no_trace.err, HasSubstr("is no Chrome trace"));
}

}  // namespace
}  // namespace trims::test
