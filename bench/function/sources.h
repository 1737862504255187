// Where a session of bench_function comes from: one function a mode.
#ifndef TRIMS_BENCH_FUNCTION_SOURCES_H_
#define TRIMS_BENCH_FUNCTION_SOURCES_H_

#include <onnxruntime_cxx_api.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trims/status.h"

namespace trims::bench {

// A session and whatever must live as long as it does.
struct Function {
  std::shared_ptr<void> holder;
  Ort::Session* session = nullptr;
};

// What is common to all modes.
struct Place {
  const Ort::Env* env = nullptr;
  int threads = 1;  // intra-op
  bool packing =
      false;  // of what is prepared: as the adapter does where the model's metadata says so
};

// file PATH: ONNX Runtime alone, its defaults, from the original model's path.
Result<Function> FromFile(const Place& place, const std::vector<std::string>& arguments);
// mapped PATH: ONNX Runtime alone, mapping a prepared .ort file itself.
Result<Function> FromMappedFile(const Place& place, const std::vector<std::string>& arguments);
// ideal FD BYTES: the prepared bytes for nothing: an inherited descriptor of them, mapped, and the
// same session options as TrIMS's adapter gives them.
Result<Function> FromInherited(const Place& place, const std::vector<std::string>& arguments);
// ideal named LAYOUT FD…: likewise of the named form, the extents' descriptors and one of a document
// {"graph": [offset, bytes], "tensors": [[name, shape, offset, bytes, type], …]}.
Result<Function> FromInheritedTensors(const Place& place,
                                      const std::vector<std::string>& arguments);
// trims SOCKET REFERENCE [TIER]: through the adapter, from the host's memory if no tier is named.
// Only in bench_function_trims.
Result<Function> FromTrims(const Place& place, const std::vector<std::string>& arguments);

}  // namespace trims::bench

#endif  // TRIMS_BENCH_FUNCTION_SOURCES_H_
