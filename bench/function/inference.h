// Inferences on made-up input: what every mode of bench_function ends with.
//
//   TRIMS_ASSIGN_OR_RETURN(std::vector<InputSpec> inputs, ParseInputs("x=1x3x48x320"));
//   TRIMS_ASSIGN_OR_RETURN(Inference inference, Inference::Prepare(session, inputs));
//   const uint64_t checksum = HashOutputs(inference.Run());
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

// The session's inputs, made once, and its outputs' names: what each run of a warm function has
// already. Float inputs hold numbers of a fixed sequence in [0, 1), int64 ones 16000 (the only one
// there is, silero's sample rate). The session must outlive it.
class Inference {
 public:
  static Result<Inference> Prepare(Ort::Session& session, const std::vector<InputSpec>& specs);

  std::vector<Ort::Value> Run();

 private:
  struct Input {  // one input's elements and the value that looks at them
    std::vector<float> floats;
    std::vector<int64_t> integers;
  };
  static Result<Ort::Value> MakeInput(const InputSpec& spec, ONNXTensorElementDataType type,
                                      Input& elements);

  Ort::Session* session_ = nullptr;
  std::vector<Input> elements_;
  std::vector<Ort::Value> values_;
  std::vector<std::string> input_names_;
  std::vector<std::string> output_names_;
};

// An FNV-1a hash of the bytes of all outputs: equal for two runs only if they gave the same bits.
uint64_t HashOutputs(const std::vector<Ort::Value>& outputs);

}  // namespace trims::bench

#endif  // TRIMS_BENCH_FUNCTION_INFERENCE_H_
