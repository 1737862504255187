#include "byte_view.h"

namespace trims::python {
namespace {

namespace nb = nanobind;

int GetBuffer(PyObject* self, Py_buffer* out, int flags) {
  const auto* view = nb::inst_ptr<ByteView>(self);
  // An empty span may have no address, which the buffer protocol doesn't know.
  static std::byte nothing{};
  void* data = view->bytes.empty() ? &nothing : const_cast<std::byte*>(view->bytes.data());
  return PyBuffer_FillInfo(out, self, data, static_cast<Py_ssize_t>(view->bytes.size()), 1, flags);
}

PyType_Slot kSlots[] = {
    {Py_bf_getbuffer, reinterpret_cast<void*>(GetBuffer)},
    {0, nullptr},
};

}  // namespace

void DefineByteView(nb::module_& module) {
  nb::class_<ByteView>(module, "ByteView", nb::type_slots(kSlots))
      .def("__len__", [](const ByteView& view) { return view.bytes.size(); })
      .def_prop_ro("address", [](const ByteView& view) {
        return reinterpret_cast<uintptr_t>(view.bytes.data());
      });
}

}  // namespace trims::python
