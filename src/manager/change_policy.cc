#include "manager/change_policy.h"

#include <optional>
#include <string>

#include "base/byte_size.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/mapping.h"
#include "ingest/check_operator.h"
#include "manager/take_snapshot.h"
#include "residency/quota.h"

namespace trims {
namespace {

Result<TierPolicy> PolicyOf(const PolicyWishes& wishes, TierPolicy policy) {
  if (!wishes.eviction.empty()) {
    TRIMS_ASSIGN_OR_RETURN(policy.eviction, FindEvictionPolicy(wishes.eviction));
  }
  if (!wishes.admission.empty()) {
    TRIMS_ASSIGN_OR_RETURN(policy.admission, FindAdmissionPolicy(wishes.admission));
  }
  if (!wishes.reclaim.empty()) {
    TRIMS_ASSIGN_OR_RETURN(policy.reclaim, ParseReclaim(wishes.reclaim));
  }
  return policy;
}

// As it is, where nothing else is wished.
Result<uint64_t> BudgetOf(const PolicyWishes& wishes, const SegmentTable& table) {
  if (wishes.budget.empty()) return table.budget().limit();
  TRIMS_ASSIGN_OR_RETURN(const uint64_t budget, ParseBudget(wishes.budget, table.capacity()));
  if (table.device().empty() || budget <= table.capacity()) return budget;
  return Status(StatusCode::kInvalidArgument,
                std::to_string(budget) + " bytes, but device " + std::string(table.device()) +
                    " has " + std::to_string(table.capacity()),
                "a share fits every device: 80%");
}

bool Asks(const PolicyWishes& wishes) {
  return wishes.eviction.empty() && wishes.admission.empty() && wishes.reclaim.empty() &&
         wishes.budget.empty() && wishes.quota.empty();
}

// The quotas with that change; none where nothing is wished.
// `budget`: of the host, from now on.
Result<std::optional<Quotas>> QuotasOf(const PolicyWishes& wishes, const Tiers& tiers,
                                       uint64_t budget) {
  if (wishes.quota.empty()) return std::optional<Quotas>();
  if (!wishes.tier.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  "a quota holds in every tier, '" + std::string(wishes.tier) + "' was named",
                  "trims policy --quota '" + std::string(wishes.quota) + "'");
  }
  const Quotas& before = tiers.front()->ledger().quotas();
  Quotas quotas = before;
  TRIMS_RETURN_IF_ERROR(ChangeQuota(wishes.quota, &quotas));
  // A budget that was lowered since guarantees less than was said: what doesn't make it worse may change.
  if (GuaranteedBy(quotas) > GuaranteedBy(before))
    TRIMS_RETURN_IF_ERROR(CheckGuaranteed(quotas, budget));
  return std::optional(std::move(quotas));
}

void SetPolicy(const TierPolicy& policy, SegmentTable* table, EventSink* events) {
  if (policy == table->policy()) return;
  LogInfo("policy.changed", {{"tier", table->tier_name()},
                             {"reclaim", ReclaimText(policy.reclaim)},
                             {"eviction", policy.eviction->name},
                             {"admission", policy.admission->name}});
  // Before what goes because of it is told.
  events->Record({.kind = EventKind::kPolicyChanged,
                  .tier = table->tier_name(),
                  .other = ReclaimText(policy.reclaim),
                  .policy = policy.eviction->name,
                  .admission = policy.admission->name});
  table->SetPolicy(policy);
}

void SetBudget(uint64_t budget, SegmentTable* table, EventSink* events) {
  if (budget == table->budget().limit()) return;
  LogInfo("budget.changed", {{"tier", table->tier_name()},
                             {"bytes", budget},
                             {"before", table->budget().limit()},
                             {"used", table->budget().used()}});
  events->Record({.kind = EventKind::kBudgetChanged, .tier = table->tier_name(), .bytes = budget});
  table->SetBudget(budget);
}

void SetQuotas(const std::optional<Quotas>& quotas, std::string_view change, const Tiers& tiers,
               EventSink* events) {
  if (!quotas || *quotas == tiers.front()->ledger().quotas()) return;
  LogInfo("quota.changed", {{"quota", change}});
  events->Record({.kind = EventKind::kQuotaChanged, .other = std::string(change)});
  for (const auto& tier : tiers) tier->SetQuotas(*quotas);
}

}  // namespace

Result<uint64_t> ParseBudget(std::string_view text, uint64_t capacity) {
  Result<uint64_t> budget = ParseByteSize(text, capacity);
  if (!budget.ok() || *budget >= kPageSize) return budget;
  return Status(StatusCode::kInvalidArgument,
                "a budget of " + std::to_string(*budget) + " bytes holds no model",
                "say its unit: 8GiB, 50%");
}

Result<TierSnapshot> ChangePolicy(const wire::Principal& principal, const PolicyWishes& wishes,
                                  const Tiers& tiers, EventSink* events) {
  if (!Asks(wishes)) TRIMS_RETURN_IF_ERROR(CheckOperator(principal));
  TRIMS_ASSIGN_OR_RETURN(SegmentTable* const table, FindTier(wishes.tier, tiers));
  TRIMS_ASSIGN_OR_RETURN(const TierPolicy policy, PolicyOf(wishes, table->policy()));
  TRIMS_ASSIGN_OR_RETURN(const uint64_t budget, BudgetOf(wishes, *table));
  TRIMS_ASSIGN_OR_RETURN(const std::optional<Quotas> quotas, QuotasOf(wishes, tiers, budget));
  SetPolicy(policy, table, events);
  SetBudget(budget, table, events);
  SetQuotas(quotas, wishes.quota, tiers, events);
  return SnapshotOf(*table);
}

}  // namespace trims
