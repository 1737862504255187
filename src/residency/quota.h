// Quota: what one namespace may take of a tier. A model's namespace is what stands before the '/' of its reference;
// "default" where nothing does.
//
//   TRIMS_ASSIGN_OR_RETURN(const NamedQuota quota, ParseQuota("team-a:bytes=8GiB,leases=100"));
//
// Thread-safety: values and pure functions.
#ifndef TRIMS_RESIDENCY_QUOTA_H_
#define TRIMS_RESIDENCY_QUOTA_H_

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>

#include "trims/status.h"

#include "base/clock.h"

namespace trims {

struct Quota {
  static constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

  uint64_t bytes = kNoLimit;             // resident or loading, of what was loaded for it
  uint64_t leases = kNoLimit;            // held or waited for
  uint64_t loads = kNoLimit;             // in flight
  uint64_t loads_per_minute = kNoLimit;  // that begin
  uint64_t guaranteed = 0;               // bytes that other namespaces' loads leave it

  friend bool operator==(const Quota&, const Quota&) = default;
};

struct NamedQuota {
  std::string name;  // of the namespace; "*": of each that has none of its own
  Quota quota;
};

using Quotas = std::map<std::string, Quota, std::less<>>;  // by namespace; none: nothing is limited

// "team-a:bytes=8GiB,leases=100,loads=4,loads-per-minute=60,guaranteed=2GiB", each but the name optional.
// INVALID_ARGUMENT says what is wrong and what is expected.
Result<NamedQuota> ParseQuota(std::string_view text);

// What ParseQuota reads replaces that namespace's quota; "team-a:none" takes it away. INVALID_ARGUMENT: nothing is changed.
Status ChangeQuota(std::string_view text, Quotas* quotas);

// Bytes together; what '*' guarantees to each that comes can't be added up, and counts once.
uint64_t GuaranteedBy(const Quotas& quotas);
// INVALID_ARGUMENT: more is guaranteed together than `budget`.
Status CheckGuaranteed(const Quotas& quotas, uint64_t budget);

// Of "team-a/ocr:3".
constexpr std::string_view NamespaceOf(std::string_view reference) {
  const size_t slash = reference.find('/');
  return slash == std::string_view::npos ? "default" : reference.substr(0, slash);
}

// How many loads may begin, where `left` could at `then` and `per_minute` more can each minute.
constexpr double LoadsLeft(double left, TimePoint then, TimePoint now, uint64_t per_minute) {
  const double minutes = std::chrono::duration<double>(now - then).count() / 60;
  const double most = static_cast<double>(per_minute);
  const double grown = left + minutes * most;
  return grown < most ? grown : most;
}

// Whether `bytes` of a namespace that has `resident` may go for another namespace's load.
constexpr bool LeavesGuaranteed(uint64_t resident, uint64_t bytes, uint64_t guaranteed) {
  return resident >= bytes && resident - bytes >= guaranteed;
}

// Whether what was used then is too recent to go for a newcomer; with a guard of zero nothing is.
constexpr bool UsedMomentsAgo(TimePoint last_used, TimePoint now, Duration guard) {
  return guard > Duration::zero() && now - last_used < guard;
}

}  // namespace trims

#endif  // TRIMS_RESIDENCY_QUOTA_H_
