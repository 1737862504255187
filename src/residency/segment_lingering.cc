// What becomes of bytes that the tier has let go of: they are free, or they linger.
#include <utility>

#include "base/log.h"
#include "base/shown_name.h"
#include "residency/segment_table.h"

namespace trims {

void SegmentTable::Freed(uint64_t drain) {
  const Waiters::Turn turn(&waiters_);
  if (lingering_.erase(drain) > 0) return FillRoom();
  const Draining draining = std::move(draining_.extract(drain).mapped());
  dependencies_.timers->Cancel(draining.timer);
  Segment* segment = FindById(draining.segment);
  draining_bytes_ -= segment->footprint();
  segment->EndDrain().Release();
  segment->TakeCharge().Release();
  FillRoom();
  EndDrain(segment);
  MemoryCame(drain);
}

void SegmentTable::Kept(uint64_t drain, std::vector<MemoryId> memory) {
  const auto found = draining_.find(drain);
  if (found == draining_.end()) return;
  found->second.memory = std::move(memory);
  // Or whoever keeps descriptors could have more and more loaded meanwhile.
  FindById(found->second.segment)->CountKeptBytes();
  found->second.timer = dependencies_.timers->CallAfter(
      options_.linger_after, IfAlive([this, drain] { FindKeepers(drain); }));
}

void SegmentTable::FindKeepers(uint64_t drain) {
  Draining& draining = draining_.at(drain);
  draining.timer = 0;
  tier_->FindKeepers(draining.memory, IfAlive([this, drain](std::vector<MemoryKeeper> keepers) {
                       BeginLingering(drain, std::move(keepers));
                     }));
}

void SegmentTable::BeginLingering(uint64_t drain, std::vector<MemoryKeeper> keepers) {
  const auto found = draining_.find(drain);
  if (found == draining_.end()) return;  // free after all
  const Waiters::Turn turn(&waiters_);
  const Draining draining = std::move(draining_.extract(found).mapped());
  Segment* segment = FindById(draining.segment);
  draining_bytes_ -= segment->footprint();
  Lingering lingering{.image = segment->image_ptr(),
                      .room = {},
                      .charge = segment->TakeCharge(),
                      .since = dependencies_.clock->Now(),
                      .last_holders = segment->last_holders(),
                      .keepers = std::move(keepers)};
  lingering.room = segment->EndDrain();
  lingering.charge.SetLeaving(false);
  LogLingering(lingering);
  Tell(*segment, {.kind = EventKind::kSegmentLingers});
  lingering_.emplace(drain, std::move(lingering));
  KeepPromises();
  FillRoom();
  EndDrain(segment);
  MemoryCame(drain);
}

void SegmentTable::LogLingering(const Lingering& lingering) const {
  LogWarning("segment.lingers", {{"model", lingering.image->reference},
                                 {"variant", VariantName(lingering.image->kind)},
                                 {"tier", tier_name()},
                                 {"bytes", lingering.room.bytes()}});
  for (const MemoryKeeper& keeper : lingering.keepers) {
    LogWarning("segment.kept_by", {{"model", lingering.image->reference},
                                   {"tier", tier_name()},
                                   {"pid", keeper.pid},
                                   {"uid", keeper.uid},
                                   {"program", ShownName(keeper.program)}});
  }
}

std::vector<const Lingering*> SegmentTable::AllLingering() const {
  std::vector<const Lingering*> all;
  for (const auto& [drain, lingering] : lingering_) all.push_back(&lingering);
  return all;
}

}  // namespace trims
