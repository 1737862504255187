// MxnetSymbol: checks the graph that stands beside MXNet's parameters, PREFIX-symbol.json, as far as a
// loader follows it: nodes, their inputs, control dependencies and subgraphs (which are graphs of the same
// form), arguments and heads. A node refers to earlier ones only, as MXNet writes them, so that no graph
// goes in circles. What operators there are, with how many outputs, only MXNet knows.
//
//   TRIMS_ASSIGN_OR_RETURN(const MxnetSymbol symbol, ReadMxnetSymbol(text));
//
// Source: nnvm's graph JSON (SaveJSON and LoadJSON) in MXNet 1.9.1. Thread-safety: a pure function.
#ifndef TRIMS_FORMAT_MXNET_SYMBOL_H_
#define TRIMS_FORMAT_MXNET_SYMBOL_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

namespace trims {

struct MxnetSymbol {
  size_t nodes = 0;                    // of the graph itself, without its subgraphs'; so, too:
  std::vector<std::string> variables;  // names of nodes without an operator: inputs and parameters
};

// INVALID_ARGUMENT: no JSON, nested deeper than 64 levels (16 graphs in one another), a node refers to one
// that doesn't come before it, an argument or a head to one that isn't there, or an argument to an operator.
// TOO_LARGE: more than 64 MiB.
Result<MxnetSymbol> ReadMxnetSymbol(std::string_view json);

}  // namespace trims

#endif  // TRIMS_FORMAT_MXNET_SYMBOL_H_
