// What the functions of the C ABI have in common: handles, guards, option structs. Internal to client/.
//
// Thread-safety: pure functions.
#ifndef TRIMS_CLIENT_C_HANDLES_H_
#define TRIMS_CLIENT_C_HANDLES_H_

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <utility>

#include "trims/c.h"
#include "trims/status.h"

struct trims_status {
  trims::Status status;
};

namespace trims::c {

// What is said where there is no memory to say more; never freed.
trims_status* NoMemory();
trims_status* Give(Status status);  // nullptr: OK
void Free(trims_status* status);

template <typename Body>
trims_status* Guarded(Body body) noexcept {
  try {
    return Give(body());
  } catch (const std::exception&) {  // bad_alloc: nothing else throws here
    return NoMemory();
  }
}

Status Missing(const char* what);

// What the caller's version of a struct has, and zeros beyond it.
template <typename Options>
Options Received(const Options* options, Options defaults) {
  if (options == nullptr) return defaults;
  std::memset(&defaults, 0, sizeof(defaults));
  std::memcpy(&defaults, options, std::min(options->struct_size, sizeof(Options)));
  return defaults;
}

std::string TextOf(const char* text);  // empty where it is nullptr

}  // namespace trims::c

#endif  // TRIMS_CLIENT_C_HANDLES_H_
