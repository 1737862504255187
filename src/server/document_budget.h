// DocumentBudget: how much of the event loop's time a user's documents may take: lists, statuses, explanations and events, which cost
// in proportion to what there is.
//
//   if (!budget.Has(uid, now)) return Refuse();
//   budget.Take(uid, now, took);
//
// Each user has a second's worth of what it may take, which fills up again at a tenth of the time. So whoever asks now and then
// waits for nobody, and whoever asks on and on takes no more than a tenth. Thread-safety: values.
#ifndef TRIMS_SERVER_DOCUMENT_BUDGET_H_
#define TRIMS_SERVER_DOCUMENT_BUDGET_H_

#include <chrono>
#include <cstdint>
#include <unordered_map>

#include "base/clock.h"

namespace trims {

class DocumentBudget {
 public:
  static constexpr Duration kMost = std::chrono::seconds(1);
  static constexpr int kShare = 10;  // one part of so many of the time

  bool Has(uint64_t uid, TimePoint now) const { return SpentBy(uid, now) < kMost; }
  void Take(uint64_t uid, TimePoint now, Duration took);

 private:
  struct Spent {
    Duration time{};
    TimePoint at{};
  };
  static constexpr size_t kMostKept = 1024;  // beyond, those go that have all of it again

  static Duration Left(const Spent& spent, TimePoint now);
  Duration SpentBy(uint64_t uid, TimePoint now) const;

  std::unordered_map<uint64_t, Spent> by_uid_;
};

}  // namespace trims

#endif  // TRIMS_SERVER_DOCUMENT_BUDGET_H_
