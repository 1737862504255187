// How a Status becomes a Python exception: trims.Error and its subclasses, one for each code.
#ifndef TRIMS_PYTHON_ERRORS_H_
#define TRIMS_PYTHON_ERRORS_H_

#include <utility>

#include "trims/status.h"

namespace trims::python {

// Throws nanobind's python_error around what trims.errors makes of `status`. The GIL is held.
[[noreturn]] void Raise(const Status& status);

template <typename T>
T ValueOrRaise(Result<T> result) {
  if (!result.ok()) Raise(result.status());
  return *std::move(result);
}

}  // namespace trims::python

#endif  // TRIMS_PYTHON_ERRORS_H_
