#include <string>
#include <vector>

#include "tools/trims/cli.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return trims::cli::RunTrims(arguments, trims::cli::ProcessTerminal());
}
