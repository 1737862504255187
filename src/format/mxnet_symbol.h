// MxnetSymbol: checks the graph that stands beside MXNet's parameters, PREFIX-symbol.json, as far as a
// loader follows it: nodes, their inputs, arguments and heads.
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
  size_t nodes = 0;
  std::vector<std::string> variables;  // names of nodes without an operator: inputs and parameters
};

// INVALID_ARGUMENT: no JSON, nested too deep, or a node is missing that another refers to. TOO_LARGE:
// more than 64 MiB.
Result<MxnetSymbol> ReadMxnetSymbol(std::string_view json);

}  // namespace trims

#endif  // TRIMS_FORMAT_MXNET_SYMBOL_H_
