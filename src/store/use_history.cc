#include "store/use_history.h"

#include <algorithm>

namespace trims {

UseHistory UseHistories::Of(const std::string& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? UseHistory() : found->second;
}

UseHistory UseHistories::Take(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return {};
  const UseHistory history = found->second;
  by_last_use_.erase({history.last_used, key});
  by_key_.erase(found);
  return history;
}

void UseHistories::Remember(const std::string& key, const UseHistory& residence) {
  if (residence.opens == 0) return;
  UseHistory& history = by_key_[key];
  by_last_use_.erase({history.last_used, key});
  history.opens += residence.opens;
  history.evictions += residence.evictions;
  history.last_used = std::max(history.last_used, residence.last_used);
  history.frequency = std::max(history.frequency, residence.frequency);
  history.reload_time = residence.reload_time;
  by_last_use_.emplace(history.last_used, key);
  if (by_key_.size() <= capacity_) return;
  by_key_.erase(by_last_use_.begin()->second);
  by_last_use_.erase(by_last_use_.begin());
}

}  // namespace trims
