"""InferenceSession: ONNX Runtime's own class, which also takes the name of a model that the daemon holds.

    from trims import onnxruntime as ort

    session = ort.InferenceSession("ocr")            # was: "common.onnx"
    text = session.run(None, {"input1": image})

What counts as a model reference: a str that names no existing file and doesn't end in .onnx or .ort. Everything else
(bytes, path objects, existing files) goes to ONNX Runtime unchanged. The model was optimised when it was added, so graph
optimisation is off while the session is made, as is the re-packing of weights, which would copy them: to have it, set
"session.disable_prepacking" to "0" in the session options.
"""

import os
import threading
import weakref

import onnxruntime
from onnxruntime import *  # noqa: F403 - a drop-in for `import onnxruntime as ort`

from . import _core
from ._model import open as _open
from .errors import FailedPrecondition, Unimplemented

_PREPACKING = "session.disable_prepacking"
_FORMAT = "session.load_model_format"
_FOLDER = "session.model_external_initializers_file_folder_path"
_BYTES = {
    _FORMAT: "ORT",
    "session.use_memory_mapped_ort_model": "1",
    "session.use_ort_model_bytes_for_initializers": "1",
}
# Every initializer of a `named` graph claims to lie in /dev/null; docs/adapters.md says why.
_NAMED = {_FOLDER: "/dev"}

__version__ = onnxruntime.__version__

# One SessionOptions object of a caller may make many sessions, some of them from files and some on other threads: what a
# session needs is set while it is made.
_options_lock = threading.RLock()

# Session options that hold initializers of a model: they can't be taken out again, and ONNX Runtime keeps pointers to them,
# so the values live as long as the options. options -> (digest, values)
_bound = weakref.WeakKeyDictionary()


def variant_key():
    """The key of the `ort` variant that this process can use."""
    return _core.ort_variant_key(onnxruntime.__version__)


def is_reference(path_or_bytes):
    """Whether InferenceSession takes it for the name of a model."""
    if not isinstance(path_or_bytes, str):
        return False
    return not path_or_bytes.endswith((".onnx", ".ort")) and not os.path.exists(path_or_bytes)


class _Entries:
    """Session options with what a model's form needs, inside a `with`.

    A caller's own are afterwards as they were, in all that would change a session made from a file. (ONNX Runtime logs a
    warning for each entry that is set back.)
    """

    def __init__(self, options, entries, restore):
        self._options, self._entries, self._restore = options, entries, restore

    def _get(self, key):
        try:
            return self._options.get_session_config_entry(key)
        except RuntimeError:
            return ""

    def _set(self, key, value):
        if self._get(key) != value:
            self._options.add_session_config_entry(key, value)

    def __enter__(self):
        if self._restore:
            _options_lock.acquire()
        self._level = self._options.graph_optimization_level
        entries = dict(self._entries)
        if not self._get(_PREPACKING):
            entries[_PREPACKING] = "1"
        self._before = {key: self._get(key) for key in entries}
        for key, value in entries.items():
            self._set(key, value)
        self._options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL

    def __exit__(self, *_):
        # ONNX Runtime can't take an entry away; an empty one is to it as if it weren't there.
        if self._restore:
            for key in (_FORMAT, _FOLDER, _PREPACKING):
                if key in self._before:
                    self._set(key, self._before[key])
            self._options.graph_optimization_level = self._level
            _options_lock.release()


class InferenceSession(onnxruntime.InferenceSession):
    """As onnxruntime.InferenceSession; `path_or_bytes` may be a model reference. `trims_model` is the Model, or None.

    The session holds the model: its lease lasts as long as the session. Raises trims.FailedPrecondition if the model was
    prepared for another version of ONNX Runtime or another processor.
    """

    def __init__(self, path_or_bytes, sess_options=None, providers=None, provider_options=None, **kwargs):
        self.trims_model = None
        deadline, socket = kwargs.pop("trims_deadline", None), kwargs.pop("trims_socket", None)
        if is_reference(path_or_bytes):
            self.trims_model = _open(
                path_or_bytes, "ort", variant_key=variant_key(), deadline=deadline, socket=socket
            )
            path_or_bytes = self._take_over(self.trims_model)
            self._trims_owns_options = sess_options is None
            sess_options = sess_options or onnxruntime.SessionOptions()
        super().__init__(path_or_bytes, sess_options, providers, provider_options, **kwargs)

    def _take_over(self, model):
        """What ONNX Runtime is given to load; `_trims_entries` and `_trims_values` are what it needs besides."""
        form, names = model.metadata("ort.form"), list(model.files)
        if form not in ("bytes", "named") or len(names) != 1:
            raise Unimplemented(f"{model.reference}: unknown ort form {form!r} with {len(names)} files")
        _, view, descriptor = model._core.file(names[0])
        self._trims_view = view  # keeps the descriptor, which ONNX Runtime may be given again, even if the model is closed
        self._trims_values, self._trims_entries = {}, _BYTES
        if form == "named":
            self._trims_entries = _NAMED
            self._trims_values = {name: _value(model, name) for name in model.tensors}
            return bytes(view)
        if descriptor < 0:
            raise FailedPrecondition(f"{model.reference}: the prepared file has no descriptor of its own")
        return f"/proc/self/fd/{descriptor}"

    # ONNX Runtime calls this from __init__ and whenever the providers change.
    def _create_inference_session(self, providers, provider_options, disabled_optimizers=None):
        if self.trims_model is None:
            return super()._create_inference_session(providers, provider_options, disabled_optimizers)
        with _Entries(self._sess_options, self._trims_entries, not self._trims_owns_options):
            self._add_initializers(self._sess_options)
            return super()._create_inference_session(providers, provider_options, disabled_optimizers)

    def _add_initializers(self, options):
        digest, values = _bound.get(options, (self.trims_model.digest, None))
        if digest != self.trims_model.digest:
            raise FailedPrecondition(
                "these session options hold the weights of another model", "use new session options for each model"
            )
        if values is None and self._trims_values:
            for name, value in self._trims_values.items():
                options.add_initializer(name, value)
            _bound[options] = (digest, self._trims_values)
        self._trims_values = values or self._trims_values


_ONNX_TYPES = {"BF16": 16, "F8_E4M3": 17, "F8_E5M2": 19}  # TensorProto.DataType of what NumPy lacks


def _value(model, name):
    """An OrtValue over the tensor's pages; it keeps the array, and the array the model."""
    array, dtype = model.tensors[name], model.dtype(name)
    if dtype not in _ONNX_TYPES:
        return onnxruntime.OrtValue.ortvalue_from_numpy(array)
    raw = array.view("u1" if array.dtype.itemsize == 1 else "<u2")
    return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(raw, _ONNX_TYPES[dtype])


def __getattr__(name):
    return getattr(onnxruntime, name)
