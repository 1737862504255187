#include "admin/query.h"

#include <set>

#include "base/shown_name.h"

namespace trims::admin {

Status CheckQuery(const HttpRequest& request, const std::string& form, std::string_view several) {
  std::set<std::string_view> seen;
  for (const auto& [name, value] : request.query) {
    if (!seen.insert(name).second && name != several) {
      return Status(StatusCode::kInvalidArgument, "the query has '" + ShownName(name) + "' twice",
                    form);
    }
    if (value.find_first_of("%+") != std::string::npos) {
      return Status(StatusCode::kInvalidArgument,
                    "the query has an escape, which nothing that it may name needs", form);
    }
  }
  return Status();
}

Status NotInQuery(std::string_view name, std::string_view value, const std::string& form) {
  return Status(StatusCode::kInvalidArgument,
                "the query has '" + ShownName(name) + "=" + ShownName(value) + "'", form);
}

}  // namespace trims::admin
