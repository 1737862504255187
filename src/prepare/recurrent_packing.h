// PackOnlyRecurrent: of a graph's constants, sessions that pack are left the ones that gain by it.
//
// The recurrent weights of quantised LSTMs would be packed again at every step where a session doesn't pack. So
// sessions do; and all other constants are kept from it, since packed ones are a private copy.
//
//   TRIMS_ASSIGN_OR_RETURN(const std::optional<std::string> last, PackOnlyRecurrent(optimised, 4096));
//   // … and it is written as it is …
//
// Thread-safety: a function of its arguments.
#ifndef TRIMS_PREPARE_RECURRENT_PACKING_H_
#define TRIMS_PREPARE_RECURRENT_PACKING_H_

#include <cstdint>
#include <optional>
#include <string>

#include "trims/status.h"

#include "base/random_access.h"

namespace trims {

// For a graph that is not optimised again, and for sessions that pack. Constants of fewer than
// `min_bytes` are left alone. Nothing: no weights are recurrent and quantised.
Result<std::optional<std::string>> PackOnlyRecurrent(const RandomAccess& graph, uint64_t min_bytes);

}  // namespace trims

#endif  // TRIMS_PREPARE_RECURRENT_PACKING_H_
