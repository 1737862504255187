// DlpackOf: a tensor of a model as an object that speaks the DLPack protocol (__dlpack__, __dlpack_device__), for
// frameworks that take such: PyTorch, CuPy, JAX, numpy. No copy; read-only, which consumers of DLPack 1.0 are told.
//
// The object, and whatever a framework makes of it, keeps the model open. Thread-safety: with the interpreter's lock.
#ifndef TRIMS_PYTHON_CORE_DLPACK_H_
#define TRIMS_PYTHON_CORE_DLPACK_H_

#include <nanobind/nanobind.h>

#include <memory>

#include "trims/model.h"

namespace trims::python {

// UNIMPLEMENTED is raised for elements that take no whole bytes, or that DLPack has no name for.
nanobind::object DlpackOf(const std::shared_ptr<Model>& model, const TensorView& tensor);

}  // namespace trims::python

#endif  // TRIMS_PYTHON_CORE_DLPACK_H_
