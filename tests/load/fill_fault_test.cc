// Every call of a load that can fail, failed: a typed reason, nothing left behind, the next load
// works.
#include <gtest/gtest.h>

#include <set>

#include "base/fault.h"
#include "loader_fixture.h"
#include "support/held_resources.h"

namespace trims {
namespace {

using test::Bytes;
using test::HeldFds;
using test::MappedMemfds;

struct Case {
  size_t bytes;  // of the larger file: on the calling thread, or with threads
  int error;
  StatusCode code;
  ReadEngineKind engine = ReadEngineKind::kPread;
};

class FillFaultTest : public test::LoaderFixture, public ::testing::WithParamInterface<Case> {};

TEST_P(FillFaultTest, EveryCallFailedOnce) {
  options_.engine = GetParam().engine;
  AddFile("model", Bytes(GetParam().bytes));
  AddFile("labels", Bytes(100, 2));
  WriteIndex();
  ASSERT_TRUE(Load().ok());
  const size_t fds = HeldFds();
  std::set<fault::Op> failed;
  for (const fault::Op op : fault::kAllOps) {
    for (int nth = 1;; ++nth) {
      ASSERT_LT(nth, 500) << fault::OpName(op);
      const fault::ScopedPlan plan({.op = op, .nth = nth, .error = GetParam().error});
      const Status status = Load().status();
      if (!plan.fired()) break;
      // Where there is another way (huge pages, direct reads) the load may go on.
      if (!status.ok()) {
        const bool thread = op == fault::Op::kThread;
        EXPECT_EQ(status.code(), thread ? StatusCode::kResourceExhausted : GetParam().code)
            << fault::OpName(op) << " " << nth << ": " << status.ToString();
        failed.insert(op);
      }
      EXPECT_EQ(HeldFds(), fds) << fault::OpName(op) << " " << nth;
      EXPECT_EQ(MappedMemfds(), 0u) << fault::OpName(op) << " " << nth;
    }
  }
  for (const fault::Op op : {fault::Op::kOpen, fault::Op::kRead, fault::Op::kMemfdCreate,
                             fault::Op::kTruncate, fault::Op::kFallocate, fault::Op::kMmap,
                             fault::Op::kSeal, fault::Op::kReopen, fault::Op::kWrite}) {
    EXPECT_TRUE(failed.contains(op)) << fault::OpName(op);
  }
  EXPECT_EQ(failed.contains(fault::Op::kThread), GetParam().bytes > 5'000'000);
  EXPECT_TRUE(Load().ok());
}

INSTANTIATE_TEST_SUITE_P(Errors, FillFaultTest,
                         ::testing::Values(Case{10'000, ENOMEM, StatusCode::kResourceExhausted},
                                           Case{10'000, EIO, StatusCode::kDataLoss},
                                           Case{13'000'000, EMFILE, StatusCode::kResourceExhausted},
                                           Case{13'000'000, EIO, StatusCode::kDataLoss},
                                           Case{13'000'000, EMFILE, StatusCode::kResourceExhausted,
                                                ReadEngineKind::kUring},
                                           Case{13'000'000, EIO, StatusCode::kDataLoss,
                                                ReadEngineKind::kUring}));

}  // namespace
}  // namespace trims
