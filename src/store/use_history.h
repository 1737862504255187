// UseHistories: what is remembered of the use of what has left a tier, so that a policy can tell one
// that comes back from one that comes once.
//
//   histories.Remember(key, {.opens = 12, .evictions = 1, .last_used = now});   // as it goes
//   const UseHistory history = histories.Take(key);                             // as it comes back
//
// Bounded: when it is full, the one unused for longest is forgotten. Thread-safety: loop only.
#ifndef TRIMS_STORE_USE_HISTORY_H_
#define TRIMS_STORE_USE_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "store/use_frequency.h"

namespace trims {

// Of one residence, or of several together.
struct UseHistory {
  uint64_t opens = 0;      // served
  uint64_t evictions = 0;  // times that it had to go for another
  TimePoint last_used{};
  double frequency = kNeverUsed;  // fading, by the tier's UseClock; of all the residences
  // What it takes to bring it in: from what it was before half of the way to a shorter load, an eighth to a longer one.
  Duration reload_time{};
};

class UseHistories {
 public:
  static constexpr size_t kDefaultCapacity = 4096;  // about 1 MiB of keys

  explicit UseHistories(size_t capacity = kDefaultCapacity) : capacity_(capacity) {}

  // All zero for what is not known.
  UseHistory Of(const std::string& key) const;
  // The same, and it is known no more: whoever takes it remembers it again.
  UseHistory Take(const std::string& key);
  // Adds one more residence to what is known of `key`: opens and evictions add up, the rest is as the
  // later one says. One that was never opened says nothing.
  void Remember(const std::string& key, const UseHistory& residence);

  size_t size() const { return by_key_.size(); }

 private:
  const size_t capacity_;
  std::unordered_map<std::string, UseHistory> by_key_;
  std::set<std::pair<TimePoint, std::string>> by_last_use_;
};

}  // namespace trims

#endif  // TRIMS_STORE_USE_HISTORY_H_
