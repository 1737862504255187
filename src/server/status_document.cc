#include <unistd.h>

#include <utility>

#include "server/documents.h"
#include "server/json_parts.h"
#include "wire/protocol.h"

namespace trims {
namespace {

Json FailureJson(const SegmentSnapshot& segment) {
  Json json = ErrorJson(segment.error);
  json["retry_in_ms"] = segment.retry_in.count();
  return json;
}

Json LingeringJson(const LingeringSnapshot& lingering) {
  Json keepers = Json::array();
  for (const MemoryKeeper& keeper : lingering.keepers) {
    keepers.push_back({{"program", keeper.program},
                       {"uid", keeper.uid},
                       {"pid", keeper.pid},
                       {"maps", keeper.maps}});
  }
  Json last = Json::array();
  for (const Holder& holder : lingering.last_holders) {
    last.push_back({{"client", holder.client}, {"uid", holder.uid}, {"pid", holder.pid}});
  }
  return {{"tier", lingering.tier},        {"reference", lingering.reference},
          {"digest", lingering.digest},    {"kind", VariantName(lingering.kind)},
          {"bytes", lingering.bytes},      {"lingering_ms", lingering.since.count()},
          {"kept_by", std::move(keepers)}, {"last_leased_by", std::move(last)}};
}

Json NamespaceJson(const NamespaceSnapshot& each) {
  return {{"tier", each.tier},
          {"namespace", each.name},
          {"bytes", each.use.bytes},
          {"leases", each.use.leases},
          {"loads_in_flight", each.use.loads},
          {"refused", each.use.refused},
          {"quota", QuotaJson(each.use.quota)}};
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
               {"held_for_copy", segment.held_for_copy},
               {"leaving", segment.leaving},
               {"taken_over", segment.taken_over},
               {"piece", segment.piece},
               {"keep_alive", KeepAliveText(segment.keep_alive)},
               {"goes_in_ms", segment.goes_in ? Json(segment.goes_in->count()) : Json()},
               {"held_from_before", segment.held_from_before},
               {"failures", segment.failures}};
  if (segment.load) json["load"] = LoadJson(*segment.load);
  if (!segment.holders.empty()) json["holders"] = HoldersJson(segment.holders);
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
          {"lingering_bytes", tier.use.lingering},
          {"saved_bytes", tier.saved_bytes},
          {"wasted_bytes", tier.wasted_bytes},
          {"reclaim", ReclaimText(tier.policy.reclaim)},
          {"eviction_policy", tier.policy.eviction->name},
          {"admission", tier.policy.admission->name},
          {"host_copy", tier.host_copy ? Json(HostCopyName(*tier.host_copy)) : Json()}};
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
          {"taken_over", counters.taken_over},
          {"bytes_taken_over", counters.bytes_taken_over},
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
          {"keeper", server.keeper},
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

Json DiskJson(const ManagerSnapshot& manager) {
  Json disk = {{"used_bytes", manager.prepared_bytes}, {"evictions", manager.disk_evictions}};
  disk["unfinished"] = {{"fetches", manager.disk_unfinished.fetches},
                        {"bytes", manager.disk_unfinished.bytes}};
  disk["budget_bytes"] = manager.disk_budget == 0 ? Json(nullptr) : Json(manager.disk_budget);
  return disk;
}

Json PressureJson(const PressureSnapshot& pressure, const std::string& file) {
  return {{"file", file.empty() ? Json() : Json(file)},
          {"events", pressure.events},
          {"bytes_given_up", pressure.bytes_given_up}};
}

}  // namespace

std::string StatusDocument(const ManagerSnapshot& manager, const ServerSnapshot& server) {
  Json tiers = Json::array();
  for (const TierSnapshot& tier : manager.tiers) tiers.push_back(TierJson(tier));
  Json segments = Json::array();
  for (const SegmentSnapshot& segment : manager.segments) segments.push_back(SegmentJson(segment));
  Json lingering = Json::array();
  for (const LingeringSnapshot& each : manager.lingering) lingering.push_back(LingeringJson(each));
  Json namespaces = Json::array();
  for (const NamespaceSnapshot& each : manager.namespaces)
    namespaces.push_back(NamespaceJson(each));
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
               {"pressure", PressureJson(manager.pressure, server.pressure_file)},
               {"keeper", manager.keeper},
               {"segments", std::move(segments)},
               {"lingering", std::move(lingering)},
               {"namespaces", std::move(namespaces)},
               {"counters", CountersJson(manager.counters, manager.ingest)},
               {"open_latency", LatencyJson(server.open_latencies)},
               {"server", ServerJson(server)}});
}

}  // namespace trims
