// The real models that scripts/fetch-models lays out, registered with a trimsd of the test's own.
#ifndef TRIMS_TESTS_ADAPTERS_REAL_MODELS_H_
#define TRIMS_TESTS_ADAPTERS_REAL_MODELS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace trims::test {

struct RealInput {
  bool is_rate = false;  // the one int64 scalar, 16000; otherwise floats of this shape
  std::vector<int64_t> shape;
};

struct RealModel {
  std::string name;  // also its reference
  std::string path;
  std::vector<RealInput> inputs;
};

// Runs scripts/fetch-models, which does nothing where all is there. Empty if that fails.
std::vector<RealModel> RealModels();

}  // namespace trims::test

#endif  // TRIMS_TESTS_ADAPTERS_REAL_MODELS_H_
