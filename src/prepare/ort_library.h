// OrtLibrary: ONNX Runtime's shared library, loaded at run time, so that preparing other formats
// needs none.
//
// The C interface is used and not the C++ one: it reports by value and throws nothing. Holding a
// library costs its mapping; it is never unloaded, since its threads and statics do not survive
// that. Thread-safety: as ONNX Runtime's own.
//
//   TRIMS_ASSIGN_OR_RETURN(const OrtLibrary ort, OrtLibrary::Load(path));
//   TRIMS_RETURN_IF_ERROR(ort.Optimise({.model = …, .out = …}));
#ifndef TRIMS_PREPARE_ORT_LIBRARY_H_
#define TRIMS_PREPARE_ORT_LIBRARY_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trims/status.h"

struct OrtApi;

namespace trims {

// External data that lies elsewhere than its name says.
struct LinkedFile {
  std::string name;  // as the model writes it
  std::string path;
};

struct OptimiseJob {
  std::string model;  // path of the .onnx file; external data lies beside it
  std::string out;    // path to write
  // ONNX Runtime's own format; otherwise ONNX with its weights in the file `weights_name` beside
  // `out`, or in `out` if that is empty.
  bool as_ort = true;
  std::string weights_name;
  bool as_it_is = false;                // writes the graph without optimising it
  uint64_t weights_min_bytes = 1024;    // smaller initializers stay in `out`
  std::vector<std::string> extensions;  // libraries of custom operators
  std::vector<LinkedFile> linked = {};  // ONNX Runtime follows no link out of the model's folder
};

// A weight that a graph doesn't hold. Borrowed.
struct OrtWeight {
  std::string name;
  int32_t onnx_type = 0;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

// A model as a client will load it.
struct LoadJob {
  std::span<const std::byte> model;
  bool as_ort = true;
  std::vector<OrtWeight> weights;  // of a graph
  std::vector<std::string> extensions;
};

// What a failure of ONNX Runtime means, by its OrtErrorCode and its words. INVALID_ARGUMENT,
// UNIMPLEMENTED: it refuses the model; NOT_FOUND: it misses a file; RESOURCE_EXHAUSTED: it ran out
// of the memory that this process may have.
Status OrtFailure(int code, std::string message);

class OrtLibrary {
 public:
  // `path`: what was configured, or empty: $TRIMS_ONNXRUNTIME_LIBRARY, the one this was built with,
  // the loader's own path. UNIMPLEMENTED: none can be loaded, or it is older than the interface
  // this was built for.
  static Result<OrtLibrary> Load(const std::string& path);

  const std::string& version() const { return version_; }  // "1.32.0"
  const std::string& path() const { return path_; }        // of the file that was loaded

  // Loads a library of custom operators, so that jobs can name it when files can't be read any
  // more. INVALID_ARGUMENT: it can't be loaded, or registers no operators.
  static Status LoadExtension(const std::string& path);

  // Optimises at the highest level, unless the job says otherwise, and writes the result. Errors as OrtFailure().
  Status Optimise(const OptimiseJob& job) const;
  // Makes a session as the adapters do, and ends it. Errors as OrtFailure().
  Status TryLoad(const LoadJob& job) const;
  // The same of a model in ONNX Runtime's own format.
  Status TryOrt(std::span<const std::byte> model, const std::vector<std::string>& extensions) const;

 private:
  const OrtApi* api_ = nullptr;
  std::string version_;
  std::string path_;
};

}  // namespace trims

#endif  // TRIMS_PREPARE_ORT_LIBRARY_H_
