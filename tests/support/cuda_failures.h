// ExpectEachFailureIsTyped: something done again and again against the stand-in for the CUDA driver, with one call of it after the other
// failing, until none is left: each time with UNAVAILABLE, as the device is lost, and with nothing left behind.
//
//   ExpectEachFailureIsTyped(standin, {"cuMemAlloc", "cuStreamSynchronize"}, [] { return FillAndShare().status(); });
//
// Thread-safety: none.
#ifndef TRIMS_TESTS_SUPPORT_CUDA_FAILURES_H_
#define TRIMS_TESTS_SUPPORT_CUDA_FAILURES_H_

#include <gtest/gtest.h>

#include <initializer_list>

#include "trims/status.h"

#include "cuda/cuda_api.h"
#include "support/cuda_standin.h"
#include "support/held_resources.h"

namespace trims::test {

// `attempt` gives a Status, and succeeds where nothing fails.
template <typename Attempt>
void ExpectEachFailureIsTyped(const CudaStandin& standin, std::initializer_list<const char*> calls,
                              const Attempt& attempt) {
  const Status first = attempt();  // has what the driver keeps from then on
  ASSERT_TRUE(first.ok()) << first.ToString();
  const int live = standin.Live();
  const size_t fds = HeldFds();
  for (const char* call : calls) {
    int nth = 1;
    for (;; ++nth) {
      standin.Fail(call, nth, cuda::kEccUncorrectable);
      const Status status = attempt();
      standin.Fail(call, 0, 0);
      if (status.ok()) break;
      EXPECT_EQ(status.code(), StatusCode::kUnavailable) << call << nth << status.ToString();
      EXPECT_EQ(standin.Live(), live) << call << nth;
      EXPECT_EQ(HeldFds(), fds) << call << nth;
    }
    EXPECT_GT(nth, 1) << call << " is never made";
  }
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_CUDA_FAILURES_H_
