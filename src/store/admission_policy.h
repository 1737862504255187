// Admission policies: whether a newcomer may push out those that the eviction policy names for it.
//
// The newcomer is served in any case, so it needs its room in any case, and its victims go. What
// admission decides is its place afterwards: one that is not admitted goes next, before all that
// are, and whoever takes only its room takes its place, so that a row of models that come once passes
// through the room of one. Opened again while it is there, it counts as admitted. Rejected: freeing it with its last lease, which would leave its
// room empty until the next miss.
//
// Pure, as eviction policies are, and in front of any of them. Thread-safety: values.
#ifndef TRIMS_STORE_ADMISSION_POLICY_H_
#define TRIMS_STORE_ADMISSION_POLICY_H_

#include <span>
#include <string>
#include <string_view>

#include "trims/status.h"

#include "store/eviction_policy.h"

namespace trims {

struct AdmissionPolicy {
  std::string_view name;     // of --admission, status and docs
  std::string_view summary;  // the same sentence in the docs
  // Of `newcomer` the frequency counts this open, too.
  bool (*admits)(const EvictionCandidate& newcomer, std::span<const EvictionCandidate> victims);
};

std::span<const AdmissionPolicy> AdmissionPolicies();
const AdmissionPolicy* DefaultAdmissionPolicy();
// INVALID_ARGUMENT names those there are.
Result<const AdmissionPolicy*> FindAdmissionPolicy(std::string_view name);
std::string AdmissionPolicyNames();  // "all, tinylfu"

}  // namespace trims

#endif  // TRIMS_STORE_ADMISSION_POLICY_H_
