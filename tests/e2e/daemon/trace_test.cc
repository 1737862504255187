// What an open leaves in traces: the daemon's, as trims trace records them, and libtrims's, put together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "e2e/daemon/daemon_process.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using Json = nlohmann::json;

constexpr size_t kTracedBytes = size_t{5} << 20;
constexpr const char* kTraceId = "4bf92f3577b34da6a3ce929d0e0e4736";

class TraceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.ready()) << daemon_.Log();
    daemon_.AddFile("one", kTracedBytes);
  }

  ChildProcess Trims(const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {TRIMS_PROGRAM, "--socket", daemon_.socket(), "--json"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return ChildProcess::Start(command, {}, log_);
  }
  // Opens "one" in a process of its own, which stays; it leaves its spans in `traces_`.
  ChildProcess Open(const std::string& tier) {
    ChildProcess client =
        ChildProcess::Start({CLIENT_PROGRAM, "hold", daemon_.socket(), "one"},
                            {"TRIMS_TRACE=" + traces_, "TEST_TIER=" + tier,
                             std::string("TRACEPARENT=00-") + kTraceId + "-00f067aa0ba902b7-01"});
    EXPECT_TRUE(client.ReadByte());
    return client;
  }
  // Its first words on standard error, which is joined to its standard output, come when opens are recorded.
  ChildProcess Record(const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {"/bin/sh",     "-c",       "exec \"$@\" 2>&1", "sh",
                                        TRIMS_PROGRAM, "--socket", daemon_.socket(),   "--json",
                                        "trace",       "record"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    ChildProcess recorder = ChildProcess::Start(command, {}, log_);
    EXPECT_TRUE(recorder.ReadByte());
    return recorder;
  }
  static Json SaidBy(ChildProcess* recorder) {
    const std::string text = recorder->ReadAll();
    return Json::parse(text.substr(text.find('\n') + 1), nullptr, /*allow_exceptions=*/false);
  }
  std::vector<std::string> ClientsFiles() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(traces_))
      files.push_back(entry.path());
    return files;
  }
  static std::map<std::string, Json> SpansOf(const Json& trace) {
    std::map<std::string, Json> spans;
    for (const Json& event : trace) {
      if (event["ph"] != "X") continue;
      const std::string tier =
          event["cat"] == "trims.tier" ? "@" + std::to_string(event["tid"].get<int64_t>()) : "";
      spans[event["name"].get<std::string>() + tier] = event;
    }
    return spans;
  }

  const ScratchFolder folder_;
  const std::string traces_ = folder_ / "traces";
  const std::string log_ = folder_ / "trims.log";
  DaemonProcess daemon_{folder_.path(), {"--device", "sim:0,capacity=64MiB"}};
};

// Within what a double can tell of a clock that has run for weeks.
void ExpectWithin(const Json& inner, const Json& outer) {
  constexpr double kRounding = 0.01;
  const double begin = inner["ts"];
  const double end = begin + inner["dur"].get<double>();
  const double outer_begin = outer["ts"];
  const double outer_end = outer_begin + outer["dur"].get<double>();
  EXPECT_GE(begin, outer_begin - kRounding) << inner << " in " << outer;
  EXPECT_LE(end, outer_end + kRounding) << inner << " in " << outer;
}

TEST_F(TraceTest, SpansOfAnOpenLieWithinEachOther) {
  const std::string recorded = folder_ / "recorded.json";
  ChildProcess recorder = Record({"--out", recorded, "--count", "1"});
  const ChildProcess client = Open("sim:0");
  const Json said = SaidBy(&recorder);
  ASSERT_EQ(recorder.Wait(), 0) << ReadFile(log_);
  EXPECT_EQ(said["opens"], 1);
  EXPECT_EQ(said["opens_lost"], 0);

  std::vector<std::string> combine = {"trace", "combine", recorded, "--out", folder_ / "all.json"};
  const std::vector<std::string> files = ClientsFiles();
  ASSERT_EQ(files.size(), 1U) << "a process, a file";
  combine.insert(combine.begin() + 2, files.begin(), files.end());
  ASSERT_EQ(Trims(combine).Wait(), 0) << ReadFile(log_);

  const Json trace = Json::parse(std::ifstream(folder_ / "all.json"));
  std::map<std::string, Json> spans = SpansOf(trace);
  for (const char* name :
       {"connect", "open", "request", "attach", "serve", "resolve", "wait", "answer"}) {
    ASSERT_TRUE(spans.contains(name)) << name << " in " << trace;
    EXPECT_EQ(spans[name]["pid"], client.pid()) << name;
  }
  ExpectWithin(spans["request"], spans["open"]);
  ExpectWithin(spans["attach"], spans["open"]);
  // The client may have its answer before the daemon has seen that it was sent.
  for (const char* part : {"resolve", "wait"}) ExpectWithin(spans[part], spans["request"]);
  EXPECT_GE(spans["serve"]["ts"], spans["request"]["ts"]);
  for (const char* part : {"resolve", "wait", "answer"}) ExpectWithin(spans[part], spans["serve"]);
  EXPECT_EQ(spans["serve"]["args"]["outcome"], "miss");
  EXPECT_EQ(spans["serve"]["args"]["trace_id"], kTraceId);
  EXPECT_EQ(spans["open"]["args"]["trace_id"], kTraceId);
  std::vector<Json> loads;
  for (const auto& [name, span] : spans) {
    if (name.starts_with("load@")) loads.push_back(span);
  }
  ASSERT_EQ(loads.size(), 2U) << "the host's and the device's";
  // The last bytes may be on the device, and the open answered, before the host's memory is complete.
  for (const Json& load : loads) {
    EXPECT_GE(load["ts"], spans["serve"]["ts"]);
    if (load["args"]["tier"] == "device:0") ExpectWithin(load, spans["serve"]);
  }

  ChildProcess summarise = Trims({"trace", "summarise", folder_ / "all.json"});
  const Json summary = Json::parse(summarise.ReadAll());
  EXPECT_EQ(summarise.Wait(), 0);
  EXPECT_EQ(summary["opens"], "open");
  EXPECT_EQ(summary["models"].size(), 1U);
}

TEST_F(TraceTest, ASignalEndsARecordWell) {
  const std::string recorded = folder_ / "recorded.json";
  ChildProcess recorder = Record({"--out", recorded});
  const ChildProcess client = Open("host");
  recorder.Signal(SIGINT);
  const Json said = SaidBy(&recorder);
  EXPECT_EQ(recorder.Wait(), 0);
  EXPECT_EQ(said["opens"], 1);
  EXPECT_TRUE(SpansOf(Json::parse(std::ifstream(recorded))).contains("serve"));
}

TEST_F(TraceTest, AClientThatIsKilledLeavesAWholeTrace) {
  ChildProcess client = Open("host");
  client.Signal(SIGKILL);
  client.Wait();
  const std::vector<std::string> files = ClientsFiles();
  ASSERT_EQ(files.size(), 1U);
  EXPECT_TRUE(SpansOf(Json::parse(std::ifstream(files[0]))).contains("open"));
}

TEST_F(TraceTest, AMalformedTraceparentIsRefused) {
  Result<Client> client = daemon_.Connect();
  ASSERT_TRUE(client.ok());
  EXPECT_EQ(client->Open("one", {.traceparent = "00-nonsense"}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_TRUE(
      client->Open("one", {.traceparent = std::string("00-") + kTraceId + "-00f067aa0ba902b7-01"})
          .ok());
}

}  // namespace
}  // namespace trims::test
