// Traces: which of some models are opened in which order, as workloads that are known have it.
//
// The same seed gives the same trace on every machine: nothing of the standard library's distributions
// is used, whose results are not specified.
#ifndef TRIMS_BENCH_POLICY_TRACES_H_
#define TRIMS_BENCH_POLICY_TRACES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

namespace trims::bench {

using Trace = std::vector<size_t>;  // indices of models

struct TraceKind {
  std::string name;
  // Of `length` opens of `models` models; which model is the popular one is up to the seed.
  std::function<Trace(size_t models, size_t length, std::mt19937_64* random)> make;
};

std::vector<TraceKind> TraceKinds();
// One of these by its name, from one seed. INVALID_ARGUMENT: there is none such.
Result<Trace> MakeTrace(std::string_view kind, size_t models, size_t length, uint64_t seed);

}  // namespace trims::bench

#endif  // TRIMS_BENCH_POLICY_TRACES_H_
