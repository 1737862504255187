#include "server/document_budget.h"

#include <algorithm>

namespace trims {

void DocumentBudget::Take(uint64_t uid, TimePoint now, Duration took) {
  if (by_uid_.size() >= kMostKept) {
    std::erase_if(by_uid_,
                  [now](const auto& each) { return Left(each.second, now) == Duration::zero(); });
  }
  by_uid_[uid] = {.time = SpentBy(uid, now) + took, .at = now};
}

Duration DocumentBudget::Left(const Spent& spent, TimePoint now) {
  return std::max(spent.time - (now - spent.at) / kShare, Duration::zero());
}

Duration DocumentBudget::SpentBy(uint64_t uid, TimePoint now) const {
  const auto found = by_uid_.find(uid);
  return found == by_uid_.end() ? Duration::zero() : Left(found->second, now);
}

}  // namespace trims
