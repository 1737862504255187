#include "store/admission_policy.h"

#include <string>

#include "base/named_rows.h"

namespace trims {
namespace {

bool AdmitAll(const EvictionCandidate&, std::span<const EvictionCandidate>) { return true; }

// Whoever takes the room only of those that were not admitted takes their place, too: else of a row of
// models that come once each second one would be admitted.
bool TinyLfuAdmits(const EvictionCandidate& newcomer, std::span<const EvictionCandidate> victims) {
  bool pushes_out = false;
  double together = kNeverUsed;
  for (const EvictionCandidate& victim : victims) {
    if (!victim.admitted) continue;
    pushes_out = true;
    together = AddFrequencies(together, victim.frequency);
  }
  return pushes_out && newcomer.frequency > together;
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

std::string AdmissionPolicyNames() { return NamesOf(AdmissionPolicies()); }

Result<const AdmissionPolicy*> FindAdmissionPolicy(std::string_view name) {
  return FindNamed(AdmissionPolicies(), name, "admission policy");
}

}  // namespace trims
