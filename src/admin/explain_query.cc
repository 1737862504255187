#include "admin/explain_query.h"

#include "admin/query.h"
#include "base/macros.h"

namespace trims::admin {
namespace {

constexpr char kExplainForm[] =
    "/v1/explain?reference=NAME&tier=host&variant=tensors, the last two if wanted";

}  // namespace

Result<ExplainQuery> ExplainQueryOf(const HttpRequest& request) {
  TRIMS_RETURN_IF_ERROR(CheckQuery(request, kExplainForm));
  ExplainQuery query;
  for (const auto& [name, value] : request.query) {
    if (name == "reference") {
      query.reference = value;
    } else if (name == "tier") {
      query.options.tier = value;
    } else if (name == "variant") {
      TRIMS_ASSIGN_OR_RETURN(const Variant variant, VariantFromName(value));
      query.options.variants = {variant};
    } else {
      return NotInQuery(name, value, kExplainForm);
    }
  }
  if (!query.reference.empty()) return query;
  return Status(StatusCode::kInvalidArgument, "the query has no reference", kExplainForm);
}

}  // namespace trims::admin
