// What the queries of all routes have in common.
//
// Thread-safety: pure functions.
#ifndef TRIMS_ADMIN_QUERY_H_
#define TRIMS_ADMIN_QUERY_H_

#include <string>
#include <string_view>

#include "trims/status.h"

#include "admin/message.h"

namespace trims::admin {

// `form` shows what a query of the route may be, and is the hint of each error: INVALID_ARGUMENT.
// Two opinions of what is meant, or an escape, which nothing that a query may name needs. `several`: what may stand more than once.
Status CheckQuery(const HttpRequest& request, const std::string& form,
                  std::string_view several = {});
// The route knows nothing of this.
Status NotInQuery(std::string_view name, std::string_view value, const std::string& form);

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_QUERY_H_
