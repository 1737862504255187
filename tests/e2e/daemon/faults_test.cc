// The machine fails the daemon once in the middle of an open: the open says why, the next one
// works, nothing is left.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "base/fault.h"
#include "e2e/daemon/daemon_process.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

constexpr size_t kFaultModelBytes = size_t{1} << 20;

struct Fault {
  fault::Op op;
  int error;
  StatusCode code;
};

class DaemonFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(DaemonFaultTest, AnOpenSaysWhyAndTheNextOneWorks) {
  const Fault& fault = GetParam();
  const test::ScratchFolder folder;
  {
    DaemonProcess first(folder.path());
    ASSERT_TRUE(first.ready()) << first.Log();
    first.AddFile("a", kFaultModelBytes);
    first.AddFile("b", kFaultModelBytes);
  }
  const std::string plan =
      std::string(fault::OpName(fault.op)) + ":1:" + std::to_string(fault.error);
  DaemonProcess daemon(folder.path(), {"--allow-fault-injection", "--reclaim", "eager"},
                       {"TRIMS_FAULT=" + plan});
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  Result<Client> client = daemon.Connect();
  ASSERT_TRUE(client.ok());
  const Status failed = client->Open("a").status();
  EXPECT_EQ(failed.code(), fault.code) << failed.ToString();
  EXPECT_TRUE(client->Open("b").ok());
  const Status retried = client->Open("a").status();  // one failure is no reason to wait
  EXPECT_TRUE(retried.ok()) << retried.ToString();
  *client = *daemon.Connect();
  const nlohmann::json status = daemon.GetStatus();
  EXPECT_EQ(status["leases"], 0);
}

std::string FaultName(const ::testing::TestParamInfo<Fault>& info) {
  return std::string(fault::OpName(info.param.op)) + std::to_string(info.param.error);
}

INSTANTIATE_TEST_SUITE_P(
    Daemon, DaemonFaultTest,
    ::testing::Values(Fault{fault::Op::kFallocate, ENOSPC, StatusCode::kResourceExhausted},
                      Fault{fault::Op::kMemfdCreate, EMFILE, StatusCode::kResourceExhausted},
                      Fault{fault::Op::kRead, EIO, StatusCode::kDataLoss},
                      Fault{fault::Op::kMmap, ENOMEM, StatusCode::kResourceExhausted},
                      Fault{fault::Op::kSeal, ENOMEM, StatusCode::kResourceExhausted},
                      Fault{fault::Op::kReopen, EMFILE, StatusCode::kResourceExhausted}),
    FaultName);

// As a kernel, a sysctl or a container's seccomp profile refuses it: found out once, at the start.
TEST(DaemonFaultTest, WithoutIoUringThreadsRead) {
  const test::ScratchFolder folder;
  const std::string refused = "TRIMS_FAULT=ring_setup:1:" + std::to_string(EPERM) + ":1000";
  {
    DaemonProcess strict(folder.path(), {"--allow-fault-injection", "--read-engine", "uring"},
                         {refused});
    EXPECT_FALSE(strict.ready());
    EXPECT_NE(strict.Log().find("--read-engine auto"), std::string::npos) << strict.Log();
  }
  DaemonProcess daemon(folder.path(), {"--allow-fault-injection"}, {refused});
  ASSERT_TRUE(daemon.ready()) << daemon.Log();
  EXPECT_EQ(daemon.GetStatus()["server"]["read_engine"], "pread");
  daemon.AddFile("a", kFaultModelBytes * 9);
  Result<Client> client = daemon.Connect();
  ASSERT_TRUE(client.ok());
  EXPECT_TRUE(client->Open("a").ok());
}

TEST(DaemonFaultTest, WithoutLeaveTheEnvironmentIsIgnored) {
  const test::ScratchFolder folder;
  DaemonProcess daemon(folder.path(), {}, {"TRIMS_FAULT=accept:1:24:1000"});
  ASSERT_TRUE(daemon.ready());
  EXPECT_TRUE(daemon.GetStatus().is_object());
  EXPECT_NE(daemon.Log().find("fault.ignored"), std::string::npos);
}

}  // namespace
}  // namespace trims::test
