// OpenLatencies: how long opens took, by the tier that served them (that was asked for, if none did) and by how they ended.
//
//   OpenLatencies latencies({{.name = "host"}});
//   latencies.Record("host", OpenEnd::kHit, took);
//
// A record is a search among two dozen numbers and three additions: nothing is allocated, so that hits pay next to nothing.
// Thread-safety: loop only; copies are values.
#ifndef TRIMS_SERVER_OPEN_LATENCIES_H_
#define TRIMS_SERVER_OPEN_LATENCIES_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace trims {

enum class OpenEnd { kHit, kJoined, kMiss, kFailed };

inline constexpr std::array<std::string_view, 4> kOpenEndNames = {"hit", "joined", "miss",
                                                                  "failed"};

class LatencyHistogram {
 public:
  // Upper bounds, inclusive: from a hit that takes microseconds to a load that takes minutes.
  static constexpr std::array<uint32_t, 23> kBoundsUs = {
      5,         10,        25,        50,         100,        250,        500,        1'000,
      2'500,     5'000,     10'000,    25'000,     50'000,     100'000,    250'000,    500'000,
      1'000'000, 2'500'000, 5'000'000, 10'000'000, 25'000'000, 60'000'000, 300'000'000};

  void Record(Duration took) {
    const uint64_t ns = static_cast<uint64_t>(std::max<int64_t>(took.count(), 0));
    const uint64_t us = (ns + 999) / 1000;
    const auto bound = std::lower_bound(kBoundsUs.begin(), kBoundsUs.end(), us);
    ++counts_[static_cast<size_t>(bound - kBoundsUs.begin())];
    sum_ns_ += ns;
  }

  // One more than there are bounds: the last is beyond them.
  const std::array<uint64_t, kBoundsUs.size() + 1>& counts() const { return counts_; }
  uint64_t sum_ns() const { return sum_ns_; }

 private:
  std::array<uint64_t, kBoundsUs.size() + 1> counts_{};
  uint64_t sum_ns_ = 0;
};

class OpenLatencies {
 public:
  struct Tier {
    std::string name;
    std::string device;  // as clients may call it, too; empty: none
    std::array<LatencyHistogram, kOpenEndNames.size()> by_end{};
  };

  OpenLatencies() = default;
  // The host's first; at least one.
  explicit OpenLatencies(std::vector<Tier> tiers) : tiers_(std::move(tiers)) {}

  // What names no tier that there is, or any, counts for the first: names that clients think up take no memory.
  void Record(std::string_view tier, OpenEnd end, Duration took) {
    if (tiers_.empty()) return;
    const auto found = std::find_if(tiers_.begin(), tiers_.end(), [&](const Tier& one) {
      return one.name == tier || (!tier.empty() && one.device == tier);
    });
    Tier& known = found == tiers_.end() ? tiers_.front() : *found;
    known.by_end[static_cast<size_t>(end)].Record(took);
  }

  const std::vector<Tier>& tiers() const { return tiers_; }

 private:
  std::vector<Tier> tiers_;
};

}  // namespace trims

#endif  // TRIMS_SERVER_OPEN_LATENCIES_H_
