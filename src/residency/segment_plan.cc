// What an open would come to: by the functions that open, and without their effects.
#include <utility>

#include "residency/segment_table.h"

namespace trims {

OpenPlan SegmentTable::Plan(const ImagePtr& of) const {
  const ImagePtr& wanted = FormOf(of);
  if (!wanted->parts.empty()) return PlanParts(wanted);
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
  if (Comes(plan.state)) plan.load = ProgressOf(*FindByKey(image.key));
  // What drains is admitted once it is gone.
  if (IsThereOrComes(plan.state) || !plan.refused.ok()) return plan;
  plan.missing_bytes = plan.bytes;
  plan.refused = ledger_.CheckLoad(image.reference, plan.bytes, dependencies_.clock->Now());
  if (!plan.refused.ok()) return plan;
  PlanRoom(image, &plan);
  return plan;
}

void SegmentTable::PlanRoom(const Image& image, OpenPlan* plan) const {
  const Result<Leavers> leavers = ChooseLeavers(image);
  if (!leavers.ok()) {
    plan->refused = leavers.status();
    return;
  }
  const auto goes = [&](const std::vector<Victim>& victims, std::string_view reason) {
    for (const Victim& chosen : victims) {
      const Segment& victim = *segments_.at(chosen.segment);
      plan->victims.push_back({.reference = victim.image().reference,
                               .kind = victim.image().kind,
                               .bytes = victim.footprint(),
                               .score = chosen.rank,
                               .reason = reason});
    }
  };
  goes(leavers->over_quota, "quota");
  goes(leavers->for_room, "room");
}

// Of the parts together: there once all of them are, on its way as far as the last. What is idle of it would be leased first, and
// might be named among those that go.
OpenPlan SegmentTable::PlanParts(const ImagePtr& wanted) const {
  OpenPlan plan{.tier = std::string(tier_name()),
                .key = wanted->key,
                .state = SegmentState::kResident,
                .bytes = wanted->footprint,
                .pinned = true,
                .eviction_policy = policy().eviction->name};
  plan.refused = CheckPutsTogether(*wanted);
  Image missing = *wanted;
  missing.footprint = 0;
  for (const ImagePtr& part : wanted->parts) {
    const Segment* segment = FindByKey(part->key);
    const SegmentState state = segment == nullptr ? SegmentState::kAbsent : segment->state();
    plan.pinned = plan.pinned && segment != nullptr && segment->pinned();
    if (segment != nullptr && plan.refused.ok()) plan.refused = BackingOff(*segment, part);
    if (state == SegmentState::kResident) continue;
    plan.reload_time += evictor_.ReloadTimeOf(part->key);
    if (!Comes(state)) missing.footprint += FootprintOf(*part);
    plan.state = Comes(state) && missing.footprint == 0 ? state : SegmentState::kAbsent;
  }
  if (const Segment* own = FindByKey(wanted->parts.front()->key)) plan.leases = own->leases();
  if (plan.refused.ok()) plan.refused = ledger_.CheckLease(wanted->reference);
  if (plan.state != SegmentState::kResident && missing.footprint == 0) {
    plan.load = ProgressOfParts(*wanted);
  }
  plan.missing_bytes = missing.footprint;
  if (!plan.refused.ok() || missing.footprint == 0) return plan;
  plan.refused =
      ledger_.CheckLoad(wanted->reference, missing.footprint, dependencies_.clock->Now());
  if (plan.refused.ok()) PlanRoom(missing, &plan);
  return plan;
}

}  // namespace trims
