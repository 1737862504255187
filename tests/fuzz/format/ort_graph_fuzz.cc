// Whatever the bytes, the rewrite answers with a Status; what it makes is a model, and nothing in it is
// left to be moved. So do those that make a graph steadier.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "base/random_access.h"
#include "format/onnx.h"
#include "prepare/ort_graph_rewrite.h"
#include "prepare/recurrent_packing.h"
#include "prepare/steady_graph.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const trims::SpanBytes graph(std::as_bytes(std::span(data, size)));
  const std::string zeros(4096, '\0');
  const trims::SpanBytes weights(std::as_bytes(std::span(zeros)));
  const trims::SteadyOptions options{.min_bytes = 8, .blocked_convolutions = true, .vnni = true};
  for (const auto& steady :
       {trims::MakeSteady(graph, options), trims::PackOnlyRecurrent(graph, 8)}) {
    if (!steady.ok() || !steady->has_value()) continue;
    if (!trims::ReadOnnx(trims::SpanBytes(std::as_bytes(std::span(**steady)))).ok()) std::abort();
  }
  const trims::Result<std::string> rewritten = trims::RewriteGraph(graph, weights);
  if (!rewritten.ok()) return 0;
  const trims::SpanBytes again(std::as_bytes(std::span(*rewritten)));
  const trims::Result<trims::OnnxModel> read = trims::ReadOnnx(again);
  const trims::Result<trims::OnnxModel> before = trims::ReadOnnx(graph);
  if (before.ok() && !read.ok()) std::abort();
  return 0;
}
