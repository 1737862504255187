#include "admin/explain_query.h"

#include <set>
#include <string_view>

#include "base/macros.h"
#include "base/shown_name.h"

namespace trims::admin {
namespace {

Status BadExplain(const std::string& why) {
  return Status(StatusCode::kInvalidArgument, why,
                "/v1/explain?reference=NAME&tier=host&variant=tensors, the last two if wanted");
}

}  // namespace

Result<ExplainQuery> ExplainQueryOf(const HttpRequest& request) {
  ExplainQuery query;
  std::set<std::string_view> seen;
  for (const auto& [name, value] : request.query) {
    if (!seen.insert(name).second)
      return BadExplain("the query has '" + ShownName(name) + "' twice");
    if (value.find_first_of("%+") != std::string::npos)
      return BadExplain("the query has an escape, which nothing that it may name needs");
    if (name == "reference") {
      query.reference = value;
    } else if (name == "tier") {
      query.options.tier = value;
    } else if (name == "variant") {
      TRIMS_ASSIGN_OR_RETURN(const Variant variant, VariantFromName(value));
      query.options.variants = {variant};
    } else {
      return BadExplain("the query has '" + ShownName(name) + "=" + ShownName(value) + "'");
    }
  }
  if (query.reference.empty()) return BadExplain("the query has no reference");
  return query;
}

}  // namespace trims::admin
