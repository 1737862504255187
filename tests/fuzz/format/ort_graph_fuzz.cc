// Whatever the bytes, the rewrite answers with a Status; what it makes is a model, and nothing in it is
// left to be moved.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "base/random_access.h"
#include "format/onnx.h"
#include "prepare/ort_graph_rewrite.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const trims::SpanBytes graph(std::as_bytes(std::span(data, size)));
  const std::string zeros(4096, '\0');
  const trims::SpanBytes weights(std::as_bytes(std::span(zeros)));
  const trims::Result<std::string> rewritten = trims::RewriteGraph(graph, weights);
  if (!rewritten.ok()) return 0;
  const trims::SpanBytes again(std::as_bytes(std::span(*rewritten)));
  const trims::Result<trims::OnnxModel> read = trims::ReadOnnx(again);
  const trims::Result<trims::OnnxModel> before = trims::ReadOnnx(graph);
  if (before.ok() && !read.ok()) std::abort();
  return 0;
}
