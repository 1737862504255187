// A function that stays: it does what the lines of its input say and answers each with one line.
//
//   load N        makes the session N times, each after the last one is gone: [ns, …]
//   run N         N inferences: [ns, …], without the making of their inputs
//   answer FILE   one inference, its outputs written one after the other: [{"type": "float"|"int64", "bytes"}, …]
//
// Its first line is "ready", before any session is there, so that its memory can be looked at.
#ifndef TRIMS_BENCH_FUNCTION_SERVER_H_
#define TRIMS_BENCH_FUNCTION_SERVER_H_

#include <functional>
#include <iosfwd>
#include <vector>

#include "function/inference.h"
#include "function/sources.h"

namespace trims::bench {

// Returns when the input ends, or with the error of the first line that could not be done.
Status Serve(const std::function<Result<Function>()>& make, const std::vector<InputSpec>& specs,
             std::istream& in, std::ostream& out);

}  // namespace trims::bench

#endif  // TRIMS_BENCH_FUNCTION_SERVER_H_
