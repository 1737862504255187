// RunProgram: runs a short program and returns what it wrote to standard output.
#ifndef TRIMS_TOOLS_TRIMS_RUN_PROGRAM_H_
#define TRIMS_TOOLS_TRIMS_RUN_PROGRAM_H_

#include <chrono>
#include <string>
#include <vector>

#include "trims/status.h"

namespace trims::cli {

// `arguments[0]` is the program's path. Its standard input is empty and its standard error is
// dropped. At most 64 KiB of output are kept. FAILED_PRECONDITION: it exited non-zero;
// DEADLINE_EXCEEDED: it took longer than `limit` and was killed.
Result<std::string> RunProgram(const std::vector<std::string>& arguments,
                               std::chrono::milliseconds limit);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_RUN_PROGRAM_H_
