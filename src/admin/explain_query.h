// ExplainQueryOf: what GET /v1/explain asks, from its query: reference, and, if wanted, tier and variant.
//
// Thread-safety: a pure function.
#ifndef TRIMS_ADMIN_EXPLAIN_QUERY_H_
#define TRIMS_ADMIN_EXPLAIN_QUERY_H_

#include <string>

#include "trims/admin.h"
#include "trims/status.h"

#include "admin/message.h"

namespace trims::admin {

struct ExplainQuery {
  std::string reference;
  ResidentOptions options;
};

// INVALID_ARGUMENT: there is no reference, or something else, or an escape, which none of these needs.
Result<ExplainQuery> ExplainQueryOf(const HttpRequest& request);

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_EXPLAIN_QUERY_H_
