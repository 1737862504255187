#include <vector>

#include <CLI/CLI.hpp>

#include "tools/trims/command.h"
#include "tools/trims/doctor_checks.h"
#include "tools/trims/doctor_gather.h"
#include "tools/trims/doctor_report.h"

namespace trims::cli {
namespace {

Result<int> RunDoctor(const Context& context) {
  const std::vector<Check> checks = RunChecks(GatherFacts(context.globals));
  if (context.globals.json) {
    context.PrintDocument(ChecksDocument(checks));
  } else {
    context.out() << RenderChecks(checks, context);
  }
  return ChecksExitCode(checks);
}

}  // namespace

Command MakeDoctorCommand(CLI::App* root) {
  return {root->add_subcommand(
              "doctor", "Check this machine, and say what mends what is wrong; needs no daemon"),
          RunDoctor};
}

}  // namespace trims::cli
