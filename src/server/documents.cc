#include "server/documents.h"

#include <string_view>
#include <utility>

#include "server/json_parts.h"

namespace trims {
namespace {

Json VariantJson(const VariantSnapshot& variant) {
  return {{"kind", VariantName(variant.kind)},
          {"key", variant.key},
          {"bytes", variant.bytes},
          {"extents", variant.extents},
          {"state", SegmentStateName(variant.state)},
          {"tier", variant.tier},
          {"leases", variant.leases},
          {"pinned", variant.pinned},
          {"granularity", GranularityName(variant.granularity)},
          {"own_bytes", variant.own_bytes}};
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

template <typename Policy>
Json PoliciesJson(std::span<const Policy> policies) {
  Json list = Json::array();
  for (const Policy& policy : policies) {
    list.push_back({{"name", policy.name}, {"summary", policy.summary}});
  }
  return list;
}

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
  Json sharers = Json::array();
  for (const SharerSnapshot& sharer : details.shared_with) {
    sharers.push_back({{"reference", sharer.reference},
                       {"kind", VariantName(sharer.kind)},
                       {"bytes", sharer.bytes}});
  }
  model["shared_with"] = std::move(sharers);
  model["keep_alive"] = details.keep_alive ? Json(KeepAliveText(*details.keep_alive)) : Json();
  if (!details.retired.empty()) model["retired"] = details.retired;
  return Dump(model);
}

std::string PolicyDocument(const TierSnapshot& tier) {
  Json quotas = Json::array();
  for (const auto& [name, quota] : tier.quotas) {
    quotas.push_back({{"namespace", name}, {"quota", QuotaJson(quota)}});
  }
  return Dump({{"tier", tier.name},
               {"budget_bytes", tier.budget_bytes},
               {"used_bytes", tier.used_bytes},
               {"reclaim", ReclaimText(tier.policy.reclaim)},
               {"quotas", std::move(quotas)},
               {"eviction_policy", tier.policy.eviction->name},
               {"admission", tier.policy.admission->name},
               {"eviction_policies", PoliciesJson(EvictionPolicies())},
               {"admissions", PoliciesJson(AdmissionPolicies())}});
}

std::string DiskPolicyDocument(const DiskSnapshot& disk) {
  return Dump({{"tier", "disk"},
               {"budget_bytes", disk.budget_bytes == 0 ? Json() : Json(disk.budget_bytes)},
               {"used_bytes", disk.used_bytes}});
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

std::string KeptAliveDocument(const KeptAlive& kept) {
  return Dump(
      {{"name", kept.name}, {"keep_alive", kept.kept ? Json(KeepAliveText(*kept.kept)) : Json()}});
}

std::string DrainDocument(const DrainSnapshot& drain) {
  return Dump({{"draining", drain.draining},
               {"leases", drain.leases},
               {"waiters", drain.waiters},
               {"holders", HoldersJson(drain.holders)}});
}

std::string AliasDocument(const Alias& alias) { return Dump(AliasJson(alias)); }

std::string AliasesDocument(const std::vector<Alias>& aliases) {
  Json list = Json::array();
  for (const Alias& alias : aliases) list.push_back(AliasJson(alias));
  return Dump({{"aliases", std::move(list)}});
}

}  // namespace trims
