#include "events/event.h"

#include <array>

namespace trims {
namespace {

constexpr std::array<std::string_view, kEventKinds> kEventKindNames = {
    "segment.loading",  "segment.resident",  "segment.load_failed", "segment.load_cancelled",
    "segment.evicted",  "segment.reclaimed", "segment.lingers",     "model.added",
    "model.add_failed", "model.removed",     "model.retired",       "model.pinned",
    "model.unpinned",   "model.keep_alive",  "alias.moved",         "alias.deleted",
    "policy.changed",   "budget.changed",    "quota.changed",       "pressure.relieved",
    "drain.begun",      "drain.ended",       "leases.ended",        "open.hit",
    "open.joined",      "open.miss",         "open.failed",
};

}  // namespace

std::string_view EventKindName(EventKind kind) {
  return kEventKindNames[static_cast<size_t>(kind)];
}

}  // namespace trims
