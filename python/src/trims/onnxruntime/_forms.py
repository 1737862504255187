"""What ONNX Runtime is given to load: a model's prepared form, or its own file."""

import posixpath
import weakref

import onnxruntime

from ..errors import FailedPrecondition, Unimplemented

# Session options that hold weights of a model: they can't be taken out again, and ONNX Runtime keeps pointers to them, so the
# values live as long as the options. options -> ((reference, digest, form), values)
_bound = weakref.WeakKeyDictionary()


class Prepared:
    """An `ort` variant. `path` or `content`: what goes to ONNX Runtime."""

    def __init__(self, model):
        self.model, self.form, names = model, model.metadata("ort.form"), list(model.files)
        if self.form not in ("bytes", "named") or len(names) != 1:
            raise Unimplemented(f"{model.reference}: unknown ort form {self.form!r} with {len(names)} files")
        self.probe, self._graph_name = bytes.fromhex(model.metadata("ort.probe")), model.metadata("onnx.graph_name")
        self.packing = model.metadata("ort.prepacking") == "1"  # its answers depend on it
        # The view keeps the descriptor, which ONNX Runtime may be given again, even if the model is closed.
        _, self._view, descriptor = model._core.file(names[0])
        self.path, self.content, self._values = None, None, {}
        if self.form == "named":
            self.content = bytes(self._view)
            self._values = {name: _value(model, name) for name in model.tensors}
        elif descriptor < 0:
            raise FailedPrecondition(f"{model.reference}: the prepared file has no descriptor of its own")
        else:
            self.path = f"/proc/self/fd/{descriptor}"

    def bind(self, options):
        """Adds the weights of a graph that has none to the options."""
        self._values = _bind(options, self.model, self.form, self._values, self._add)

    def _add(self, options):
        for name, value in self._values.items():
            options.add_initializer(name, value)

    def complete(self, metadata):
        """What the form can't tell of the model."""
        if self.form == "bytes":
            metadata.graph_name = self._graph_name


class Original:
    """The model's own file, out of its `files` variant."""

    form = "original"

    def __init__(self, model):
        self.model, main = model, model.metadata("onnx.model")
        if not main:
            raise Unimplemented(f"{model.reference} is no ONNX model", f"trims.open({model.reference!r}) gives its files")
        if model.metadata("onnx.nested_external"):
            raise Unimplemented(
                f"{model.reference}: its own file keeps weights of an inner graph or a function in another file, which ONNX "
                "Runtime can't be given from memory",
                "open it with the default options, or give onnxruntime the path of the file",
            )
        _, self._view, descriptor = model._core.file(main)
        self.path, self.content = f"/proc/self/fd/{descriptor}", None
        if descriptor < 0:
            self.path, self.content = None, bytes(self._view)
        folder = posixpath.dirname(main)
        prefix = folder + "/" if folder else ""
        # As the model may name them: relative to its folder.
        names = [name for name in model.files if name.startswith(prefix) and name != main]
        self._data = {name[len(prefix):]: memoryview(model._core.file(name)[1]) for name in names}

    @property
    def may_have_data(self):
        return bool(self._data)

    def bind(self, options):
        """Adds the files of external data to the options; the model goes in as bytes, since a path would be looked beside."""
        self.path, self.content = None, bytes(self._view)
        self._data = _bind(options, self.model, self.form, self._data, self._add)

    def _add(self, options):
        data = {name: view for name, view in self._data.items() if len(view) > 0}
        options.add_external_initializers_from_files_in_memory(
            list(data), list(data.values()), [len(view) for view in data.values()]
        )


def _bind(options, model, form, values, add):
    """The values that the options hold now: those that they got first, if they have made a session of this model before."""
    which = (model.reference, model.digest, form)  # one content may have been prepared in two precisions
    bound, held = _bound.get(options, (which, None))
    if bound != which:
        raise FailedPrecondition(
            "these session options hold the weights of another model", "use new session options for each model"
        )
    if held is None and values:
        add(options)
        _bound[options] = (which, values)
    return held or values


_ONNX_TYPES = {"BF16": 16, "F8_E4M3": 17, "F8_E4M3FNUZ": 18, "F8_E5M2": 19, "F8_E5M2FNUZ": 20}  # TensorProto.DataType of what NumPy lacks


def _value(model, name):
    """An OrtValue over the tensor's pages; it keeps the array, and the array the model."""
    array, dtype = model.tensors[name], model.dtype(name)
    if dtype not in _ONNX_TYPES:
        return onnxruntime.OrtValue.ortvalue_from_numpy(array)
    raw = array.view("u1" if array.dtype.itemsize == 1 else "<u2")
    return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(raw, _ONNX_TYPES[dtype])
