// OrtFacts: what a program can find out about an ONNX model and what its optimised form no longer
// tells.
//
//   TRIMS_ASSIGN_OR_RETURN(const OrtFacts facts, ReadOrtFacts(model_file));
//   metadata["ort.probe"] = Hex(facts.probe);
//
// The probe is a model of a few hundred bytes whose first input has every free dimension of the
// model's inputs, by its name and its denotation. A session of it, made with a caller's options,
// shows whether they fix one of these dimensions and how far they optimise, which the options
// themselves don't tell.
// Thread-safety: a function of `file`.
#ifndef TRIMS_PREPARE_ORT_FACTS_H_
#define TRIMS_PREPARE_ORT_FACTS_H_

#include <string>

#include "trims/status.h"

#include "base/random_access.h"

namespace trims {

struct OrtFacts {
  std::string graph_name;
  std::string probe;  // an ONNX model
};

// Errors as ReadOnnx's. UNIMPLEMENTED: more names of dimensions than a probe takes.
Result<OrtFacts> ReadOrtFacts(const RandomAccess& file);

}  // namespace trims

#endif  // TRIMS_PREPARE_ORT_FACTS_H_
