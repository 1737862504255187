// RewriteGraph: makes an optimised graph's weights ones that a session can be given by name.
//
// ONNX Runtime takes values for the initializers of the main graph only, and every adapter can make
// them of the types of IsNameable() only. So an external initializer of a nested graph (the body of a Loop, a branch
// of an If) moves to the main graph, under a name that nothing else has, which the nodes around it
// use from then on; and an external one of another type (INT4, say) gets its bytes into the graph.
//
//   TRIMS_ASSIGN_OR_RETURN(const std::string rewritten, RewriteGraph(graph, weights));
//
// The graph is held in memory: it has no large weights but those that are put into it.
// Thread-safety: a function of its arguments. Source: onnx.proto and the ONNX project's IR document
// (names of an outer graph are seen in an inner one unless it has them itself).
#ifndef TRIMS_PREPARE_ORT_GRAPH_REWRITE_H_
#define TRIMS_PREPARE_ORT_GRAPH_REWRITE_H_

#include <string>

#include "trims/status.h"

#include "base/random_access.h"
#include "format/onnx.h"

namespace trims {

// Whether a session can be given this tensor as a value: external, of a type of whole bytes that
// every ONNX Runtime and its Python interface know.
bool IsNameable(const OnnxTensor& tensor);

// `weights`: the file of all external data. INVALID_ARGUMENT, DATA_LOSS: malformed; TOO_LARGE: more
// than a graph may have; UNIMPLEMENTED: a nested weight is an input or output of its graph.
Result<std::string> RewriteGraph(const RandomAccess& graph, const RandomAccess& weights);

}  // namespace trims

#endif  // TRIMS_PREPARE_ORT_GRAPH_REWRITE_H_
