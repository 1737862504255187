// Gathers the facts that doctor_checks.h judges: reads /proc and /sys, tries system calls, runs
// trims-prepare. Changes nothing.
//
// Never fails: what can't be found out is said so in the facts.
#ifndef TRIMS_TOOLS_TRIMS_DOCTOR_GATHER_H_
#define TRIMS_TOOLS_TRIMS_DOCTOR_GATHER_H_

#include "tools/trims/context.h"
#include "tools/trims/doctor_facts.h"

namespace trims::cli {

DoctorFacts GatherFacts(const Globals& globals);

// The parts of it.
KernelFacts GatherKernel();
HugePageFacts GatherHugePages();
MemoryFacts GatherMemory();
SocketFacts GatherSocket(const Globals& globals, DataFacts* data);
ProgramFacts GatherPrograms();

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_DOCTOR_GATHER_H_
