// Pages: the dashboard's files and the OpenAPI document, which are part of the program.
//
// Thread-safety: constants.
#ifndef TRIMS_ADMIN_PAGES_H_
#define TRIMS_ADMIN_PAGES_H_

#include <optional>
#include <string_view>

#include "admin/message.h"

namespace trims::admin {

// Nothing: no file of that path is part of the program.
std::optional<HttpResponse> PageAt(std::string_view path);

// Whether a path is served without a token: the dashboard's files and /healthz, which say nothing.
bool IsOpenPage(std::string_view path);

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_PAGES_H_
