#include "base/fault.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>

#include "base/sys.h"
#include "base/thread.h"
#include "base/unique_fd.h"
#include "support/scratch_folder.h"

namespace trims::fault {
namespace {

TEST(FaultTest, FailsTheNthCallAndThoseAfterIt) {
  const ScopedPlan plan({.op = Op::kRead, .nth = 2, .error = EIO, .count = 2});
  EXPECT_EQ(Check(Op::kRead), 0);
  EXPECT_FALSE(plan.fired());
  EXPECT_EQ(Check(Op::kOpen), 0);
  EXPECT_EQ(Check(Op::kRead), EIO);
  EXPECT_TRUE(plan.fired());
  EXPECT_EQ(Check(Op::kRead), EIO);
  EXPECT_EQ(Check(Op::kRead), 0);
}

TEST(FaultTest, APlanEndsWithItsScope) {
  { const ScopedPlan plan({.op = Op::kOpen}); }
  EXPECT_EQ(Check(Op::kOpen), 0);
}

TEST(FaultTest, AnExemptThreadIsSpared) {
  const ScopedPlan plan({.op = Op::kOpen, .nth = 1, .error = EMFILE, .count = 100});
  {
    const ScopedExemption exemption;
    EXPECT_EQ(Check(Op::kOpen), 0);
  }
  EXPECT_EQ(Check(Op::kOpen), EMFILE);
}

TEST(FaultTest, TheSystemCallsObeyWithErrno) {
  const ScopedPlan plan({.op = Op::kOpen, .nth = 1, .error = ENFILE});
  EXPECT_FALSE(sys::Open("/dev/null", O_RDONLY));
  EXPECT_EQ(errno, ENFILE);
  EXPECT_TRUE(sys::Open("/dev/null", O_RDONLY));
}

TEST(FaultTest, AHeldCallWaitsUntilTheFifoIsOpenedForWriting) {
  const test::ScratchFolder folder;
  const std::string fifo = folder / "fifo";
  const ScopedPlan plan({.op = Op::kRead, .nth = 2, .count = 2, .hold = fifo});
  EXPECT_EQ(Check(Op::kRead), 0);
  EXPECT_EQ(Check(Op::kRead), 0) << "there is no FIFO";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::atomic<bool> went_on{false};
  std::thread held([&] {
    EXPECT_EQ(Check(Op::kRead), 0);
    went_on = true;
  });
  const UniqueFd opened(::open(fifo.c_str(), O_WRONLY | O_CLOEXEC));  // waits for the reader
  held.join();
  EXPECT_TRUE(went_on);
  EXPECT_TRUE(plan.fired());
  EXPECT_EQ(Check(Op::kRead), 0) << "beyond the count";
}

TEST(FaultTest, ParsesWhatItNames) {
  for (const Op op : kAllOps) {
    const Result<Plan> plan = ParsePlan(std::string(OpName(op)) + ":3:28:2");
    ASSERT_TRUE(plan.ok()) << OpName(op);
    EXPECT_EQ(plan->op, op);
    EXPECT_EQ(plan->nth, 3);
    EXPECT_EQ(plan->error, 28);
    EXPECT_EQ(plan->count, 2);
  }
  EXPECT_EQ(ParsePlan("open:1:2")->count, 1);
  EXPECT_EQ(ParsePlan("open:1:2")->hold, "");
  EXPECT_EQ(ParsePlan("read:4:hold=/tmp/fifo:9")->hold, "/tmp/fifo");
  EXPECT_EQ(ParsePlan("read:4:hold=/tmp/fifo:9")->count, 9);
  EXPECT_TRUE(ParsePlan("database:2:stop")->stop);
  EXPECT_FALSE(ParsePlan("database:2:5")->stop);
  for (const char* text : {"", "open", "open:1", "open:0:5", "open:1:0", "open:1:5:0", "open:x:5",
                           "nothing:1:5", "open:1:5:1:1", "open:1:5x", "open:1:hold="}) {
    EXPECT_EQ(ParsePlan(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

TEST(ThreadTest, RunsOrSaysWhyNot) {
  bool ran = false;
  Result<std::thread> thread = StartThread([&] { ran = true; });
  ASSERT_TRUE(thread.ok());
  thread->join();
  EXPECT_TRUE(ran);
  const ScopedPlan plan({.op = Op::kThread, .nth = 1, .error = EAGAIN});
  EXPECT_EQ(StartThread([] {}).status().code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace trims::fault
