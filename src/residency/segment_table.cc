#include "residency/segment_table.h"

#include <algorithm>
#include <utility>

namespace trims {
namespace {

// A piece is known as long as all that it is brought from.
bool IsAmong(const std::set<std::string_view>& keys, const Image& image) {
  if (image.from == nullptr) return keys.contains(image.key);
  return std::ranges::all_of(PartsOf(image.from),
                             [&](const ImagePtr& part) { return keys.contains(part->key); });
}

}  // namespace

SegmentTable::SegmentTable(const ResidencyOptions& options,
                           const ResidencyDependencies& dependencies, Counters* counters)
    : options_(options),
      dependencies_(dependencies),
      tier_(dependencies.tier),
      counters_(counters),
      ledger_(options.quotas, std::string(dependencies.tier->name())),
      room_queue_(&dependencies.tier->budget()),
      evictor_(options.policy),
      forms_({.granule = dependencies.tier->granule()}),
      waiters_(dependencies.clock, dependencies.timers, counters) {}

SegmentTable::~SegmentTable() {
  std::exchange(gatherings_, {}).clear();  // which ends leases of this table's
  alive_.reset();
  dependencies_.timers->Cancel(due_timer_);
  waiters_.Silence();
  beneath_.clear();
  copy_holds_.clear();
  for (auto& [id, segment] : segments_) {
    segment->CancelFill();
    // What a tier above still copies from, its fill frees.
    const std::shared_ptr<ResidentBytes> bytes = segment->TakeBytesAtEnd();
    if (bytes.use_count() == 1) tier_->Release(std::move(*bytes), {.freed = [] {}});
  }
}

Segment* SegmentTable::FindById(uint64_t id) {
  const auto found = segments_.find(id);
  return found == segments_.end() ? nullptr : found->second.get();
}

const Segment* SegmentTable::FindByKey(const std::string& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

Segment* SegmentTable::FindOrMake(const ImagePtr& image) {
  const auto found = by_key_.find(image->key);
  if (found != by_key_.end()) return found->second;
  auto segment = std::make_unique<Segment>(++last_segment_, image, tier_->FootprintOf(*image));
  Segment* made = segment.get();
  made->set_pinned(pinned_.contains(made->key()));
  made->set_keep_alive(KeepAliveOf(made->key()));
  made->set_held_for_above(held_for_above_.contains(made->key()));
  by_key_.emplace(made->key(), made);
  segments_.emplace(made->id(), std::move(segment));
  return made;
}

void SegmentTable::Forget(Segment* segment) {
  if (segment->state() == SegmentState::kFailed) segment->GiveUp();
  segment->RequireAbsent();
  retries_.erase(segment->id());
  by_key_.erase(segment->key());
  segments_.erase(segment->id());
}

PreparedStore::Pin SegmentTable::PinOf(const Image& image) const {
  if (dependencies_.prepared == nullptr) return {};
  return dependencies_.prepared->PinFolder(image.variant.folder);
}

void SegmentTable::Tell(const Segment& segment, Event event) const {
  if (dependencies_.events == nullptr) return;
  event.model = segment.image().reference;
  event.variant = VariantName(segment.image().kind);
  event.tier = tier_name();
  event.bytes = segment.footprint();
  dependencies_.events->Record(std::move(event));
}

void SegmentTable::KeepOnly(const std::set<std::string_view>& keys) {
  const Waiters::Turn turn(&waiters_);
  std::vector<uint64_t> gone;
  for (auto& [id, segment] : segments_) {
    segment->set_removed(!IsAmong(keys, segment->image()));
    if (segment->removed()) gone.push_back(id);
  }
  for (const uint64_t id : gone) {
    if (Segment* segment = FindById(id)) DropRemoved(segment);
  }
}

void SegmentTable::DropRemoved(Segment* segment) {
  if (segment->leases() > 0 || WaitersOf(*segment) > 0) return;
  switch (segment->state()) {
    case SegmentState::kResident:
      return LetGo(segment);
    case SegmentState::kLoading:
      return segment->CancelFill();
    case SegmentState::kReserved:
      room_queue_.Erase(segment->id());
      segment->Fail();
      Forget(segment);
      return FillRoom();
    case SegmentState::kFailed:
      return Forget(segment);
    case SegmentState::kAbsent:
    case SegmentState::kDraining:
      return;
  }
}

std::vector<const Segment*> SegmentTable::All() const {
  std::vector<const Segment*> all;
  for (const auto& [id, segment] : segments_) all.push_back(segment.get());
  return all;
}

size_t SegmentTable::loads_in_flight() const {
  size_t count = 0;
  for (const auto& [id, segment] : segments_) {
    count += Comes(segment->state()) || WaitsForMemory(*segment);
  }
  return count;
}

}  // namespace trims
