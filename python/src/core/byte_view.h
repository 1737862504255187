// ByteView: bytes of a model, offered to Python through the buffer protocol, read-only.
//
// numpy.frombuffer(view) and memoryview(view) hold the view, and the view holds the model: its
// lease and its mapping live as long as the last array. Thread-safety: immutable.
#ifndef TRIMS_PYTHON_BYTE_VIEW_H_
#define TRIMS_PYTHON_BYTE_VIEW_H_

#include <nanobind/nanobind.h>

#include <cstddef>
#include <memory>
#include <span>

#include "trims/model.h"

namespace trims::python {

struct ByteView {
  std::shared_ptr<Model> model;
  std::span<const std::byte> bytes;
};

void DefineByteView(nanobind::module_& module);

}  // namespace trims::python

#endif  // TRIMS_PYTHON_BYTE_VIEW_H_
