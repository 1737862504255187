// MakeSteadyOrt: an optimised model in its steadier form (prepare/steady_graph.h).
//
//   TRIMS_ASSIGN_OR_RETURN(const SteadyOrt steady, MakeSteadyOrt(out, "model.ort", ort, job, options));
//   if (!steady.made) …  // there is nothing to change: optimise it as it is
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
  bool made = false;           // the file is there
  bool needs_packing = false;  // a session that doesn't pack is slower
};

// `job`: by which the model is optimised. It becomes `name`, a file of `out` in ONNX Runtime's own format that
// was loaded once; after an error there is none. Errors: as OrtFailure(), of the rewriting, and of files.
Result<SteadyOrt> MakeSteadyOrt(const OutFolder& out, const std::string& name,
                                const OrtLibrary& ort, const OptimiseJob& job,
                                const SteadyOptions& options);

}  // namespace trims

#endif  // TRIMS_PREPARE_STEADY_ORT_H_
