// Prepare: turns a source into a manifest and the files that it names.
//
//   OutFolder out("/var/lib/trims/models/x");
//   TRIMS_ASSIGN_OR_RETURN(const Manifest manifest, Prepare(options, ort, *progress));
//
// It meets untrusted bytes, so it belongs into a process that has called ApplySandbox()
// (prepare/sandbox.h). Thread-safety: one thread; ONNX Runtime may start its own.
#ifndef TRIMS_PREPARE_PREPARE_H_
#define TRIMS_PREPARE_PREPARE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "format/manifest.h"
#include "prepare/ort_library.h"
#include "prepare/ort_variant.h"
#include "prepare/progress.h"
#include "source/source_uri.h"

namespace trims {

struct PrepareOptions {
  SourceUri source;                     // a file or folder
  std::vector<std::string> companions;  // what a single file needs besides, where it is there
  std::string out;                      // absolute path of an empty folder
  std::vector<Variant> variants;        // empty: all that the format allows
  std::string precision;  // of weights that are there in several; empty: the usual one
  uint64_t ort_bytes_limit = kDefaultOrtBytesLimit;
  uint64_t steady_min_bytes = kDefaultSteadyMinBytes;
  std::vector<std::string> onnxruntime_extensions;  // libraries of custom operators, loaded before
  bool layers = false;      // `tensors` are laid so that layers can be shared
  bool undigested = false;  // hashes nothing: digests are zeros; for `files` alone
  std::string sandbox;      // Describe() of the sandbox that this runs in; goes into the manifest
};

// Writes manifest.json into the out folder last: a folder without one is not prepared. A variant
// that was not asked for by name and can't be made becomes a note; a malformed model is an error
// all the same. `ort`: the library, or why there is none. FAILED_PRECONDITION: the source changed
// meanwhile.
Result<Manifest> Prepare(const PrepareOptions& options, const Result<OrtLibrary>& ort,
                         PrepareProgress& progress);

}  // namespace trims

#endif  // TRIMS_PREPARE_PREPARE_H_
