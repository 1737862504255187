// What is wrong with a command line, in one line, with the near command or option.
#ifndef TRIMS_TOOLS_TRIMS_USAGE_ERROR_H_
#define TRIMS_TOOLS_TRIMS_USAGE_ERROR_H_

#include <string>

#include "trims/status.h"

namespace CLI {
class App;
}

namespace trims::cli {

// INVALID_ARGUMENT for the first word of the parsed command line that nothing took; OK if all were.
Status UnknownArgument(const CLI::App& app);

// INVALID_ARGUMENT for what CLI11 complains about in `what`. A word that nothing took explains more
// and goes first.
Status UsageError(const CLI::App& app, const std::string& what);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_USAGE_ERROR_H_
