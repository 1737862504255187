// MakeSteadyOrt: a steadier form of an optimised model (prepare/steady_graph.h), in its place.
//
//   TRIMS_ASSIGN_OR_RETURN(const SteadyOrt made, MakeSteadyOrt(out, "model.ort", ort, job, options));
//   if (made.changed) …
//
// Thread-safety: one thread an out folder.
#ifndef TRIMS_PREPARE_STEADY_ORT_H_
#define TRIMS_PREPARE_STEADY_ORT_H_

#include <string>

#include "trims/status.h"

#include "prepare/ort_library.h"
#include "prepare/out_folder.h"
#include "prepare/steady_graph.h"

namespace trims {

struct SteadyOrt {
  bool changed = false;        // the file is another one
  bool needs_packing = false;  // a session that doesn't pack is slower
};

// `job`: by which `name`, a file of `out` in ONNX Runtime's own format, was made. After an error that file is
// as it was. Errors: as OrtFailure(), of the rewriting, and of files.
Result<SteadyOrt> MakeSteadyOrt(const OutFolder& out, const std::string& name,
                                const OrtLibrary& ort, const OptimiseJob& job,
                                const SteadyOptions& options);

}  // namespace trims

#endif  // TRIMS_PREPARE_STEADY_ORT_H_
