// bench_function_plain and bench_function_trims: one function process, from start to exit.
//
//   bench_function_plain file|mapped PATH INPUTS [hold|serve|runs=N] [threads=N] [packing]
//                        [--spawned NS]
//   bench_function_plain ideal FD BYTES INPUTS …
//   bench_function_plain ideal named LAYOUT FD… INPUTS …
//   bench_function_trims trims SOCKET REFERENCE [TIER] INPUTS …
//
// Makes a session, runs one inference ("runs=N": N of them) and prints a hash of the outputs. With
// "hold" it then writes the line and waits until its standard input ends, so that its memory can be
// looked at. With "serve" it makes nothing and does what the lines of its standard input say
// (server.h). With "--spawned", CLOCK_MONOTONIC in ns when its parent started it, it prints a line
// of JSON with its phases and its answer instead (phases.h). The plain program is not linked to
// libtrims: the reference does not pay for loading it.

#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "base/macros.h"
#include "common/timing.h"
#include "function/inference.h"
#include "function/phases.h"
#include "function/server.h"
#include "function/sources.h"

namespace trims::bench {
namespace {

// The words after INPUTS.
struct Choices {
  bool hold = false;
  bool serve = false;
  int runs = 1;
  int threads = 1;
  bool packing = false;
  int64_t spawned_ns = 0;  // 0: phases are not asked for
};

// Takes one word off the end of the arguments; false if it is none of ours.
bool TakeChoice(const std::string& word, Choices& choices) {
  if (word == "hold") {
    choices.hold = true;
  } else if (word == "serve") {
    choices.serve = true;
  } else if (word == "packing") {
    choices.packing = true;
  } else if (word.starts_with("runs=")) {
    choices.runs = std::max(1, std::atoi(word.c_str() + 5));
  } else if (word.starts_with("threads=")) {
    choices.threads = std::max(1, std::atoi(word.c_str() + 8));
  } else {
    return false;
  }
  return true;
}

Result<Function> MakeFunction(const Place& place, const std::string& mode,
                              const std::vector<std::string>& arguments) {
  if (mode == "file") return FromFile(place, arguments);
  if (mode == "mapped") return FromMappedFile(place, arguments);
  if (mode == "ideal") return FromInherited(place, arguments);
#ifdef BENCH_WITH_TRIMS
  if (mode == "trims") return FromTrims(place, arguments);
#endif
  return Status(StatusCode::kInvalidArgument, "unknown mode '" + mode + "'");
}

void WaitForEndOfInput() {
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

Status RunToTheEnd(const Function& function, const std::vector<InputSpec>& inputs,
                   const Choices& choices, Phases& phases) {
  TRIMS_ASSIGN_OR_RETURN(Inference inference, Inference::Prepare(*function.session, inputs));
  for (int i = 1; i < choices.runs; ++i) inference.Run();
  const std::vector<Ort::Value> outputs = inference.Run();
  phases.End("inference");
  if (choices.spawned_ns > 0) {
    std::puts(phases.ToJson(outputs).c_str());
  } else {
    std::printf("%016" PRIx64 "\n", HashOutputs(outputs));
  }
  std::fflush(stdout);
  if (choices.hold) WaitForEndOfInput();
  return {};
}

// "--spawned NS" as the last words.
int64_t TakeSpawned(std::vector<std::string>& arguments) {
  if (arguments.size() < 2 || arguments[arguments.size() - 2] != "--spawned") return 0;
  const int64_t spawned = std::strtoll(arguments.back().c_str(), nullptr, 10);
  arguments.resize(arguments.size() - 2);
  return spawned;
}

Status Main(std::vector<std::string> arguments, int64_t main_ns) {
  Choices choices{.spawned_ns = TakeSpawned(arguments)};
  Phases phases(choices.spawned_ns);
  phases.End("process", main_ns);
  while (!arguments.empty() && TakeChoice(arguments.back(), choices)) arguments.pop_back();
  if (arguments.size() < 3)
    return Status(StatusCode::kInvalidArgument, "expected MODE … INPUTS [hold|serve|runs=N]");
  TRIMS_ASSIGN_OR_RETURN(const std::vector<InputSpec> inputs, ParseInputs(arguments.back()));
  const std::vector<std::string> middle(arguments.begin() + 1, arguments.end() - 1);
  const Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "bench");
  phases.End("runtime");
  const Place place{.env = &env, .threads = choices.threads, .packing = choices.packing};
  const auto make = [&] { return MakeFunction(place, arguments[0], middle); };
  if (choices.serve) return Serve(make, inputs, std::cin, std::cout);
  TRIMS_ASSIGN_OR_RETURN(const Function function, make());
  phases.End("load");
  return RunToTheEnd(function, inputs, choices, phases);
}

}  // namespace
}  // namespace trims::bench

int main(int argc, char** argv) {
  const int64_t main_ns = trims::bench::NowNs();
  try {
    const trims::Status status = trims::bench::Main({argv + 1, argv + argc}, main_ns);
    if (!status.ok()) std::fprintf(stderr, "%s: %s\n", argv[0], status.ToString().c_str());
    return status.ok() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: ONNX Runtime: %s\n", argv[0], error.what());
    return 1;
  }
}
