// Each system call of the server fails once, at every point where it can: the client gets a reason
// or loses its connection, the next one is served, and no descriptor and no lease is left.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <tuple>

#include "base/fault.h"
#include "server/raw_client.h"
#include "server/server_harness.h"

namespace trims::test {
namespace {

constexpr int kMostCalls = 200;

class FaultsTest : public ::testing::TestWithParam<std::tuple<fault::Op, int>> {};

// Connect, a miss, a hit, a document, a close. What fails is the daemon's; this thread is exempt.
void UseTheDaemon(const std::string& path, const std::string& model) {
  const fault::ScopedExemption exempt;
  RawClient client(path);
  const Result<uint64_t> lease = client.OpenLease(model);
  static_cast<void>(client.OpenLease(model).ok());
  static_cast<void>(client.Document(wire::ListRequest{}).ok());
  if (lease.ok()) static_cast<void>(client.Send(wire::CloseRequest{.lease = *lease}).ok());
}

TEST_P(FaultsTest, TheNextClientIsServedAndNothingIsLeft) {
  const auto [op, error] = GetParam();
  ServerHarness harness;
  harness.AddModel("ocr");
  UseTheDaemon(harness.socket_path(), "ocr");
  const size_t before = harness.Descriptors();
  int failed = 0;
  for (bool fired = true; fired; failed += fired) {
    const int nth = failed + 1;
    ASSERT_LT(nth, kMostCalls);
    {
      const fault::ScopedPlan plan({.op = op, .nth = nth, .error = error, .count = 1});
      UseTheDaemon(harness.socket_path(), "ocr");
      // The loop has been through it once this is answered; it fails like the rest while the plan
      // stands.
      harness.OnLoop([] {});
      fired = plan.fired();
    }
    const fault::ScopedExemption exempt;
    ASSERT_TRUE(RawClient(harness.socket_path()).OpenLease("ocr").ok())
        << "after failing call " << nth;
    ASSERT_EQ(harness.StatusDocument()["leases"], 0) << "after failing call " << nth;
    ASSERT_EQ(harness.Connections(), 0u);
    ASSERT_EQ(harness.Descriptors(), before) << "after failing call " << nth;
  }
  EXPECT_GT(failed, 0) << "nothing here makes this call: there is nothing to fail";
}

std::string FaultName(const ::testing::TestParamInfo<FaultsTest::ParamType>& info) {
  return std::string(fault::OpName(std::get<0>(info.param))) + "_" +
         std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(
    Server, FaultsTest,
    ::testing::Values(
        std::tuple(fault::Op::kAccept, EMFILE), std::tuple(fault::Op::kAccept, ENFILE),
        std::tuple(fault::Op::kAccept, ENOMEM), std::tuple(fault::Op::kAccept, ECONNABORTED),
        std::tuple(fault::Op::kReceive, ENOMEM), std::tuple(fault::Op::kReceive, EIO),
        std::tuple(fault::Op::kReceive, ECONNRESET), std::tuple(fault::Op::kReceive, EAGAIN),
        std::tuple(fault::Op::kSend, ENOBUFS), std::tuple(fault::Op::kSend, EPIPE),
        std::tuple(fault::Op::kSend, ETOOMANYREFS), std::tuple(fault::Op::kSend, EAGAIN),
        std::tuple(fault::Op::kMemfdCreate, EMFILE), std::tuple(fault::Op::kSeal, ENOMEM),
        std::tuple(fault::Op::kReopen, EMFILE)),
    FaultName);

// With the table full for as long as it lasts, the listener rests instead of spinning, and comes
// back.
TEST(AcceptFaultsTest, AFullTableThatStaysFullIsSurvived) {
  ServerHarness harness;
  harness.AddModel("ocr");
  {
    const fault::ScopedPlan plan({.op = fault::Op::kAccept, .nth = 1, .error = EMFILE, .count = 4});
    const fault::ScopedExemption exempt;
    RawClient client(harness.socket_path());
    EXPECT_TRUE(client.OpenLease("ocr").ok());  // waits in the backlog until there is room
    EXPECT_TRUE(plan.fired());
  }
}

TEST(AcceptFaultsTest, WithTheTableFullAClientIsTurnedAwayWithAReason) {
  ServerHarness harness;
  const fault::ScopedPlan plan({.op = fault::Op::kAccept, .nth = 1, .error = EMFILE, .count = 1});
  const fault::ScopedExemption exempt;
  RawClient client(harness.socket_path());
  const auto told = client.Receive();
  ASSERT_TRUE(told.ok()) << told.status().ToString();
  EXPECT_EQ(std::get<Status>((*told)->body).code(), StatusCode::kResourceExhausted);
}

// Whoever may connect can cause these lines as fast as it can connect.
TEST(AcceptFaultsTest, AStormOfClientsThatAreTurnedAwayDoesNotFillTheLog) {
  constexpr size_t kClients = 40;
  ::testing::internal::CaptureStderr();
  size_t turned_away = 0;
  {
    ServerHarness harness;
    const fault::ScopedExemption exempt;
    for (size_t i = 0; i < kClients; ++i) {
      const fault::ScopedPlan plan({.op = fault::Op::kAccept, .nth = 1, .error = EMFILE});
      RawClient client(harness.socket_path());
      turned_away += client.Receive().ok();
      harness.OnLoop([] {});  // it has looked for one more client by then, and found none
    }
  }
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(turned_away, kClients);
  size_t lines = 0;
  for (size_t at = 0; (at = log.find("accept.failed", at)) != std::string::npos; ++at) ++lines;
  EXPECT_GT(lines, 0u);
  EXPECT_LT(lines, kClients) << log;
  EXPECT_NE(log.find("connection.violations_suppressed count="), std::string::npos) << log;
}

}  // namespace
}  // namespace trims::test
