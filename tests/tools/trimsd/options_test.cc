// What trimsd says of its options: flags, the configuration file, and mistakes in both.
#include "tools/trimsd/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "support/scratch_folder.h"

namespace trims::daemon {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class OptionsTest : public ::testing::Test {
 protected:
  ParsedOptions Parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "trimsd");
    return ParseOptions(static_cast<int>(arguments.size()), arguments.data(), out_, err_);
  }
  void ExpectUsageError(const std::vector<const char*>& arguments, const std::string& said) {
    EXPECT_EQ(Parse(arguments).exit_code, kExitUsage);
    EXPECT_THAT(err_.str(), HasSubstr(said));
  }

  test::ScratchFolder folder_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(OptionsTest, DefaultsAreThoseOfTheHelp) {
  const ParsedOptions parsed = Parse({});
  ASSERT_FALSE(parsed.exit_code.has_value());
  EXPECT_EQ(parsed.options.socket_mode, 0600u);
  EXPECT_EQ(parsed.options.host_budget, "50%");
  EXPECT_EQ(parsed.options.policy.reclaim, Reclaim::kLazy);
  EXPECT_TRUE(parsed.options.preload.empty());
  EXPECT_EQ(parsed.options.policy.eviction->name, "worth");
  EXPECT_EQ(parsed.options.idle_exit, milliseconds(0));
  EXPECT_EQ(parsed.options.read_engine, ReadEngineChoice::kAuto);
}

TEST_F(OptionsTest, AKeeperIsSystemdsUnlessAnotherIsNamed) {
  EXPECT_EQ(Parse({}).options.keeper, KeeperChoice::kAuto);
  EXPECT_EQ(Parse({}).options.keep_for, std::chrono::minutes(5));
  EXPECT_EQ(Parse({"--keeper", "process"}).options.keeper, KeeperChoice::kProcess);
  EXPECT_EQ(Parse({"--keeper", "off"}).options.keeper, KeeperChoice::kOff);
  EXPECT_EQ(Parse({"--keep-for", "90s"}).options.keep_for, std::chrono::seconds(90));
  ExpectUsageError({"--keeper", "disk"}, "keeper");
  ExpectUsageError({"--keep-for", "long"}, "keep-for");
}

TEST_F(OptionsTest, TheHostCopyIsKeptUnlessSaidOtherwise) {
  EXPECT_EQ(Parse({}).options.host_copy, HostCopy::kKeep);
  EXPECT_EQ(Parse({"--host-copy", "drop"}).options.host_copy, HostCopy::kDrop);
  EXPECT_EQ(Parse({"--host-copy", "pin"}).options.host_copy, HostCopy::kPin);
  ExpectUsageError({"--host-copy", "persist"}, "host-copy");
}

TEST_F(OptionsTest, TheReadEngineIsChosenOrLeftOpen) {
  EXPECT_EQ(Parse({}).options.download_ranges, 8u);
  EXPECT_EQ(Parse({}).options.download_rate, 0u);
  EXPECT_EQ(Parse({"--download-ranges", "3"}).options.download_ranges, 3u);
  EXPECT_EQ(Parse({"--download-rate", "50MB"}).options.download_rate, 50'000'000u);
  ExpectUsageError({"--download-ranges", "0"}, "download-ranges");
  ExpectUsageError({"--download-rate", "fast"}, "'fast' is no size");
  EXPECT_EQ(Parse({"--read-engine", "auto"}).options.read_engine, ReadEngineChoice::kAuto);
  EXPECT_EQ(Parse({"--read-engine", "uring"}).options.read_engine, ReadEngineChoice::kUring);
  EXPECT_EQ(Parse({"--read-engine", "pread"}).options.read_engine, ReadEngineChoice::kPread);
  ExpectUsageError({"--read-engine", "mmap"}, "read-engine");
}

TEST_F(OptionsTest, FlagsAreRead) {
  const ParsedOptions parsed =
      Parse({"--socket", "/a/b", "--socket-mode", "0666", "--reclaim", "eager", "--huge-pages",
             "small", "--idle-exit", "10min", "--loader-threads", "4", "--log-level", "debug"});
  ASSERT_FALSE(parsed.exit_code.has_value()) << err_.str();
  EXPECT_EQ(parsed.options.socket, "/a/b");
  EXPECT_EQ(parsed.options.socket_mode, 0666u);
  EXPECT_EQ(parsed.options.policy.reclaim, Reclaim::kEager);
  EXPECT_EQ(parsed.options.huge_pages, HugePagePolicy::kSmall);
  EXPECT_EQ(parsed.options.idle_exit, std::chrono::minutes(10));
  EXPECT_EQ(parsed.options.loader_threads, 4);
  EXPECT_EQ(parsed.options.log_level, LogLevel::kDebug);
}

TEST_F(OptionsTest, AFileIsReadAndFlagsWin) {
  const std::string file = folder_.Write(
      "trimsd.toml", "# comment\nhost-budget=\"8GiB\"\nreclaim=\"eager\"\nidle-exit=\"5m\"\n");
  const ParsedOptions parsed = Parse({"--config", file.c_str(), "--host-budget", "1GiB"});
  ASSERT_FALSE(parsed.exit_code.has_value()) << err_.str();
  EXPECT_EQ(parsed.options.host_budget, "1GiB");
  EXPECT_EQ(parsed.options.policy.reclaim, Reclaim::kEager);
  EXPECT_EQ(parsed.options.idle_exit, std::chrono::minutes(5));
}

TEST_F(OptionsTest, ModelsToLoadAtTheStartAreNamedOneByOneOrAsAList) {
  const std::vector<std::string> both = {"ocr", "team/bert:prod"};
  EXPECT_EQ(Parse({"--preload", "ocr", "--preload", "team/bert:prod"}).options.preload, both);
  const std::string file = folder_.Write("trimsd.toml", "preload=[\"ocr\", \"team/bert:prod\"]\n");
  EXPECT_EQ(Parse({"--config", file.c_str()}).options.preload, both);
}

TEST_F(OptionsTest, QuotasAreGivenOneByOneOrAsAList) {
  const Quotas both = {{"team", {.leases = 5}}, {"*", {.bytes = uint64_t{1} << 30}}};
  EXPECT_EQ(Parse({"--quota", "team:leases=5", "--quota", "*:bytes=1GiB"}).options.quotas, both);
  const std::string file =
      folder_.Write("trimsd.toml", "quota=[\"team:leases=5\", \"*:bytes=1GiB\"]\n");
  EXPECT_EQ(Parse({"--config", file.c_str()}).options.quotas, both);
  ExpectUsageError({"--quota", "team:weight=1"}, "there is no 'weight'");
  ExpectUsageError({"--quota", "team:leases=1", "--quota", "team:loads=1"}, "two quotas");
}

TEST_F(OptionsTest, WhatIsSparedAndWhatGoesUnderPressure) {
  const DaemonOptions options =
      Parse({"--churn-guard", "5s", "--pressure", "auto", "--pressure-floor", "25%"}).options;
  EXPECT_EQ(options.churn_guard, std::chrono::seconds(5));
  EXPECT_EQ(options.pressure, "auto");
  EXPECT_EQ(options.pressure_floor, "25%");
  EXPECT_EQ(Parse({}).options.pressure, "off");
  ExpectUsageError({"--pressure", "high"}, "expected off, auto or an absolute path");
  ExpectUsageError({"--pressure-floor", "much"}, "--pressure-floor");
}

TEST_F(OptionsTest, AnUnknownLineOfAFileIsAnError) {
  const std::string file = folder_.Write("trimsd.toml", "host-buget=\"8GiB\"\n");
  ExpectUsageError({"--config", file.c_str()}, "host-buget");
}

TEST_F(OptionsTest, MistakesAreNamedInOneLine) {
  ExpectUsageError({"--bogus"}, "--bogus");
  ExpectUsageError({"--host-budget", "12Q"}, "'12Q' is no size: write bytes (1073741824");
  ExpectUsageError({"--host-budget", "0"}, "--host-budget");
  ExpectUsageError({"--host-budget", "101%"}, "at most 100%");
  ExpectUsageError({"--idle-exit", "5 parsecs"}, "5 parsecs");
  ExpectUsageError({"--socket-mode", "0999"}, "0999");
  ExpectUsageError({"--socket-mode", "07777"}, "07777");
  ExpectUsageError({"--reclaim", "never"}, "reclaim");
  ExpectUsageError({"--eviction", "mru"}, "no eviction policy 'mru'");
  ExpectUsageError({"--loader-threads", "0"}, "loader-threads");
  ExpectUsageError({"--log-level", "loud"}, "loud");
  ExpectUsageError({"--config", "/nowhere/at/all"}, "/nowhere/at/all");
  const std::string said = err_.str();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 12) << said;
}

TEST_F(OptionsTest, HelpAndVersionAreAnswersAndNoErrors) {
  EXPECT_EQ(Parse({"--help"}).exit_code, 0);
  EXPECT_THAT(out_.str(), HasSubstr("--host-budget"));
  EXPECT_EQ(Parse({"--version"}).exit_code, 0);
  EXPECT_THAT(out_.str(), HasSubstr("trimsd 0."));
}

std::string ReadText(const std::string& name) {
  std::ifstream file(TRIMS_SOURCE_FOLDER "/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(OptionsTest, EachEvictionPolicyIsTakenAndExplainedAlike) {
  EXPECT_EQ(Parse({"--help"}).exit_code, 0);
  const std::string manual = ReadText("packaging/man/trimsd.8");
  const std::string operations = ReadText("docs/operations.md");
  for (const EvictionPolicy& policy : EvictionPolicies()) {
    const std::string name(policy.name);
    const std::string summary(policy.summary);
    EXPECT_EQ(Parse({"--eviction", name.c_str()}).options.policy.eviction, &policy);
    EXPECT_THAT(out_.str(), HasSubstr(name));
    EXPECT_THAT(manual, HasSubstr(".B " + name + "\n" + summary + "\n"));
    EXPECT_THAT(operations, HasSubstr("| `" + name + "` | " + summary + " |\n"));
  }
}

}  // namespace
}  // namespace trims::daemon
