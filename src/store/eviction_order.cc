#include "store/eviction_order.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace trims {
namespace {

// Not a number has no place in an order, and sorting by it would be undefined.
double OrderlyRank(const EvictionPolicy& policy, const EvictionCandidate& candidate) {
  const double rank = policy.rank(candidate);
  return std::isnan(rank) ? std::numeric_limits<double>::infinity() : rank;
}

}  // namespace

// One pass over the queues: which is next, and how much the probation still holds.
class EvictionOrder::Walk {
 public:
  explicit Walk(const EvictionOrder& order)
      : order_(order), on_probation_(order.bytes_[kProbation]) {
    left_ = static_cast<double>(on_probation_) + static_cast<double>(order.bytes_[kAdmitted]);
    for (size_t queue = 0; queue < kQueues; ++queue) next_[queue] = order.queues_[queue].begin();
  }

  // nullptr: that was all.
  const Entry* Next() {
    const Queue queue = NextQueue();
    if (Ended(queue)) return nullptr;
    const Entry& entry = *next_[queue]++;
    if (queue == kProbation) on_probation_ -= entry.bytes;
    if (queue != kNotAdmitted) left_ -= static_cast<double>(entry.bytes);
    return &entry;
  }

 private:
  bool Ended(Queue queue) const { return next_[queue] == order_.queues_[queue].end(); }

  Queue NextQueue() const {
    if (!Ended(kNotAdmitted)) return kNotAdmitted;
    if (Ended(kProbation)) return kAdmitted;
    if (Ended(kAdmitted)) return kProbation;
    return static_cast<double>(on_probation_) > kProbationShare * left_ ? kProbation : kAdmitted;
  }

  const EvictionOrder& order_;
  std::array<Entries::const_iterator, kQueues> next_;
  uint64_t on_probation_ = 0;
  double left_ = 0;
};

EvictionOrder::Queue EvictionOrder::QueueOf(const EvictionCandidate& candidate) const {
  if (!candidate.admitted) return kNotAdmitted;
  const bool probation = policy_->on_probation != nullptr && policy_->on_probation(candidate);
  return probation ? kProbation : kAdmitted;
}

EvictionOrder::Entries::const_iterator EvictionOrder::PutInOrder(Queue queue, const Entry& entry) {
  if (spare_entry_.empty()) return queues_[queue].insert(entry).first;
  spare_entry_.value() = entry;
  return queues_[queue].insert(std::move(spare_entry_)).position;
}

void EvictionOrder::PutInPlaces(uint64_t segment, const Place& place) {
  if (spare_place_.empty()) {
    places_.emplace(segment, place);
    return;
  }
  spare_place_.key() = segment;
  spare_place_.mapped() = place;
  places_.insert(std::move(spare_place_));
}

void EvictionOrder::Insert(const EvictionCandidate& candidate) {
  if (candidate.bytes == 0 || policy_->rank == nullptr) return;
  if (places_.contains(candidate.segment)) return;
  const Queue queue = QueueOf(candidate);
  const auto entry =
      PutInOrder(queue, {OrderlyRank(*policy_, candidate), candidate.segment, candidate.bytes});
  PutInPlaces(candidate.segment, {queue, entry});
  bytes_[queue] += candidate.bytes;
}

void EvictionOrder::Erase(uint64_t segment) {
  const auto found = places_.find(segment);
  if (found == places_.end()) return;
  const Place place = found->second;
  bytes_[place.queue] -= place.entry->bytes;
  spare_entry_ = queues_[place.queue].extract(place.entry);
  spare_place_ = places_.extract(found);
}

uint64_t EvictionOrder::bytes() const {
  return bytes_[kNotAdmitted] + bytes_[kProbation] + bytes_[kAdmitted];
}

std::vector<Victim> EvictionOrder::Choose(uint64_t needed, const MayGo& may_go) const {
  if (needed == 0 || needed > bytes()) return {};
  std::vector<Victim> victims;
  Walk walk(*this);
  while (const Entry* next = walk.Next()) {
    if (may_go && !may_go(next->segment)) continue;
    victims.push_back({next->segment, next->rank});
    needed -= std::min(needed, next->bytes);
    if (needed == 0 && !policy_->takes_all) break;
  }
  if (needed > 0) victims.clear();
  return victims;
}

}  // namespace trims
