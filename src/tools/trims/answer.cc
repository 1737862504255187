#include "tools/trims/answer.h"

#include "base/macros.h"
#include "tools/trims/exit_codes.h"

namespace trims::cli {

Result<int> Answer(const Context& context, const std::string& document,
                   const std::function<std::string(const Json&)>& render) {
  if (context.globals.json) {
    context.PrintDocument(document);
    return kExitOk;
  }
  TRIMS_ASSIGN_OR_RETURN(const Json parsed, ParseDocument(document));
  context.out() << render(parsed);
  return kExitOk;
}

}  // namespace trims::cli
