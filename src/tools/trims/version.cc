#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "tools/trims/command.h"
#include "tools/trims/exit_codes.h"
#include "wire/protocol.h"

namespace trims::cli {
namespace {

Result<int> RunVersion(const Context& context) {
  if (context.globals.json) {
    context.PrintDocument(
        nlohmann::ordered_json{{"version", TRIMS_VERSION}, {"protocol", wire::kProtocolVersion}}
            .dump());
  } else {
    context.out() << VersionLine() << '\n';
  }
  return kExitOk;
}

}  // namespace

std::string VersionLine() {
  return std::string("trims ") + TRIMS_VERSION + " (protocol " +
         std::to_string(wire::kProtocolVersion) + ")";
}

Command MakeVersionCommand(CLI::App* root) {
  CLI::App* app = root->add_subcommand("version", "Print the version of this program");
  return {app, RunVersion};
}

}  // namespace trims::cli
