#include "residency/room_texts.h"

#include <algorithm>
#include <set>

#include "base/bytes_text.h"

namespace trims {
namespace {

constexpr size_t kHoldersShown = 3;

std::string Holding(const Segment& segment) {
  std::string text = segment.image().reference + " (" + BytesText(segment.footprint());
  if (segment.leases() > 0) text += ", leases: " + std::to_string(segment.leases());
  if (segment.pinned()) text += ", pinned";
  if (segment.held_for_above()) text += ", held for its copy on a device";
  return text + ")";
}

// Those that can't go, the largest first.
std::string LargestHolders(std::vector<const Segment*> segments) {
  std::erase_if(segments, [](const Segment* segment) {
    return segment->state() != SegmentState::kResident || segment->MayGo();
  });
  std::stable_sort(segments.begin(), segments.end(), [](const Segment* a, const Segment* b) {
    return a->footprint() > b->footprint();
  });
  std::string text;
  for (size_t i = 0; i < std::min(segments.size(), kHoldersShown); ++i) {
    text += (text.empty() ? "; held: " : ", ") + Holding(*segments[i]);
  }
  if (segments.size() > kHoldersShown) text += ", …";
  return text;
}

// Who keeps what lingers, as far as somebody is known.
std::string KeptBy(const std::vector<const Lingering*>& lingering) {
  std::set<int64_t> pids;
  for (const Lingering* kept : lingering) {
    for (const MemoryKeeper& keeper : kept->keepers) pids.insert(keeper.pid);
    if (!kept->keepers.empty()) continue;
    for (const auto& holder : kept->last_holders) pids.insert(holder->pid);
  }
  std::string text;
  size_t shown = 0;
  for (const int64_t pid : pids) {
    if (++shown > kHoldersShown) return text + ", …)";
    text += (text.empty() ? " (pid " : ", pid ") + std::to_string(pid);
  }
  return text.empty() ? text : text + ")";
}

// What the policy passes over, and why.
std::string SparedText(const RoomTaken& taken) {
  std::string text;
  if (taken.churn_guard.count() > 0) {
    text += "what was used in the last " + std::to_string(taken.churn_guard.count()) +
            " ms (--churn-guard)";
  }
  if (taken.has_quotas) {
    text += text.empty() ? "" : " and ";
    text += "what is guaranteed to other namespaces (--quota)";
  }
  return text.empty() ? text : ": it spares " + text;
}

// Waiting helps where the guard spares what nobody holds.
std::string WhatToDo(const RoomNeed& need, const RoomTaken& taken) {
  std::string text;
  if (taken.use.idle > 0 && taken.churn_guard.count() > 0) {
    text = "open it again in " + std::to_string(taken.churn_guard.count()) + " ms, ";
  }
  text += "close models that are in use (trims status shows them), ";
  if (taken.use.pinned > 0) text += "unpin some, ";
  return text + "or " + need.how_to_raise;
}

std::string InUse(const RoomNeed& need, const RoomTaken& taken) {
  const RoomUse& use = taken.use;
  std::string text = BytesText(use.leased) + " are in use by " + std::to_string(taken.leases) +
                     " leases, " + BytesText(use.loading + use.waiting) +
                     " by loads on their way, " + BytesText(use.draining) + " are being freed";
  if (taken.used > need.limit) {
    text += ", and " + BytesText(taken.used - need.limit) +
            " are in use beyond its budget, which was lowered";
  }
  if (use.lingering > 0) {
    text += ", " + BytesText(use.lingering) + " linger, since programs still map them" +
            KeptBy(taken.lingering);
  }
  if (use.pinned > 0) text += ", " + BytesText(use.pinned) + " are pinned";
  return text;
}

}  // namespace

Status TooLargeFor(const RoomNeed& need) {
  return Status(StatusCode::kTooLarge,
                "model '" + need.reference + "' (" + std::string(VariantName(need.kind)) +
                    ") takes " + BytesText(need.bytes) + ", the budget of tier '" + need.tier +
                    "' is " + BytesText(need.limit),
                need.how_to_raise);
}

Status NoRoomFor(const RoomNeed& need, const RoomTaken& taken) {
  std::string message = "no room for model '" + need.reference + "' (" +
                        std::string(VariantName(need.kind)) + ") in tier '" + need.tier +
                        "': it takes " + BytesText(need.bytes) + " of " + BytesText(need.limit) +
                        "; " + InUse(need, taken);
  if (taken.use.idle > 0) {
    message += ", " + BytesText(taken.use.idle) + " are idle, of which policy '" +
               std::string(taken.policy) + "' gives up too little" + SparedText(taken);
  }
  message += LargestHolders(taken.segments);
  return Status(StatusCode::kResourceExhausted, message, WhatToDo(need, taken));
}

}  // namespace trims
