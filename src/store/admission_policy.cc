#include "store/admission_policy.h"

#include <string>

namespace trims {
namespace {

bool AdmitAll(const EvictionCandidate&, std::span<const EvictionCandidate>) { return true; }

// Those that were not admitted themselves hold nobody off.
bool TinyLfuAdmits(const EvictionCandidate& newcomer, std::span<const EvictionCandidate> victims) {
  double together = kNeverUsed;
  for (const EvictionCandidate& victim : victims) {
    if (victim.admitted) together = AddFrequencies(together, victim.frequency);
  }
  return newcomer.frequency > together;
}

constexpr AdmissionPolicy kAdmissions[] = {
    {"all", "every newcomer is admitted", AdmitAll},
    {"tinylfu",
     "a newcomer that is used less often than those that go for it, taken together, goes next",
     TinyLfuAdmits},
};

}  // namespace

std::span<const AdmissionPolicy> AdmissionPolicies() { return kAdmissions; }

const AdmissionPolicy* DefaultAdmissionPolicy() { return &kAdmissions[0]; }

std::string AdmissionPolicyNames() {
  std::string names;
  for (const AdmissionPolicy& policy : kAdmissions) {
    if (!names.empty()) names += ", ";
    names += policy.name;
  }
  return names;
}

Result<const AdmissionPolicy*> FindAdmissionPolicy(std::string_view name) {
  for (const AdmissionPolicy& policy : kAdmissions) {
    if (policy.name == name) return &policy;
  }
  return Status(StatusCode::kInvalidArgument,
                "there is no admission policy '" + std::string(name) + "'",
                "use one of " + AdmissionPolicyNames());
}

}  // namespace trims
