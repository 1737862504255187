// The judgements of `trims doctor`: facts in, checks out. Pure.
#ifndef TRIMS_TOOLS_TRIMS_DOCTOR_CHECKS_H_
#define TRIMS_TOOLS_TRIMS_DOCTOR_CHECKS_H_

#include <string>
#include <string_view>
#include <vector>

#include "tools/trims/doctor_facts.h"

namespace trims::cli {

// kWarning: TrIMS works, but slower, or with less isolation, or not everything of it. kFailure: it
// does not work.
enum class CheckLevel { kOk, kWarning, kFailure };

// "ok", "warn", "fail".
std::string_view CheckLevelName(CheckLevel level);

struct Check {
  std::string id;  // stable, for scripts: "huge-pages"
  CheckLevel level = CheckLevel::kOk;
  std::string found;  // what was found, in a line
  std::string mend;   // the command or step that mends it; empty if there is nothing to mend
};

// All checks, always the same ones in the same order.
std::vector<Check> RunChecks(const DoctorFacts& facts);

// The parts of it.
std::vector<Check> CheckKernel(const KernelFacts& kernel);
std::vector<Check> CheckHugePages(const HugePageFacts& pages);
std::vector<Check> CheckMemory(const MemoryFacts& memory);
std::vector<Check> CheckSocket(const SocketFacts& socket);
Check CheckData(const DataFacts& data);
std::vector<Check> CheckPrograms(const ProgramFacts& programs);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_DOCTOR_CHECKS_H_
