// One inference on made-up input: what every mode of bench_function ends with.
//
//   TRIMS_ASSIGN_OR_RETURN(std::vector<InputSpec> inputs, ParseInputs("x=1x3x48x320"));
//   TRIMS_ASSIGN_OR_RETURN(uint64_t checksum, RunOnce(session, inputs));
#ifndef TRIMS_BENCH_FUNCTION_INFERENCE_H_
#define TRIMS_BENCH_FUNCTION_INFERENCE_H_

#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <string>
#include <vector>

#include "trims/status.h"

namespace trims::bench {

struct InputSpec {
  std::string name;
  std::vector<int64_t> shape;  // empty: a scalar
};

// "x=1x3x48x320;sr=": inputs, each with its shape; none for a scalar.
Result<std::vector<InputSpec>> ParseInputs(const std::string& text);

// Runs the session once. Float inputs hold numbers of a fixed sequence in [0, 1), int64 ones 16000
// (the only one there is, silero's sample rate). The answer is an FNV-1a hash of the bytes of all
// outputs: equal for two runs only if they gave the same bits.
Result<uint64_t> RunOnce(Ort::Session& session, const std::vector<InputSpec>& inputs);

}  // namespace trims::bench

#endif  // TRIMS_BENCH_FUNCTION_INFERENCE_H_
