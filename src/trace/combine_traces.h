// CombineTraces: several Chrome traces in one file, so that a viewer shows what all processes of a node did side by side.
//
//   TRIMS_ASSIGN_OR_RETURN(const CombinedTraces combined, CombineTraces({"a.json", "b.json"}, "all.json"));
//
// Events stay as they are. A file that a process wrote itself (libtrims's) has that process's number for its own: where two have
// the same, as in two containers or one after the other, the later one's is changed. Events are read and written one at a time.
// Thread-safety: safe.
#ifndef TRIMS_TRACE_COMBINE_TRACES_H_
#define TRIMS_TRACE_COMBINE_TRACES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "trims/status.h"

namespace trims {

struct CombinedTraces {
  uint64_t events = 0;
  std::vector<std::string> cut_off;  // files that end within
  uint64_t renumbered = 0;           // processes
};

// INVALID_ARGUMENT: one is no trace, or is `out` itself; `out` is as it was, then, or holds what came before.
Result<CombinedTraces> CombineTraces(const std::vector<std::string>& paths, const std::string& out);

}  // namespace trims

#endif  // TRIMS_TRACE_COMBINE_TRACES_H_
