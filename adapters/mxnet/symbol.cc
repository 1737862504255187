#include "adapters/mxnet/symbol.h"

#include <algorithm>
#include <utility>

#include "base/macros.h"

namespace trims::mxnet {
namespace {

using List = decltype(Library::symbol_arguments);

Result<std::vector<Place>> Names(const Library& mxnet, const char* call, List list, void* symbol) {
  uint32_t count = 0;
  const char** names = nullptr;
  TRIMS_RETURN_IF_ERROR(mxnet.Check(call, list(symbol, &count, &names)));
  std::vector<Place> places;
  for (uint32_t i = 0; i < count; ++i) places.push_back({.name = names[i], .shape = {}});
  return places;
}

// As MXNet answers: how many extents each has, and where they are.
struct Shapes {
  uint32_t count = 0;
  const int* ranks = nullptr;
  const int** extents = nullptr;

  // False: they aren't as many as there are places.
  bool GiveTo(std::vector<Place>& places) const {
    if (count != places.size()) return false;
    for (uint32_t i = 0; i < count; ++i) {
      places[i].shape.assign(extents[i], extents[i] + std::max(ranks[i], 0));
    }
    return true;
  }
};

}  // namespace

Result<Symbol> Symbol::Create(const Library& mxnet, std::string_view json) {
  SymbolHandle made = nullptr;
  TRIMS_RETURN_IF_ERROR(
      mxnet.Check("MXSymbolCreateFromJSON", mxnet.symbol_create(std::string(json).c_str(), &made)));
  Symbol symbol(mxnet, Owned(made, mxnet.symbol_free));
  TRIMS_ASSIGN_OR_RETURN(symbol.arguments_,
                         Names(mxnet, "MXSymbolListArguments", mxnet.symbol_arguments, made));
  TRIMS_ASSIGN_OR_RETURN(symbol.states_,
                         Names(mxnet, "MXSymbolListAuxiliaryStates", mxnet.symbol_states, made));
  return symbol;
}

Status Symbol::Infer(const std::vector<Input>& inputs) {
  std::vector<const char*> keys;
  std::vector<uint32_t> begins = {0};
  std::vector<int> extents;
  for (const Input& input : inputs) {
    keys.push_back(input.name.c_str());
    extents.insert(extents.end(), input.shape.begin(), input.shape.end());
    begins.push_back(static_cast<uint32_t>(extents.size()));
  }
  Shapes arguments, outputs, states;
  int complete = 0;
  const int result = mxnet_->symbol_shapes(
      symbol_.get(), static_cast<uint32_t>(keys.size()), keys.data(), begins.data(), extents.data(),
      &arguments.count, &arguments.ranks, &arguments.extents, &outputs.count, &outputs.ranks,
      &outputs.extents, &states.count, &states.ranks, &states.extents, &complete);
  const Status said = mxnet_->Check("MXSymbolInferShapeEx", result);
  if (!said.ok()) {
    return Status(StatusCode::kInvalidArgument, "the inputs' shapes don't fit: " + said.message());
  }
  if (complete == 0 || !arguments.GiveTo(arguments_) || !states.GiveTo(states_)) {
    return Status(StatusCode::kInvalidArgument,
                  "the inputs don't say what shapes all of the network has",
                  "name every argument that is no parameter, with its shape");
  }
  return Status();
}

}  // namespace trims::mxnet
