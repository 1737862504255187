#include "residency/quota.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/byte_size.h"
#include "base/bytes_text.h"
#include "base/macros.h"
#include "base/shown_name.h"

namespace trims {
namespace {

constexpr size_t kMostQuotas = 4096;
constexpr char kExample[] =
    "like team-a:bytes=8GiB,leases=100,loads=4,loads-per-minute=60,guaranteed=2GiB";

std::string InQuotes(std::string_view text) { return "'" + ShownName(text) + "'"; }

Status Bad(const std::string& why) {
  return Status(StatusCode::kInvalidArgument, "no quota: " + why, kExample);
}

bool FitsNamespace(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

Result<uint64_t> ParseCount(std::string_view text) {
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc() && end == text.data() + text.size()) return count;
  return Bad(InQuotes(text) + " is no number");
}

Status SetLimit(std::string_view name, std::string_view value, Quota* quota) {
  if (name == "bytes" || name == "guaranteed") {
    const Result<uint64_t> bytes = ParseByteSize(value);
    if (!bytes.ok()) return Bad(std::string(name) + ": " + bytes.status().message());
    (name == "bytes" ? quota->bytes : quota->guaranteed) = *bytes;
    return Status();
  }
  uint64_t* limit = name == "leases"             ? &quota->leases
                    : name == "loads"            ? &quota->loads
                    : name == "loads-per-minute" ? &quota->loads_per_minute
                                                 : nullptr;
  if (limit == nullptr) {
    return Bad("there is no " + InQuotes(name) +
               ": expected bytes, leases, loads, loads-per-minute and guaranteed");
  }
  TRIMS_ASSIGN_OR_RETURN(*limit, ParseCount(value));
  return Status();
}

}  // namespace

Result<NamedQuota> ParseQuota(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos)
    return Bad(InQuotes(text) + " has no ':' between a namespace and its limits");
  NamedQuota named{.name = std::string(text.substr(0, colon)), .quota = {}};
  const bool fits = !named.name.empty() && named.name.size() <= 128 &&
                    std::all_of(named.name.begin(), named.name.end(), FitsNamespace);
  if (!fits && named.name != "*") return Bad(InQuotes(named.name) + " is no namespace");
  text.remove_prefix(colon + 1);
  if (text.empty()) return Bad("it limits nothing");
  if (text.ends_with(',')) return Bad("it ends with a comma");
  std::set<std::string_view> given;
  while (!text.empty()) {
    const std::string_view limit = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), limit.size() + 1));
    const size_t equals = limit.find('=');
    if (equals == std::string_view::npos) return Bad(InQuotes(limit) + " has no '='");
    if (!given.insert(limit.substr(0, equals)).second)
      return Bad("it gives " + InQuotes(limit.substr(0, equals)) + " twice");
    TRIMS_RETURN_IF_ERROR(
        SetLimit(limit.substr(0, equals), limit.substr(equals + 1), &named.quota));
  }
  if (named.quota.guaranteed > named.quota.bytes) return Bad("more is guaranteed than allowed");
  return named;
}

Status ChangeQuota(std::string_view text, Quotas* quotas) {
  constexpr std::string_view kNone = ":none";
  if (text.ends_with(kNone)) {
    const std::string_view name = text.substr(0, text.size() - kNone.size());
    const auto found = quotas->find(name);
    if (found == quotas->end()) return Bad("namespace " + InQuotes(name) + " has none");
    quotas->erase(found);
    return Status();
  }
  TRIMS_ASSIGN_OR_RETURN(const NamedQuota named, ParseQuota(text));
  if (!quotas->contains(named.name) && quotas->size() >= kMostQuotas)
    return Bad(std::to_string(quotas->size()) + " namespaces have one already");
  (*quotas)[named.name] = named.quota;
  return Status();
}

uint64_t GuaranteedBy(const Quotas& quotas) {
  uint64_t bytes = 0;
  for (const auto& [name, quota] : quotas) {
    bytes += std::min(quota.guaranteed, Quota::kNoLimit - bytes);
  }
  return bytes;
}

Status CheckGuaranteed(const Quotas& quotas, uint64_t budget) {
  const uint64_t guaranteed = GuaranteedBy(quotas);
  if (guaranteed <= budget) return Status();
  return Status(
      StatusCode::kInvalidArgument,
      "quotas guarantee " + BytesText(guaranteed) + ", the host's budget is " + BytesText(budget),
      "guarantee less, or raise the budget: --host-budget, trims policy --budget SIZE");
}

}  // namespace trims
