#include "admin/policy_body.h"

#include "admin/json_fields.h"
#include "base/shown_name.h"

namespace trims::admin {
namespace {

constexpr char kExample[] = R"({"eviction_policy": "lru", "reclaim": "lazy"})";

Status BadBody(const std::string& why) {
  return Status(StatusCode::kInvalidArgument, "the body " + why, kExample);
}

// nullptr: there is no such wish.
std::string* WishOf(const std::string& name, PolicyOptions* options) {
  if (name == "tier") return &options->tier;
  if (name == "eviction_policy") return &options->eviction;
  if (name == "admission") return &options->admission;
  if (name == "reclaim") return &options->reclaim;
  if (name == "budget") return &options->budget;
  if (name == "quota") return &options->quota;
  return nullptr;
}

}  // namespace

Result<PolicyOptions> ParsePolicyBody(const std::string& body) {
  const Json json = ParseJson(body);
  if (!json.is_object()) return BadBody("is no JSON object");
  PolicyOptions options;
  for (const auto& [name, value] : json.items()) {
    std::string* wish = WishOf(name, &options);
    if (wish == nullptr)
      return BadBody("has '" + ShownName(name) +
                     "': expected tier, eviction_policy, admission, reclaim, budget and quota");
    if (!value.is_string() || value.get_ref<const std::string&>().empty())
      return BadBody("has a '" + name + "' that is no text");
    *wish = value.get<std::string>();
  }
  if (options.eviction.empty() && options.admission.empty() && options.reclaim.empty() &&
      options.budget.empty() && options.quota.empty())
    return BadBody("changes nothing");
  return options;
}

}  // namespace trims::admin
