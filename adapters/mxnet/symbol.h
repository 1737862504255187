// Symbol: a network's description, and the shapes that its arguments have with given inputs.
//
// Thread-safety: one thread at a time.
#ifndef TRIMS_ADAPTERS_MXNET_SYMBOL_H_
#define TRIMS_ADAPTERS_MXNET_SYMBOL_H_

#include <string>
#include <string_view>
#include <vector>

#include "trims/mxnet.h"
#include "trims/status.h"

#include "adapters/mxnet/library.h"

namespace trims::mxnet {

// One of its arguments or auxiliary states.
struct Place {
  std::string name;
  std::vector<uint32_t> shape;
};

class Symbol {
 public:
  // INTERNAL, with MXNet's words: it is no symbol, or has operators that this MXNet doesn't know.
  static Result<Symbol> Create(const Library& mxnet, std::string_view json);

  // INVALID_ARGUMENT: the shapes don't fit, or don't say enough.
  Status Infer(const std::vector<Input>& inputs);

  // In MXNet's order; shapes once they were inferred.
  const std::vector<Place>& arguments() const { return arguments_; }
  const std::vector<Place>& states() const { return states_; }
  void* handle() const { return symbol_.get(); }

 private:
  Symbol(const Library& mxnet, Owned symbol) : mxnet_(&mxnet), symbol_(std::move(symbol)) {}

  const Library* mxnet_;
  Owned symbol_;
  std::vector<Place> arguments_;
  std::vector<Place> states_;
};

}  // namespace trims::mxnet

#endif  // TRIMS_ADAPTERS_MXNET_SYMBOL_H_
