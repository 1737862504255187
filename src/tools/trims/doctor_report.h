// What `trims doctor` prints. Pure.
#ifndef TRIMS_TOOLS_TRIMS_DOCTOR_REPORT_H_
#define TRIMS_TOOLS_TRIMS_DOCTOR_REPORT_H_

#include <span>
#include <string>

#include "tools/trims/context.h"
#include "tools/trims/doctor_checks.h"

namespace trims::cli {

// One line a check, the way to mend it below, and a sum at the end.
std::string RenderChecks(std::span<const Check> checks, const Context& context);

// {"checks":[{"id","level","found","mend"}],"ok":n,"warnings":n,"failures":n}
std::string ChecksDocument(std::span<const Check> checks);

// 1 if a check failed, else 0.
int ChecksExitCode(std::span<const Check> checks);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_DOCTOR_REPORT_H_
