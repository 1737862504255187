// bench_function_plain and bench_function_trims: one function process, from start to exit.
//
//   bench_function_plain file|mapped PATH INPUTS [hold]
//   bench_function_plain ideal FD BYTES INPUTS [hold]
//   bench_function_trims trims SOCKET REFERENCE INPUTS [hold]
//
// Makes a session, runs one inference and prints a hash of the outputs. With "hold" it then writes
// the line and waits until its standard input ends, so that its memory can be looked at. The plain
// program is not linked to libtrims: the reference does not pay for loading it.

#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <exception>
#include <span>
#include <string>

#include "base/macros.h"
#include "function/inference.h"
#include "function/sources.h"

namespace trims::bench {
namespace {

Result<Function> MakeFunction(const Ort::Env& env, const std::string& mode,
                              const std::vector<std::string>& arguments) {
  if (mode == "file") return FromFile(env, arguments);
  if (mode == "mapped") return FromMappedFile(env, arguments);
  if (mode == "ideal") return FromInherited(env, arguments);
#ifdef BENCH_WITH_TRIMS
  if (mode == "trims") return FromTrims(env, arguments);
#endif
  return Status(StatusCode::kInvalidArgument, "unknown mode '" + mode + "'");
}

void WaitForEndOfInput() {
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

Status Main(std::vector<std::string> arguments) {
  if (arguments.size() < 3)
    return Status(StatusCode::kInvalidArgument, "expected MODE … INPUTS [hold]");
  const bool hold = arguments.back() == "hold";
  if (hold) arguments.pop_back();
  TRIMS_ASSIGN_OR_RETURN(const std::vector<InputSpec> inputs, ParseInputs(arguments.back()));
  const std::vector<std::string> middle(arguments.begin() + 1, arguments.end() - 1);
  const Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "bench");
  TRIMS_ASSIGN_OR_RETURN(const Function function, MakeFunction(env, arguments[0], middle));
  TRIMS_ASSIGN_OR_RETURN(const uint64_t checksum, RunOnce(*function.session, inputs));
  std::printf("%016" PRIx64 "\n", checksum);
  std::fflush(stdout);
  if (hold) WaitForEndOfInput();
  return {};
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  try {
    const trims::Status status = trims::bench::Main({argv + 1, argv + argc});
    if (!status.ok()) std::fprintf(stderr, "%s: %s\n", argv[0], status.ToString().c_str());
    return status.ok() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: ONNX Runtime: %s\n", argv[0], error.what());
    return 1;
  }
}
