// What is done, and what an open would come to.
#include <string_view>
#include <utility>

#include "base/byte_rate.h"
#include "server/documents.h"
#include "server/json_parts.h"

namespace trims {
namespace {

Json PlanJson(const OpenPlan& plan) {
  Json evicts = Json::array();
  for (const PlannedVictim& victim : plan.victims) {
    evicts.push_back({{"reference", victim.reference},
                      {"kind", VariantName(victim.kind)},
                      {"bytes", victim.bytes},
                      {"score", victim.score},
                      {"reason", victim.reason}});
  }
  Json json = {{"tier", plan.tier},
               {"state", SegmentStateName(plan.state)},
               {"bytes", plan.bytes},
               {"leases", plan.leases},
               {"waiters", plan.waiters},
               {"pinned", plan.pinned},
               {"reload_us", plan.reload_time.count() / 1000},
               {"eviction_policy", plan.eviction_policy},
               {"evicts", std::move(evicts)}};
  if (plan.load) json["load"] = LoadJson(*plan.load);
  if (!plan.refused.ok()) json["refused"] = ErrorJson(plan.refused);
  return json;
}

std::string Rfc3339Micros(int64_t unix_us) {
  std::string text = Rfc3339(unix_us / 1'000'000);
  if (text.empty()) return text;
  const std::string micros = std::to_string(1'000'000 + unix_us % 1'000'000).substr(1);
  return text.substr(0, text.size() - 1) + "." + micros + "Z";
}

const char* NameOfOther(EventKind kind) {
  switch (kind) {
    case EventKind::kModelKeepAlive:
      return "keep_alive";
    case EventKind::kQuotaChanged:
      return "quota";
    case EventKind::kPolicyChanged:
      return "reclaim";
    case EventKind::kAliasMoved:
    case EventKind::kAliasDeleted:
      return "before";
    default:
      return "for";
  }
}

// What a kind is not about is left out.
Json EventJson(const Event& event) {
  Json json = {{"sequence", event.sequence},
               {"time", Rfc3339Micros(event.unix_us)},
               {"kind", EventKindName(event.kind)}};
  const auto text = [&](const char* name, std::string_view value) {
    if (!value.empty()) json[name] = value;
  };
  const auto number = [&](const char* name, int64_t value) {
    if (value != 0) json[name] = value;
  };
  text("alias", event.alias);
  text("model", event.model);
  text("variant", event.variant);
  text("tier", event.tier);
  number("bytes", static_cast<int64_t>(event.bytes));
  text("reason", event.reason);
  text(NameOfOther(event.kind), event.other);
  text("eviction_policy", event.policy);
  text("admission", event.admission);
  if (event.score) json["score"] = *event.score;
  const bool timed = event.began_us.has_value();
  if (timed) json["began_us"] = *event.began_us;
  if (timed) json["queued_us"] = event.queued.count();
  if (timed && IsOpen(event.kind)) json["ready_us"] = event.ready.count();
  if (timed) json["took_us"] = event.took.count();
  number("hashing_us", event.hashing.count());
  number("load", static_cast<int64_t>(event.load));
  number("load_beneath", static_cast<int64_t>(event.beneath));
  if (event.beneath_under_way) json["load_beneath_under_way"] = true;
  text("traceparent", event.traceparent);
  if (event.kind == EventKind::kSegmentResident) {
    json["bytes_per_second"] = BytesPerSecond(event.bytes, event.took);
  }
  if (event.pid != 0) {
    json["client"] = event.client;
    json["uid"] = event.uid;
    json["pid"] = event.pid;
  }
  number("leases", static_cast<int64_t>(event.leases));
  if (!event.error.ok()) json["error"] = ErrorJson(event.error);
  return json;
}

}  // namespace

std::string ExplainedDocument(const ExplainedOpen& open) {
  Json tiers = Json::array();
  for (const OpenPlan& plan : open.plans) tiers.push_back(PlanJson(plan));
  Json json = {{"reference", open.reference},
               {"kind", VariantName(open.kind)},
               {"key", open.key},
               {"tier", open.plans.front().tier},
               {"served_from", open.served_from},
               {"moves_bytes", open.moves_bytes},
               {"estimate_us", open.estimate ? Json(open.estimate->count()) : Json()},
               {"estimate_from", open.estimate_from},
               {"tiers", std::move(tiers)},
               {"holders", HoldersJson(open.holders)}};
  if (!open.refused.ok()) json["refused"] = ErrorJson(open.refused);
  return Dump(json);
}

std::string EventsDocument(const EventBatch& batch) {
  Json events = Json::array();
  for (const Event& event : batch.events) events.push_back(EventJson(event));
  return Dump({{"events", std::move(events)},
               {"next", batch.next},
               {"opens_next", batch.opens_next},
               {"lost", batch.lost},
               {"opens_lost", batch.opens_lost}});
}

}  // namespace trims
