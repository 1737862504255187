#include "format/mxnet_symbol.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "base/macros.h"
#include "format/json_node.h"

namespace trims {
namespace {

constexpr JsonLimits kSymbolLimits{.max_bytes = size_t{64} << 20, .max_depth = 64};
constexpr size_t kMaxNodes = 1'000'000;
constexpr size_t kMaxEdges = 1'000'000;  // of one node
constexpr size_t kMaxOperatorBytes = 4096;

// [node, output, version]; old files have no version.
Status CheckEdge(const JsonNode& edge, size_t nodes) {
  TRIMS_ASSIGN_OR_RETURN(const size_t size, edge.Size(3));
  if (size < 2) return edge.Wrong("two or three numbers", std::to_string(size));
  size_t place = 0;
  return edge.ForEach(3, [&](const JsonNode& number) {
    const bool is_node = place++ == 0;
    if (is_node && nodes == 0) return number.Wrong("a node", "a graph without nodes");
    return number.Integer(0, is_node ? nodes - 1 : UINT32_MAX).status();
  });
}

Status CheckEdges(const JsonNode& edges, size_t nodes) {
  return edges.ForEach(kMaxEdges, [nodes](const JsonNode& edge) { return CheckEdge(edge, nodes); });
}

Status CheckNode(const JsonNode& node, size_t nodes, MxnetSymbol* symbol) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode op, node.Member("op"));
  TRIMS_ASSIGN_OR_RETURN(const std::string kind, op.String(kMaxOperatorBytes));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode name, node.Member("name"));
  TRIMS_ASSIGN_OR_RETURN(std::string named, name.String(kMaxOperatorBytes));
  if (kind == "null") symbol->variables.push_back(std::move(named));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode inputs, node.Member("inputs"));
  return CheckEdges(inputs, nodes);
}

Status CheckArguments(const JsonNode& arguments, size_t nodes) {
  return arguments.ForEach(kMaxNodes, [nodes](const JsonNode& argument) {
    if (nodes == 0) return argument.Wrong("a node", "a graph without nodes");
    return argument.Integer(0, nodes - 1).status();
  });
}

}  // namespace

Result<MxnetSymbol> ReadMxnetSymbol(std::string_view json) {
  TRIMS_ASSIGN_OR_RETURN(const nlohmann::json document, ParseJson(json, kSymbolLimits));
  const JsonNode graph(document);
  MxnetSymbol symbol;
  TRIMS_ASSIGN_OR_RETURN(const JsonNode nodes, graph.Member("nodes"));
  TRIMS_ASSIGN_OR_RETURN(symbol.nodes, nodes.Size(kMaxNodes));
  TRIMS_RETURN_IF_ERROR(nodes.ForEach(kMaxNodes, [&symbol](const JsonNode& node) {
    return CheckNode(node, symbol.nodes, &symbol);
  }));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode arguments, graph.Member("arg_nodes"));
  TRIMS_RETURN_IF_ERROR(CheckArguments(arguments, symbol.nodes));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode heads, graph.Member("heads"));
  TRIMS_RETURN_IF_ERROR(CheckEdges(heads, symbol.nodes));
  return symbol;
}

}  // namespace trims
