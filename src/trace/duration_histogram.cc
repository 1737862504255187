#include "trace/duration_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace trims {
namespace {

constexpr uint32_t kBits = 6;
constexpr uint32_t kSteps = 1U << kBits;  // of each doubling

uint32_t BucketOf(uint64_t value) {
  const auto width = static_cast<uint32_t>(std::bit_width(value));
  const uint32_t shift = width > kBits + 1 ? width - kBits - 1 : 0;
  return shift * kSteps + static_cast<uint32_t>(value >> shift);
}

uint64_t MiddleOf(uint32_t bucket) {
  const uint32_t shift = bucket < 2 * kSteps ? 0 : bucket / kSteps - 1;
  const uint64_t lowest = uint64_t{bucket - shift * kSteps} << shift;
  return lowest + (uint64_t{1} << shift) / 2;
}

}  // namespace

void DurationHistogram::Add(Duration took) {
  ++count_;
  total_ += took;
  longest_ = std::max(longest_, took);
  ++buckets_[BucketOf(static_cast<uint64_t>(took.count()))];
}

Duration DurationHistogram::Quantile(double share) const {
  const auto rank = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t passed = 0;
  for (const auto& [bucket, count] : buckets_) {
    passed += count;
    if (passed >= rank) return std::min(longest_, Duration(static_cast<int64_t>(MiddleOf(bucket))));
  }
  return longest_;
}

}  // namespace trims
