#include "manager/documents.h"

#include <ctime>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "catalog/resolve.h"
#include "store/eviction_policy.h"

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

int64_t Milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

Json VariantJson(const Image& image, const SegmentTable& segments) {
  const Segment* segment = segments.FindByKey(image.key);
  const SegmentState state = segment == nullptr ? SegmentState::kAbsent : segment->state;
  return {{"kind", VariantName(image.kind)},  {"key", image.variant_key},
          {"bytes", image.footprint},         {"extents", image.variant.extents.size()},
          {"state", SegmentStateName(state)}, {"leases", segment == nullptr ? 0 : segment->leases}};
}

Json ModelJson(const CatalogEntry& entry, bool newest, const SegmentTable& segments) {
  Json variants = Json::array();
  for (const ImagePtr& image : entry.images) variants.push_back(VariantJson(*image, segments));
  return {{"reference", ReferenceOf(entry)},
          {"name", entry.name},
          {"version", entry.version},
          {"newest", newest},
          {"digest", entry.manifest.digest},
          {"format", entry.manifest.format},
          {"source", entry.manifest.source},
          {"source_bytes", entry.manifest.SourceBytes()},
          {"added", Rfc3339(entry.added_unix_seconds)},
          {"variants", std::move(variants)}};
}

bool IsNewest(const CatalogEntry& entry, const Catalog& catalog) {
  const Result<const CatalogEntry*> newest =
      catalog.Find({.name = entry.name, .version = {}, .digest = {}});
  return newest.ok() && (*newest)->version == entry.version;
}

Json FailureJson(const LoadFailure& failure, TimePoint now) {
  const Duration left = std::max(failure.retry_at - now, Duration::zero());
  return {{"code", StatusCodeName(failure.error.code())},
          {"message", failure.error.message()},
          {"hint", failure.error.hint()},
          {"retry_in_ms", Milliseconds(left)}};
}

std::string_view PagesOf(const Segment& segment) {
  if (!segment.bytes || segment.bytes->extents.empty()) return "";
  return PagesName(segment.bytes->extents.front().pages());
}

Json SegmentJson(const Segment& segment, TimePoint now) {
  const bool idle = segment.state == SegmentState::kResident && segment.leases == 0;
  Json json = {
      {"id", segment.id},           {"reference", segment.reference},
      {"digest", segment.digest},   {"kind", VariantName(segment.kind)},
      {"key", segment.variant_key}, {"state", SegmentStateName(segment.state)},
      {"bytes", segment.footprint}, {"leases", segment.leases},
      {"opens", segment.opens},     {"waiters", segment.waiters.size()},
      {"pages", PagesOf(segment)},  {"idle_ms", idle ? Milliseconds(now - segment.last_used) : 0},
      {"removed", segment.removed}, {"failures", segment.failure.in_a_row}};
  if (segment.failure.in_a_row > 0) json["error"] = FailureJson(segment.failure, now);
  return json;
}

Json HostJson(const StatusParts& parts) {
  const RoomUse use = parts.segments.Use();
  return {{"budget_bytes", parts.segments.budget().limit()},
          {"used_bytes", parts.segments.budget().used()},
          {"leased_bytes", use.leased},
          {"idle_bytes", use.idle},
          {"loading_bytes", use.loading},
          {"draining_bytes", use.draining},
          {"reclaim", parts.options.residency.reclaim == Reclaim::kEager ? "eager" : "lazy"},
          {"eviction_policy", parts.dependencies.eviction->name()}};
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
          {"bytes_loaded", counters.bytes_loaded},
          {"evictions", counters.evictions},
          {"bytes_evicted", counters.bytes_evicted},
          {"reclaimed", counters.reclaimed},
          {"adds", ingest.adds},
          {"add_failures", ingest.add_failures},
          {"removes", ingest.removes}};
}

}  // namespace

std::string ListOf(const Catalog& catalog, const SegmentTable& segments) {
  Json models = Json::array();
  std::string_view last;
  for (const CatalogEntry* entry : catalog.All()) {
    models.push_back(ModelJson(*entry, /*newest=*/entry->name != last, segments));
    last = entry->name;
  }
  return Dump({{"models", std::move(models)}});
}

std::string ShowOf(const CatalogEntry& entry, const Catalog& catalog,
                   const SegmentTable& segments) {
  Json model = ModelJson(entry, IsNewest(entry, catalog), segments);
  Json files = Json::array();
  for (const ManifestFile& file : entry.manifest.files) {
    files.push_back({{"name", file.name}, {"bytes", file.length}, {"sha256", file.sha256}});
  }
  model["files"] = std::move(files);
  model["sandbox"] = entry.manifest.sandbox;
  model["notes"] = entry.manifest.notes;
  return Dump(model);
}

std::string RemovedOf(const std::vector<RemovedModel>& removed) {
  Json list = Json::array();
  for (const RemovedModel& model : removed) {
    list.push_back({{"reference", model.reference}, {"digest", model.digest}});
  }
  return Dump({{"removed", std::move(list)}});
}

std::string StatusOf(const StatusParts& parts) {
  const TimePoint now = parts.dependencies.clock->Now();
  Json segments = Json::array();
  for (const Segment* segment : parts.segments.All())
    segments.push_back(SegmentJson(*segment, now));
  return Dump({{"host", HostJson(parts)},
               {"models", parts.dependencies.catalog->All().size()},
               {"leases", parts.segments.leases()},
               {"loads_in_flight", parts.segments.loads_in_flight()},
               {"preparations_in_flight", parts.preparations},
               {"waiters", parts.segments.waiters()},
               {"segments", std::move(segments)},
               {"counters", CountersJson(parts.counters, parts.ingest)}});
}

}  // namespace trims
