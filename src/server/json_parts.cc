#include "server/json_parts.h"

#include <ctime>

namespace trims {

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

Json ErrorJson(const Status& error) {
  return {
      {"code", StatusCodeName(error.code())}, {"message", error.message()}, {"hint", error.hint()}};
}

Json QuotaJson(const Quota& quota) {
  const auto limit = [](uint64_t value) { return value == Quota::kNoLimit ? Json() : Json(value); };
  return {{"bytes", limit(quota.bytes)},
          {"leases", limit(quota.leases)},
          {"loads", limit(quota.loads)},
          {"loads_per_minute", limit(quota.loads_per_minute)},
          {"guaranteed", quota.guaranteed}};
}

Json LoadJson(const LoadProgress& load) {
  return {{"tier", load.tier},
          {"bytes_done", load.bytes_done},
          {"bytes_total", load.bytes_total},
          {"bytes_per_second", load.bytes_per_second},
          {"remaining_ms", load.remaining ? Json(load.remaining->count()) : Json()}};
}

Json HoldersJson(const std::vector<LeaseHolder>& holders) {
  Json list = Json::array();
  for (const LeaseHolder& holder : holders) {
    list.push_back({{"client", holder.client},
                    {"uid", holder.uid},
                    {"pid", holder.pid},
                    {"leases", holder.leases},
                    {"from_before", holder.from_before}});
  }
  return list;
}

}  // namespace trims
