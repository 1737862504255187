// ParsePolicyBody: what PUT /v1/policy changes, from its JSON: {"tier", "eviction_policy", "admission", "reclaim", "budget", "quota"}, each of them
// optional, and nothing else, so that a name that was mistyped is an error and not ignored.
//
// Thread-safety: a pure function.
#ifndef TRIMS_ADMIN_POLICY_BODY_H_
#define TRIMS_ADMIN_POLICY_BODY_H_

#include <string>

#include "trims/admin.h"
#include "trims/status.h"

namespace trims::admin {

Result<PolicyOptions> ParsePolicyBody(const std::string& body);

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_POLICY_BODY_H_
