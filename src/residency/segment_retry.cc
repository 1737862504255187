// A tier without memory for what its budget had room for: others go by the policy, and the load is tried once more.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes_text.h"
#include "base/log.h"
#include "residency/segment_table.h"

namespace trims {

// Whether others go for it. The budget does not say how much is missing, so it is as much as the load takes.
bool SegmentTable::MakeMemory(Segment* segment, const Status& why) {
  if (retries_.contains(segment->id())) return false;
  const std::vector<Victim> victims =
      evictor_.Choose(std::min(segment->footprint(), evictor_.bytes()), Sparing(segment->image()));
  if (victims.empty()) return false;
  Retry& retry = retries_[segment->id()];
  for (const Victim& chosen : victims) {
    Segment* victim = FindById(chosen.segment);
    if (victim == nullptr || !victim->MayGo()) continue;
    retry.evicted_bytes += victim->footprint();
    ++retry.evicted;
    retry.drains.insert(EvictOne(victim, chosen.rank, "memory", segment->image().reference));
  }
  LogWarning("segment.out_of_memory", {{"model", segment->image().reference},
                                       {"variant", VariantName(segment->image().kind)},
                                       {"tier", tier_name()},
                                       {"evicted_bytes", retry.evicted_bytes},
                                       {"error", why}});
  return true;
}

// Once the last of those that went for a load is free, or is known to linger.
void SegmentTable::MemoryCame(uint64_t drain) {
  std::vector<uint64_t> ready;
  for (auto& [id, retry] : retries_) {
    if (retry.drains.erase(drain) > 0 && retry.drains.empty()) ready.push_back(id);
  }
  for (const uint64_t id : ready) {
    Segment* segment = FindById(id);
    // Somebody may have opened it anew, after all who waited had given up.
    if (segment->state() != SegmentState::kFailed) continue;
    StartAnew(segment, segment->image_ptr(), segment->TakePin());
  }
}

bool SegmentTable::WaitsForMemory(const Segment& segment) const {
  const auto found = retries_.find(segment.id());
  return found != retries_.end() && !found->second.drains.empty();
}

Status SegmentTable::OutOfMemory(const Segment& segment, const Status& why) const {
  const auto found = retries_.find(segment.id());
  const Retry tried = found == retries_.end() ? Retry() : found->second;
  std::string message = "model '" + segment.image().reference + "' (" +
                        std::string(VariantName(segment.image().kind)) + ") takes " +
                        BytesText(segment.footprint()) + ", and tier '" + std::string(tier_name()) +
                        "' has room for it by its budget (" + BytesText(budget().used()) + " of " +
                        BytesText(budget().limit()) + " in use), but no memory: " + why.message();
  message += tried.evicted == 0
                 ? "; nothing could go for it"
                 : "; " + std::to_string(tried.evicted) + " models (" +
                       BytesText(tried.evicted_bytes) + ") went for it, and it was tried once more";
  return Status(why.code(), message,
                "stop what else takes the device's memory, close models that are in use, or lower "
                "--device-budget");
}

}  // namespace trims
