#include "residency/segment_table.h"

#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "store/eviction_policy.h"

namespace trims {

struct Lease::Impl {
  SegmentTable* table;
  Segment* segment;
  OpenInfo info;
};

Lease::Lease(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Lease::Lease(Lease&&) noexcept = default;
Lease& Lease::operator=(Lease&& other) noexcept {
  std::unique_ptr<Impl> old = std::exchange(impl_, std::move(other.impl_));
  if (old) old->table->EndLease(old->segment);
  return *this;
}
Lease::~Lease() {
  if (impl_) impl_->table->EndLease(impl_->segment);
}
const ResidentBytes& Lease::bytes() const { return *impl_->segment->bytes; }
const OpenInfo& Lease::info() const { return impl_->info; }

SegmentTable::SegmentTable(const ResidencyOptions& options,
                           const ResidencyDependencies& dependencies, Counters* counters)
    : options_(options),
      dependencies_(dependencies),
      counters_(counters),
      budget_("host", options.host_budget) {}

SegmentTable::~SegmentTable() {
  alive_.reset();
  ++depth_;  // nobody is called back any more
  deliveries_.clear();
  for (auto& [id, segment] : segments_) {
    for (Waiter& waiter : segment->waiters) dependencies_.timers->Cancel(waiter.timer);
    if (segment->cancel) segment->cancel->Cancel();
    if (segment->bytes) dependencies_.loader->Free(*std::move(segment->bytes), [] {});
  }
}

void SegmentTable::Step(Segment* segment, SegmentState to) {
  if (!IsLegalTransition(segment->state, to)) {
    // A defect: going on could share bytes that are being freed. Clients keep the pages they have.
    LogError("segment.illegal_transition", {{"segment", segment->reference},
                                            {"from", SegmentStateName(segment->state)},
                                            {"to", SegmentStateName(to)}});
    std::abort();
  }
  LogDebug("segment.step", {{"segment", segment->reference},
                            {"variant", VariantName(segment->kind)},
                            {"from", SegmentStateName(segment->state)},
                            {"to", SegmentStateName(to)}});
  segment->state = to;
}

Segment* SegmentTable::FindById(uint64_t id) {
  const auto found = segments_.find(id);
  return found == segments_.end() ? nullptr : found->second.get();
}

const Segment* SegmentTable::FindByKey(const std::string& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

Segment* SegmentTable::FindOrMake(const Image& image) {
  const auto found = by_key_.find(image.key);
  if (found != by_key_.end()) return found->second;
  auto segment = std::make_unique<Segment>();
  segment->id = ++last_segment_;
  segment->key = image.key;
  segment->reference = image.reference;
  segment->digest = image.digest;
  segment->kind = image.kind;
  segment->variant_key = image.variant_key;
  segment->footprint = image.footprint;
  Segment* made = segment.get();
  by_key_.emplace(made->key, made);
  segments_.emplace(made->id, std::move(segment));
  return made;
}

void SegmentTable::Forget(Segment* segment) {
  if (segment->state == SegmentState::kFailed) Step(segment, SegmentState::kAbsent);
  by_key_.erase(segment->key);
  segments_.erase(segment->id);
}

Lease SegmentTable::Grant(Segment* segment, OpenInfo info) {
  ++leases_;
  ++segment->leases;
  ++segment->opens;
  if (!segment->bytes->extents.empty()) info.pages = segment->bytes->extents.front().pages();
  return Lease(std::unique_ptr<Lease::Impl>(new Lease::Impl{this, segment, std::move(info)}));
}

void SegmentTable::EndLease(Segment* segment) {
  Entry entry(this);
  --leases_;
  segment->last_used = dependencies_.clock->Now();
  if (--segment->leases > 0) return;
  if (!segment->removed && options_.reclaim == Reclaim::kLazy) return;
  ++counters_->reclaimed;
  Drain(segment);
}

void SegmentTable::KeepOnly(const std::set<std::string>& keys) {
  Entry entry(this);
  std::vector<uint64_t> gone;
  for (auto& [id, segment] : segments_) {
    if (!keys.contains(segment->key)) gone.push_back(id);
  }
  for (const uint64_t id : gone) {
    if (Segment* segment = FindById(id)) DropRemoved(segment);
  }
}

void SegmentTable::DropRemoved(Segment* segment) {
  segment->removed = true;
  if (segment->leases > 0 || !segment->waiters.empty()) return;
  switch (segment->state) {
    case SegmentState::kResident:
      ++counters_->reclaimed;
      return Drain(segment);
    case SegmentState::kLoading:
      return segment->cancel->Cancel();
    case SegmentState::kReserved:
      std::erase(wait_for_room_, segment->id);
      Step(segment, SegmentState::kFailed);
      Forget(segment);
      return FillRoom();
    case SegmentState::kFailed:
      return Forget(segment);
    case SegmentState::kAbsent:
    case SegmentState::kDraining:
      return;
  }
}

bool SegmentTable::LoadsFrom(const std::string& prepared_folder) const {
  const std::string within = prepared_folder.substr(prepared_folder.rfind('/') + 1) + "/";
  for (const auto& [id, segment] : segments_) {
    const bool will_read = segment->state == SegmentState::kReserved ||
                           segment->state == SegmentState::kLoading || !segment->waiters.empty();
    if (will_read && segment->plan.image->variant.folder.starts_with(within)) return true;
  }
  return false;
}

std::vector<const Segment*> SegmentTable::All() const {
  std::vector<const Segment*> all;
  for (const auto& [id, segment] : segments_) all.push_back(segment.get());
  return all;
}

size_t SegmentTable::loads_in_flight() const {
  size_t count = 0;
  for (const auto& [id, segment] : segments_) {
    count += segment->state == SegmentState::kReserved || segment->state == SegmentState::kLoading;
  }
  return count;
}

}  // namespace trims
