#include "server/documents.h"

#include <unistd.h>

#include <ctime>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/byte_rate.h"
#include "wire/protocol.h"

namespace trims {
namespace {

using Json = nlohmann::ordered_json;

// File names may be any bytes; what is no UTF-8 is replaced, since an exception is the only other
// choice.
std::string Dump(const Json& document) {
  return document.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string Rfc3339(int64_t unix_seconds) {
  const auto seconds = static_cast<time_t>(unix_seconds);
  tm utc{};
  char text[32];
  if (::gmtime_r(&seconds, &utc) == nullptr) return "";
  return std::string(text, std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc));
}

Json VariantJson(const VariantSnapshot& variant) {
  return {{"kind", VariantName(variant.kind)},
          {"key", variant.key},
          {"bytes", variant.bytes},
          {"extents", variant.extents},
          {"state", SegmentStateName(variant.state)},
          {"tier", variant.tier},
          {"leases", variant.leases},
          {"pinned", variant.pinned}};
}

Json ModelJson(const ModelSnapshot& model) {
  Json variants = Json::array();
  for (const VariantSnapshot& variant : model.variants) variants.push_back(VariantJson(variant));
  return {{"reference", model.reference},
          {"name", model.name},
          {"version", model.version},
          {"newest", model.newest},
          {"digest", model.digest},
          {"format", model.format},
          {"source", model.source},
          {"source_bytes", model.source_bytes},
          {"added", Rfc3339(model.added_unix_seconds)},
          {"aliases", model.aliases},
          {"variants", std::move(variants)}};
}

Json ErrorJson(const Status& error) {
  return {
      {"code", StatusCodeName(error.code())}, {"message", error.message()}, {"hint", error.hint()}};
}

Json FailureJson(const SegmentSnapshot& segment) {
  Json json = ErrorJson(segment.error);
  json["retry_in_ms"] = segment.retry_in.count();
  return json;
}

Json LoadJson(const LoadProgress& load) {
  return {{"tier", load.tier},
          {"bytes_done", load.bytes_done},
          {"bytes_total", load.bytes_total},
          {"bytes_per_second", load.bytes_per_second},
          {"remaining_ms", load.remaining ? Json(load.remaining->count()) : Json()}};
}

Json SegmentJson(const SegmentSnapshot& segment) {
  Json json = {{"id", segment.id},
               {"tier", segment.tier},
               {"reference", segment.reference},
               {"digest", segment.digest},
               {"kind", VariantName(segment.kind)},
               {"key", segment.key},
               {"state", SegmentStateName(segment.state)},
               {"bytes", segment.bytes},
               {"bytes_loaded", segment.bytes_loaded},
               {"leases", segment.leases},
               {"opens", segment.opens},
               {"waiters", segment.waiters},
               {"pages", segment.pages ? PagesName(*segment.pages) : ""},
               {"idle_ms", segment.idle.count()},
               {"load_ms", segment.load_time.count() / 1000},
               {"removed", segment.removed},
               {"pinned", segment.pinned},
               {"leaving", segment.leaving},
               {"failures", segment.failures}};
  if (segment.load) json["load"] = LoadJson(*segment.load);
  if (segment.failures > 0) json["error"] = FailureJson(segment);
  return json;
}

Json TierJson(const TierSnapshot& tier) {
  return {{"name", tier.name},
          {"device", tier.device},
          {"budget_bytes", tier.budget_bytes},
          {"used_bytes", tier.used_bytes},
          {"leased_bytes", tier.use.leased},
          {"pinned_bytes", tier.use.pinned},
          {"idle_bytes", tier.use.idle},
          {"loading_bytes", tier.use.loading},
          {"draining_bytes", tier.use.draining},
          {"reclaim", ReclaimName(tier.policy.reclaim)},
          {"eviction_policy", tier.policy.eviction->name},
          {"admission", tier.policy.admission->name}};
}

template <typename Policy>
Json PoliciesJson(std::span<const Policy> policies) {
  Json list = Json::array();
  for (const Policy& policy : policies) {
    list.push_back({{"name", policy.name}, {"summary", policy.summary}});
  }
  return list;
}

Json CountersJson(const Counters& counters, const IngestCounters& ingest) {
  return {{"opens", counters.opens},
          {"hits", counters.hits},
          {"misses", counters.misses},
          {"joined", counters.joined},
          {"refused", counters.refused},
          {"deadline_exceeded", counters.deadline_exceeded},
          {"cancelled", counters.cancelled},
          {"loads", counters.loads},
          {"load_failures", counters.load_failures},
          {"load_ms", counters.load_us / 1000},
          {"bytes_loaded", counters.bytes_loaded},
          {"evictions", counters.evictions},
          {"bytes_evicted", counters.bytes_evicted},
          {"reclaimed", counters.reclaimed},
          {"adds", ingest.adds},
          {"add_failures", ingest.add_failures},
          {"removes", ingest.removes}};
}

// In the tiers' own order.
Json LatencyJson(const OpenLatencies& latencies) {
  Json series = Json::array();
  for (const OpenLatencies::Tier& tier : latencies.tiers()) {
    for (size_t end = 0; end < kOpenEndNames.size(); ++end) {
      const LatencyHistogram& histogram = tier.by_end[end];
      series.push_back({{"tier", tier.name},
                        {"outcome", kOpenEndNames[end]},
                        {"sum_ns", histogram.sum_ns()},
                        {"counts", histogram.counts()}});
    }
  }
  return {{"bounds_us", LatencyHistogram::kBoundsUs}, {"series", std::move(series)}};
}

Json ServerJson(const ServerSnapshot& server) {
  const ServerCounters& counters = server.counters;
  return {{"version", server.version},
          {"protocol", wire::kProtocolVersion},
          {"pid", ::getpid()},
          {"socket", server.socket_path},
          {"data", server.data_folder},
          {"read_engine", server.read_engine},
          {"uptime_ms", server.uptime.count()},
          {"connections", server.connections},
          {"max_connections", server.max_connections},
          {"max_connections_per_uid", server.max_connections_per_uid},
          {"requests_in_flight", server.requests_in_flight},
          {"accepted", counters.accepted},
          {"refused", counters.refused},
          {"requests", counters.requests},
          {"violations", counters.violations},
          {"dropped_silent", counters.dropped_silent},
          {"dropped_unread", counters.dropped_unread},
          {"replies_failed", counters.replies_failed}};
}

}  // namespace

std::string ListDocument(const std::vector<ModelSnapshot>& models) {
  Json list = Json::array();
  for (const ModelSnapshot& model : models) list.push_back(ModelJson(model));
  return Dump({{"models", std::move(list)}});
}

std::string ShowDocument(const ModelDetails& details) {
  Json model = ModelJson(details.model);
  Json files = Json::array();
  for (const ManifestFile& file : details.files) {
    files.push_back({{"name", file.name}, {"bytes", file.length}, {"sha256", file.sha256}});
  }
  model["files"] = std::move(files);
  model["sandbox"] = details.sandbox;
  model["notes"] = details.notes;
  if (!details.retired.empty()) model["retired"] = details.retired;
  return Dump(model);
}

std::string PolicyDocument(const TierSnapshot& tier) {
  return Dump({{"tier", tier.name},
               {"reclaim", ReclaimName(tier.policy.reclaim)},
               {"eviction_policy", tier.policy.eviction->name},
               {"admission", tier.policy.admission->name},
               {"eviction_policies", PoliciesJson(EvictionPolicies())},
               {"admissions", PoliciesJson(AdmissionPolicies())}});
}

std::string RemovedDocument(const std::vector<RemovedModel>& removed) {
  Json list = Json::array();
  for (const RemovedModel& model : removed) {
    list.push_back({{"reference", model.reference}, {"digest", model.digest}});
  }
  return Dump({{"removed", std::move(list)}});
}

std::string VerifiedDocument(const std::vector<VerifiedVariant>& verified) {
  Json list = Json::array();
  for (const VerifiedVariant& variant : verified) {
    Json json = {{"reference", variant.reference},
                 {"kind", VariantName(variant.kind)},
                 {"key", variant.key},
                 {"bytes", variant.bytes},
                 {"state", VerifiedStateName(variant.state)}};
    if (!variant.error.ok()) json["error"] = ErrorJson(variant.error);
    list.push_back(std::move(json));
  }
  return Dump({{"variants", std::move(list)}});
}

std::string PushedDocument(const PushedModel& pushed) {
  Json kinds = Json::array();
  for (const Variant kind : pushed.variants) kinds.push_back(VariantName(kind));
  return Dump({{"reference", pushed.reference},
               {"destination", pushed.destination},
               {"variants", std::move(kinds)},
               {"bytes", pushed.bytes}});
}

std::string ControlledDocument(const ControlledModel& model) {
  Json variants = Json::array();
  for (const ControlledVariant& variant : model.variants) {
    variants.push_back({{"kind", VariantName(variant.kind)},
                        {"key", variant.key},
                        {"bytes", variant.bytes},
                        {"state", SegmentStateName(variant.state)},
                        {"leases", variant.leases},
                        {"pinned", variant.pinned},
                        {"leaving", variant.leaving}});
  }
  return Dump(
      {{"reference", model.reference}, {"tier", model.tier}, {"variants", std::move(variants)}});
}

namespace {

Json HoldersJson(const std::vector<LeaseHolder>& held) {
  Json holders = Json::array();
  for (const LeaseHolder& holder : held) {
    holders.push_back({{"client", holder.client},
                       {"uid", holder.uid},
                       {"pid", holder.pid},
                       {"leases", holder.leases}});
  }
  return holders;
}

Json PlanJson(const OpenPlan& plan) {
  Json evicts = Json::array();
  for (const PlannedVictim& victim : plan.victims) {
    evicts.push_back({{"reference", victim.reference},
                      {"kind", VariantName(victim.kind)},
                      {"bytes", victim.bytes},
                      {"score", victim.score}});
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

std::string DrainDocument(const DrainSnapshot& drain) {
  return Dump({{"draining", drain.draining},
               {"leases", drain.leases},
               {"waiters", drain.waiters},
               {"holders", HoldersJson(drain.holders)}});
}

namespace {

Json AliasJson(const Alias& alias) {
  const auto target = [](const AliasTarget& meant) {
    return Json{{"reference", meant.ToString()},
                {"digest", meant.digest},
                {"moved", Rfc3339(meant.moved_unix_seconds)}};
  };
  Json json = {{"alias", alias.name.ToString()}};
  json.update(target(alias.target()));
  json["before"] = Json::array();
  for (size_t i = 1; i < alias.targets.size(); ++i) {
    json["before"].push_back(target(alias.targets[i]));
  }
  return json;
}

}  // namespace

std::string AliasDocument(const Alias& alias) { return Dump(AliasJson(alias)); }

std::string AliasesDocument(const std::vector<Alias>& aliases) {
  Json list = Json::array();
  for (const Alias& alias : aliases) list.push_back(AliasJson(alias));
  return Dump({{"aliases", std::move(list)}});
}

namespace {

Json DiskJson(const ManagerSnapshot& manager) {
  Json disk = {{"used_bytes", manager.prepared_bytes}, {"evictions", manager.disk_evictions}};
  disk["budget_bytes"] = manager.disk_budget == 0 ? Json(nullptr) : Json(manager.disk_budget);
  return disk;
}

}  // namespace

namespace {

std::string Rfc3339Micros(int64_t unix_us) {
  std::string text = Rfc3339(unix_us / 1'000'000);
  if (text.empty()) return text;
  const std::string micros = std::to_string(1'000'000 + unix_us % 1'000'000).substr(1);
  return text.substr(0, text.size() - 1) + "." + micros + "Z";
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
  text(event.alias.empty() ? "for" : "before", event.other);
  text("eviction_policy", event.policy);
  if (event.score) json["score"] = *event.score;
  const bool timed = IsOpen(event.kind) || event.kind == EventKind::kSegmentResident;
  if (timed) json["took_us"] = event.took.count();
  if (timed) json["queued_us"] = event.queued.count();
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

std::string EventsDocument(const EventBatch& batch) {
  Json events = Json::array();
  for (const Event& event : batch.events) events.push_back(EventJson(event));
  return Dump({{"events", std::move(events)},
               {"next", batch.next},
               {"opens_next", batch.opens_next},
               {"lost", batch.lost},
               {"opens_lost", batch.opens_lost}});
}

std::string StatusDocument(const ManagerSnapshot& manager, const ServerSnapshot& server) {
  Json tiers = Json::array();
  for (const TierSnapshot& tier : manager.tiers) tiers.push_back(TierJson(tier));
  Json segments = Json::array();
  for (const SegmentSnapshot& segment : manager.segments) segments.push_back(SegmentJson(segment));
  return Dump({{"host", tiers.front()},
               {"tiers", std::move(tiers)},
               {"prepared_bytes", manager.prepared_bytes},
               {"disk", DiskJson(manager)},
               {"models", manager.models},
               {"leases", manager.leases},
               {"loads_in_flight", manager.loads_in_flight},
               {"preparations_in_flight", manager.preparations_in_flight},
               {"waiters", manager.waiters},
               {"draining", manager.draining},
               {"segments", std::move(segments)},
               {"counters", CountersJson(manager.counters, manager.ingest)},
               {"open_latency", LatencyJson(server.open_latencies)},
               {"server", ServerJson(server)}});
}

}  // namespace trims
