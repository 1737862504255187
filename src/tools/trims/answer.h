// Answer: what a command says of a document that the daemon gave.
//
//   TRIMS_ASSIGN_OR_RETURN(const std::string document, admin.Remove(reference));
//   return Answer(context, document, RenderRemoved);
#ifndef TRIMS_TOOLS_TRIMS_ANSWER_H_
#define TRIMS_TOOLS_TRIMS_ANSWER_H_

#include <functional>
#include <string>

#include "trims/status.h"

#include "tools/trims/context.h"
#include "tools/trims/document.h"

namespace trims::cli {

// With --json the document, else what `render` makes of it. The exit code; an error if it is no document.
Result<int> Answer(const Context& context, const std::string& document,
                   const std::function<std::string(const Json&)>& render);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_ANSWER_H_
