// SteadyGraph: an optimised ONNX graph whose weights compute as they lie as fast as others do packed.
//
// ONNX Runtime packs constant weights when a session is made, each session for itself. What it packs for is
// had here without: a product with a constant right side is a convolution of one point, whose weights ONNX
// Runtime's optimiser lays out in blocks once; weights of eight bits with a sign go to the kernel of
// processors with VNNI as they are. What is left are recurrent weights (prepare/recurrent_packing.h).
//
//   TRIMS_ASSIGN_OR_RETURN(const std::optional<std::string> model, MakeSteady(file, options));
//   // … ONNX Runtime optimises it, since it knows the convolutions' layout …
//
// The answers are those of the graph before, but for the order of additions. docs/adapters.md has what it
// brings and what was tried besides. Thread-safety: functions.
#ifndef TRIMS_PREPARE_STEADY_GRAPH_H_
#define TRIMS_PREPARE_STEADY_GRAPH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "trims/status.h"

#include "base/random_access.h"
#include "prepare/graph_constants.h"

namespace trims {

// Smaller products gain less than the nodes around a convolution cost.
inline constexpr uint64_t kDefaultSteadyMinBytes = uint64_t{1} << 20;

struct SteadyOptions {
  uint64_t min_bytes = kDefaultSteadyMinBytes;  // of a weight
  bool blocked_convolutions = false;            // ONNX Runtime lays them out so on this processor
  bool vnni = false;  // without it, products of bytes with and without sign may saturate

  // `features`: as CpuFeatures().
  static SteadyOptions Of(std::string_view features, uint64_t min_bytes);
};

// Whether a graph, in whichever format, may hold what this or PackOnlyRecurrent() changes.
bool MayBeSteadier(std::string_view model);

// `weights`: where the graph's lie, and where new ones go, if not in the graph. Nothing: there is nothing to
// change. Errors: as ReadOnnx(); UNIMPLEMENTED, TOO_LARGE: the graph can't be had; of writing new weights.
Result<std::optional<std::string>> MakeSteady(const RandomAccess& graph,
                                              const SteadyOptions& options,
                                              ExternalWeights weights = {});

}  // namespace trims

#endif  // TRIMS_PREPARE_STEADY_GRAPH_H_
