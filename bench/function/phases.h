// How long the phases of a function took, and what it answered, as one line of JSON:
//   {"phases_ms": {"process", "runtime", "load", "inference"}, "total_ms", "cpu_ms", "peak_bytes",
//    "answer": ["digits", …]}
// "cpu_ms" and "peak_bytes" are the process's own: what it has used of the processors so far, and
// the most memory that was resident in it, shared pages included.
#ifndef TRIMS_BENCH_FUNCTION_PHASES_H_
#define TRIMS_BENCH_FUNCTION_PHASES_H_

#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/timing.h"

namespace trims::bench {

// Consecutive phases; each begins where the one before it ends.
class Phases {
 public:
  explicit Phases(int64_t start_ns) : start_ns_(start_ns), last_ns_(start_ns) {}

  void End(const char* name, int64_t now_ns = NowNs());

  // `outputs`: the bytes of each, as they lie in memory, two digits a byte.
  std::string ToJson(const std::vector<Ort::Value>& outputs) const;

 private:
  int64_t start_ns_;
  int64_t last_ns_;
  std::vector<std::pair<const char*, int64_t>> phases_;
};

}  // namespace trims::bench

#endif  // TRIMS_BENCH_FUNCTION_PHASES_H_
