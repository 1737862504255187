#include "base/log_throttle.h"

#include <gtest/gtest.h>

namespace trims {
namespace {

using std::chrono::milliseconds;

int AdmittedOf(LogThrottle* throttle, int lines) {
  int admitted = 0;
  for (int i = 0; i < lines; ++i) admitted += throttle->Admit() ? 1 : 0;
  return admitted;
}

TEST(LogThrottleTest, ASecondHasSoManyLinesAndTheRestIsCounted) {
  ManualClock clock;
  LogThrottle throttle(&clock, 10);
  EXPECT_EQ(AdmittedOf(&throttle, 25), 10);
  clock.Advance(milliseconds(999));
  EXPECT_EQ(AdmittedOf(&throttle, 5), 0);
  EXPECT_EQ(throttle.TakeSuppressed(), 20u);
  EXPECT_EQ(throttle.TakeSuppressed(), 0u);
}

TEST(LogThrottleTest, ANewSecondBeginsWithItsFirstLine) {
  ManualClock clock;
  LogThrottle throttle(&clock, 2);
  EXPECT_EQ(AdmittedOf(&throttle, 3), 2);
  clock.Advance(milliseconds(1700));
  EXPECT_EQ(AdmittedOf(&throttle, 3), 2);
  clock.Advance(milliseconds(700));
  EXPECT_EQ(AdmittedOf(&throttle, 3), 0);
  clock.Advance(milliseconds(300));
  EXPECT_EQ(AdmittedOf(&throttle, 3), 2);
  EXPECT_EQ(throttle.TakeSuppressed(), 6u);
}

}  // namespace
}  // namespace trims
