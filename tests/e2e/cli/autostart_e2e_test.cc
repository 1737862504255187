// The embedded default: a command that needs a daemon starts this user's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "e2e/cli/program.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using Json = nlohmann::json;

class AutostartE2eTest : public ::testing::Test {
 protected:
  AutostartE2eTest()
      : environment_{{"XDG_RUNTIME_DIR", folder_.path()},
                     {"XDG_DATA_HOME", folder_ / "data"},
                     {"HOME", folder_.path()},
                     {"TRIMSD", TRIMSD_PROGRAM}} {}

  ~AutostartE2eTest() override {
    if (started_ > 0) EndDaemon();
  }

  Ended Trims(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), TRIMS_PROGRAM);
    return RunToEnd(arguments, environment_);
  }

  // The daemon is nobody's child, so its end is waited for through a pidfd.
  void EndDaemon() {
    const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, started_, 0)));
    ASSERT_TRUE(static_cast<bool>(process));
    kill(started_, SIGTERM);
    pollfd waited{.fd = process.get(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&waited, 1, 30'000), 1) << "the daemon does not end";
    started_ = 0;
  }

  ScratchFolder folder_;
  Environment environment_;
  pid_t started_ = 0;
};

TEST_F(AutostartE2eTest, TheFirstCommandStartsOneDaemonForAll) {
  const Ended first = Trims({"status", "--json"});
  ASSERT_EQ(first.code, 0) << first.out << first.err;
  started_ = Json::parse(first.out)["server"]["pid"];
  EXPECT_GT(started_, 0);
  const Ended second = Trims({"status", "--json"});
  EXPECT_EQ(Json::parse(second.out)["server"]["pid"], started_);
}

TEST_F(AutostartE2eTest, FlagAndEnvironmentForbidIt) {
  EXPECT_EQ(Trims({"ls", "--no-autostart"}).code, 4);
  environment_["TRIMS_AUTOSTART"] = "0";
  const Ended ended = Trims({"ls"});
  EXPECT_EQ(ended.code, 4);
  EXPECT_THAT(ended.err, HasSubstr("\nnext: "));
}

TEST_F(AutostartE2eTest, ANamedSocketIsNeverServedByADaemonOfOurs) {
  EXPECT_EQ(Trims({"ls", "--socket", folder_ / "mine.sock"}).code, 4);
  environment_["TRIMS_SOCKET"] = folder_ / "mine.sock";
  EXPECT_EQ(Trims({"ls"}).code, 4);
}

TEST_F(AutostartE2eTest, AMissingProgramIsNamed) {
  environment_["TRIMSD"] = folder_ / "no-trimsd";
  const Ended ended = Trims({"ls"});
  EXPECT_EQ(ended.code, 4);
  EXPECT_THAT(ended.err, HasSubstr("no-trimsd"));
}

TEST_F(AutostartE2eTest, TheDoctorSeesThatFoldersCantBeMade) {
  environment_["XDG_RUNTIME_DIR"] = folder_ / "gone";
  environment_["XDG_DATA_HOME"] = folder_.Write("file", "");
  const Ended ended = Trims({"doctor"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.out, ContainsRegex("fail +socket-folder .*there is no " + (folder_ / "gone")));
  EXPECT_THAT(ended.out, HasSubstr("mkdir -p " + (folder_ / "gone")));
  EXPECT_THAT(ended.out, ContainsRegex("fail +data-folder .*" + (folder_ / "file")));
}

TEST_F(AutostartE2eTest, TheDoctorSeesThatARunningDaemonsDataIsGone) {
  started_ = Json::parse(Trims({"status", "--json"}).out)["server"]["pid"];
  std::filesystem::remove_all(folder_ / "data");
  EXPECT_THAT(Trims({"doctor"}).out, ContainsRegex("fail +data-folder .*is gone"));
}

TEST_F(AutostartE2eTest, TheDoctorStartsNothing) {
  const Ended ended = Trims({"doctor", "--json"});
  const Json document = Json::parse(ended.out);
  for (const Json& check : document["checks"]) {
    if (check["id"] != "daemon") continue;
    EXPECT_THAT(check["found"].get<std::string>(), HasSubstr("none runs"));
  }
  EXPECT_EQ(Trims({"ls", "--no-autostart"}).code, 4);
}

}  // namespace
}  // namespace trims::test
