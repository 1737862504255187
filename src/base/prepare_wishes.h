// PrepareWishes: what whoever adds a model may say about how it is prepared.
//
// Thread-safety: a value.
#ifndef TRIMS_BASE_PREPARE_WISHES_H_
#define TRIMS_BASE_PREPARE_WISHES_H_

#include <string>
#include <vector>

#include "trims/model.h"

namespace trims {

struct PrepareWishes {
  std::vector<Variant> variants = {};  // empty: all that the format allows
  std::string precision = {};          // of weights that are there in several; empty: the usual one
  std::vector<std::string> onnxruntime_extensions =
      {};                        // absolute paths of custom operators' libraries
  std::string granularity = {};  // "model", "block" or "layer"; empty: the daemon's default
};

}  // namespace trims

#endif  // TRIMS_BASE_PREPARE_WISHES_H_
