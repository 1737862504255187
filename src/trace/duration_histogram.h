// DurationHistogram: how long something took, of any number of times, in bounded memory.
//
//   histogram.Add(nanoseconds(1500));
//   histogram.Quantile(0.95);
//
// Count, total and longest are exact; a quantile is within 1 %. Thread-safety: values.
#ifndef TRIMS_TRACE_DURATION_HISTOGRAM_H_
#define TRIMS_TRACE_DURATION_HISTOGRAM_H_

#include <cstdint>
#include <map>

#include "base/clock.h"

namespace trims {

class DurationHistogram {
 public:
  void Add(Duration took);  // not negative

  uint64_t count() const { return count_; }
  Duration total() const { return total_; }
  Duration longest() const { return longest_; }
  // `share` in (0, 1]: of so many none took longer. 0 where there are none.
  Duration Quantile(double share) const;

 private:
  uint64_t count_ = 0;
  Duration total_{0};
  Duration longest_{0};
  std::map<uint32_t, uint64_t> buckets_;  // 64 for each doubling
};

}  // namespace trims

#endif  // TRIMS_TRACE_DURATION_HISTOGRAM_H_
