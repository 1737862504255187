#include "format/mxnet_symbol.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "base/macros.h"
#include "format/json_node.h"

namespace trims {
namespace {

// The levels also bound how many graphs are in one another: each takes four.
constexpr JsonLimits kSymbolLimits{.max_bytes = size_t{64} << 20, .max_depth = 64};
constexpr size_t kMaxNodes = 1'000'000;
constexpr size_t kMaxEdges = 1'000'000;  // of one node
constexpr size_t kMaxSubgraphs = 1024;   // of one node
constexpr size_t kMaxOperatorBytes = 4096;

Result<MxnetSymbol> ReadGraph(const JsonNode& graph);

// What a reference may be to: one of the first nodes.
struct NodeRange {
  size_t nodes = 0;
  const char* what = "";
};

Result<uint64_t> ReadReference(const JsonNode& number, const NodeRange& range) {
  TRIMS_ASSIGN_OR_RETURN(const uint64_t node, number.Integer(0, UINT32_MAX));
  if (node < range.nodes) return node;
  const std::string which =
      range.nodes == 0 ? ", and there is none" : " (0 to " + std::to_string(range.nodes - 1) + ")";
  return number.Wrong(range.what + which, std::to_string(node));
}

// [node, output, version]; old files have no version.
Status CheckEdge(const JsonNode& edge, const NodeRange& range) {
  TRIMS_ASSIGN_OR_RETURN(const size_t size, edge.Size(3));
  if (size < 2) return edge.Wrong("two or three numbers", std::to_string(size));
  bool is_node = true;
  return edge.ForEach(3, [&](const JsonNode& number) {
    if (!std::exchange(is_node, false)) return number.Integer(0, UINT32_MAX).status();
    return ReadReference(number, range).status();
  });
}

Status CheckEdges(const JsonNode& edges, const NodeRange& range) {
  return edges.ForEach(kMaxEdges,
                       [&range](const JsonNode& edge) { return CheckEdge(edge, range); });
}

// What has to be computed before a node, besides its inputs: numbers of nodes.
Status CheckControlDependencies(const JsonNode& node, const NodeRange& range) {
  TRIMS_ASSIGN_OR_RETURN(const auto dependencies, node.OptionalMember("control_deps"));
  if (!dependencies) return Status();
  return dependencies->ForEach(kMaxEdges, [&range](const JsonNode& number) {
    return ReadReference(number, range).status();
  });
}

// Whole graphs of their own, as those of loops and conditions.
Status CheckSubgraphs(const JsonNode& node) {
  TRIMS_ASSIGN_OR_RETURN(const auto subgraphs, node.OptionalMember("subgraphs"));
  if (!subgraphs) return Status();
  return subgraphs->ForEach(kMaxSubgraphs,
                            [](const JsonNode& graph) { return ReadGraph(graph).status(); });
}

// The node number `index`, and whether it is a variable. What it refers to comes before it, so that there
// is no cycle.
Result<bool> ReadNode(const JsonNode& node, size_t index, MxnetSymbol* symbol) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode op, node.Member("op"));
  TRIMS_ASSIGN_OR_RETURN(const std::string kind, op.String(kMaxOperatorBytes));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode name, node.Member("name"));
  TRIMS_ASSIGN_OR_RETURN(std::string named, name.String(kMaxOperatorBytes));
  const bool is_variable = kind == "null";
  if (is_variable) symbol->variables.push_back(std::move(named));
  const NodeRange earlier{index, "an earlier node"};
  TRIMS_ASSIGN_OR_RETURN(const JsonNode inputs, node.Member("inputs"));
  TRIMS_RETURN_IF_ERROR(CheckEdges(inputs, earlier));
  TRIMS_RETURN_IF_ERROR(CheckControlDependencies(node, earlier));
  TRIMS_RETURN_IF_ERROR(CheckSubgraphs(node));
  return is_variable;
}

Status CheckArguments(const JsonNode& arguments, const std::vector<bool>& is_variable) {
  return arguments.ForEach(kMaxNodes, [&is_variable](const JsonNode& argument) -> Status {
    TRIMS_ASSIGN_OR_RETURN(const uint64_t node,
                           ReadReference(argument, {is_variable.size(), "a node"}));
    if (is_variable[node]) return Status();
    return argument.Wrong("a node without an operator", std::to_string(node));
  });
}

Result<MxnetSymbol> ReadGraph(const JsonNode& graph) {
  MxnetSymbol symbol;
  TRIMS_ASSIGN_OR_RETURN(const JsonNode nodes, graph.Member("nodes"));
  TRIMS_ASSIGN_OR_RETURN(symbol.nodes, nodes.Size(kMaxNodes));
  std::vector<bool> is_variable;
  is_variable.reserve(symbol.nodes);
  TRIMS_RETURN_IF_ERROR(nodes.ForEach(kMaxNodes, [&](const JsonNode& node) -> Status {
    TRIMS_ASSIGN_OR_RETURN(const bool variable, ReadNode(node, is_variable.size(), &symbol));
    is_variable.push_back(variable);
    return Status();
  }));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode arguments, graph.Member("arg_nodes"));
  TRIMS_RETURN_IF_ERROR(CheckArguments(arguments, is_variable));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode heads, graph.Member("heads"));
  TRIMS_RETURN_IF_ERROR(CheckEdges(heads, {symbol.nodes, "a node"}));
  return symbol;
}

}  // namespace

Result<MxnetSymbol> ReadMxnetSymbol(std::string_view json) {
  TRIMS_ASSIGN_OR_RETURN(const nlohmann::json document, ParseJson(json, kSymbolLimits));
  return ReadGraph(JsonNode(document));
}

}  // namespace trims
