// What the demo's functions have in common: command line, loading with or without TrIMS, timing,
// one line of JSON.
//
//   NAME --trims REFERENCE… | --file PATH… | --prepared PATH…   --input PATH [--labels PATH]
//        [--threads N] [--tier NAME] [--spawned NS] [--hold]
//
// --trims: a session over the MRM's memory, with --tier in that tier (sim:0, whose memory a processor can read). --file: the
// framework alone, its default session from the model's file.
// --prepared: a session over a mapped file that is prepared already (what the `ort` variant holds),
// without the MRM.
// --spawned: CLOCK_MONOTONIC, in ns, when the parent started this process. --hold: after the
// answer, stay until standard input ends, so that the parent can look at the memory of many
// functions at once.
//
// Prints {"result": …, "mode": …, "pages": …, "hit": …, "phases_ms": {"process", "runtime", "load",
// "inference"}, "total_ms"}.
#ifndef TRIMS_DEMO_FUNCTION_H_
#define TRIMS_DEMO_FUNCTION_H_

#include <onnxruntime_cxx_api.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "trims/status.h"

namespace trims::demo {

enum class Mode { kTrims, kFile, kPrepared };

struct Arguments {
  Mode mode = Mode::kFile;
  std::vector<std::string> models;
  std::string input;
  std::string labels;
  std::string tier;  // empty: the host's memory
  int threads = 1;
  int64_t spawned_ns = 0;  // 0: unknown
  bool hold = false;
};

// The function's own work: what it says about `input`, with a session for each model, in the order
// of the command line.
using Work = std::function<Result<std::string>(const Arguments&, std::span<Ort::Session* const>)>;

// main() of a function that needs `model_count` models. The exit status is 0, 1 (it failed) or 2 (a
// bad command line).
int RunFunction(int argc, char** argv, size_t model_count, const Work& work);

}  // namespace trims::demo

#endif  // TRIMS_DEMO_FUNCTION_H_
