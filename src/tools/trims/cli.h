// RunTrims: the whole program behind main(): reads the command line, runs one command, returns the
// exit code.
#ifndef TRIMS_TOOLS_TRIMS_CLI_H_
#define TRIMS_TOOLS_TRIMS_CLI_H_

#include <string>
#include <vector>

#include "tools/trims/context.h"

namespace trims::cli {

// `arguments` without the program's name. Never throws; every mistake becomes an error as
// ReportError() writes it.
int RunTrims(const std::vector<std::string>& arguments, const Terminal& terminal);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_CLI_H_
