// What an open would come to: by the functions that open, and without their effects.
#include <utility>

#include "residency/segment_table.h"

namespace trims {

OpenPlan SegmentTable::Plan(const ImagePtr& wanted) const {
  const Image& image = *wanted;
  OpenPlan plan{.tier = std::string(tier_name()),
                .key = image.key,
                .bytes = FootprintOf(image),
                .reload_time = evictor_.ReloadTimeOf(image.key),
                .eviction_policy = policy().eviction->name};
  if (const Segment* segment = FindByKey(image.key)) {
    plan.state = segment->state();
    plan.leases = segment->leases();
    plan.waiters = WaitersOf(*segment);
    plan.pinned = segment->pinned();
    if (plan.state == SegmentState::kResident) plan.reload_time = segment->use().reload_time;
    plan.refused = BackingOff(*segment, wanted);
  }
  if (plan.refused.ok()) plan.refused = ledger_.CheckLease(image.reference);
  const bool comes = plan.state == SegmentState::kReserved || plan.state == SegmentState::kLoading;
  if (comes) plan.load = ProgressOf(*FindByKey(image.key));
  // What drains is admitted once it is gone; what is there or comes needs no room.
  if (comes || plan.state == SegmentState::kResident || !plan.refused.ok()) return plan;
  plan.refused = ledger_.CheckLoad(image.reference, plan.bytes, dependencies_.clock->Now());
  if (!plan.refused.ok()) return plan;
  const Result<Leavers> leavers = ChooseLeavers(image);
  if (!leavers.ok()) {
    plan.refused = leavers.status();
    return plan;
  }
  const auto goes = [&](const std::vector<Victim>& victims, std::string_view reason) {
    for (const Victim& chosen : victims) {
      const Segment& victim = *segments_.at(chosen.segment);
      plan.victims.push_back({.reference = victim.image().reference,
                              .kind = victim.image().kind,
                              .bytes = victim.footprint(),
                              .score = chosen.rank,
                              .reason = reason});
    }
  };
  goes(leavers->over_quota, "quota");
  goes(leavers->for_room, "room");
  return plan;
}

}  // namespace trims
