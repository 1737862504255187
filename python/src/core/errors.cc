#include "errors.h"

#include <nanobind/nanobind.h>

#include <string>

namespace trims::python {

namespace nb = nanobind;

void Raise(const Status& status) {
  const std::string code(StatusCodeName(status.code()));
  const nb::object error =
      nb::module_::import_("trims.errors")
          .attr("from_status")(code.c_str(), status.message().c_str(), status.hint().c_str());
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
  throw nb::python_error();
}

}  // namespace trims::python
