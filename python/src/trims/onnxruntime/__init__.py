"""InferenceSession: ONNX Runtime's own class, which also takes the name of a model that the daemon holds.

    from trims import onnxruntime as ort

    session = ort.InferenceSession("ocr")            # was: "common.onnx"
    text = session.run(None, {"input1": image})

What counts as a model reference: a str that names no existing file and doesn't end in .onnx or .ort. Everything else
(bytes, path objects, existing files) goes to ONNX Runtime unchanged. The model was optimised when it was added, so graph
optimisation is off while the session is made, as is the re-packing of weights, which would copy them: to have it, set
"session.disable_prepacking" to "0" in the session options. Where the options ask for what the optimised form can't honour,
or a model has none, the session is made of the model's own file, as ONNX Runtime would make it, and the log says why.
"""

import logging
import os

import onnxruntime
from onnxruntime import *  # noqa: F403 - a drop-in for `import onnxruntime as ort`

from .. import _arguments, _core
from .._model import open as _open
from ..errors import Error, FailedPrecondition, InvalidArgument, NotFound
from . import _forms, _options

__version__ = onnxruntime.__version__

_log = logging.getLogger("trims.onnxruntime")


def variant_key():
    """The key of the `ort` variant that this process can use."""
    return _core.ort_variant_key(onnxruntime.__version__)


def is_reference(path_or_bytes):
    """Whether InferenceSession takes it for the name of a model."""
    if not isinstance(path_or_bytes, str):
        return False
    if path_or_bytes.endswith((".onnx", ".ort")):
        return False
    return os.path.isdir(path_or_bytes) or not os.path.exists(path_or_bytes)  # no folder is a model to ONNX Runtime


class InferenceSession(onnxruntime.InferenceSession):
    """As onnxruntime.InferenceSession; `path_or_bytes` may be a model reference.

    trims_model: the Model, or None
    trims_form:  "bytes" or "named": an optimised form, whose weights all processes share; "original": the model's own file;
                 None: no model reference was given

    The session holds the model: its lease lasts as long as the session. `trims_form="original"` asks for the model's own file;
    `trims_deadline` is in seconds, `trims_progress` is told how far a load is (as `progress` of trims.open), `trims_socket` names a
    daemon. Raises trims.FailedPrecondition if the model was prepared for
    another version of ONNX Runtime or another processor.
    """

    def __init__(self, path_or_bytes, sess_options=None, providers=None, provider_options=None, **kwargs):
        self.trims_model = self.trims_form = self._trims_source = self._trims_entries = None
        opening = {name: kwargs.pop("trims_" + name, None) for name in ("deadline", "progress", "socket")}
        _arguments.milliseconds(opening["deadline"], "trims_deadline")
        form = kwargs.pop("trims_form", None)
        if form not in (None, "original"):
            raise InvalidArgument(f"trims_form is {form!r}: expected None or 'original'")
        try:
            if is_reference(path_or_bytes):
                self._trims_source = _Source(path_or_bytes, opening, form)
            super().__init__(path_or_bytes, sess_options, providers, provider_options, **kwargs)
        except Exception as error:
            path = isinstance(path_or_bytes, str) and self._trims_source is None
            if path and (os.path.isdir(path_or_bytes) or not is_reference(path_or_bytes)):
                error.add_note(f"To share a model, add it first: {_arguments.how_to_add(path_or_bytes)}")
            raise

    # ONNX Runtime calls this from __init__ and whenever the providers change.
    def _create_inference_session(self, providers, provider_options, disabled_optimizers=None):
        arguments = (providers, provider_options, disabled_optimizers)
        if self._trims_source is None:
            return super()._create_inference_session(*arguments)
        with _options.held(self._sess_options_initial):
            try:
                return self._create_by_name(*arguments)
            except Error:
                self._enable_fallback = False  # no other provider helps
                raise

    def _create_by_name(self, providers, provider_options, disabled_optimizers):
        arguments = (providers, provider_options, disabled_optimizers)
        why = self._trims_source.why_original(self._sess_options_initial, providers, disabled_optimizers)
        if why is None and self._read_config_from_model:
            why = "read_config_from_model is set"
        if why is None:
            try:
                return self._create_prepared(arguments)
            except Error:
                raise
            except Exception as error:  # noqa: BLE001 - the model's own file decides what is an error
                why = f"its optimised form is refused ({str(error)[:300]})"
        original = self._trims_source.original(why)
        self._create_original(original, arguments)
        if why:
            _log.warning("%s is loaded from its own file and its weights are not shared: %s", original.model.reference, why)

    def _create_prepared(self, arguments):
        prepared, given = self._trims_source.prepared, self._sess_options_initial
        options = onnxruntime.SessionOptions() if given is None else given
        with _options.OptionsForForm(options, prepared.form, prepared.packing, restore=given is not None) as entries:
            prepared.bind(options)
            self._load(prepared, options, arguments)
        self._trims_entries = entries
        prepared.complete(self._model_meta)

    def get_session_options(self):
        """As ONNX Runtime's: what the caller asked for."""
        if self._trims_entries is not None:
            self._sess_options = self._trims_entries.as_asked(self._sess_options)
            self._trims_entries = None
        return super().get_session_options()

    def _create_original(self, original, arguments):
        given = self._sess_options_initial
        if original.path is not None:
            try:
                return self._load(original, given, arguments)
            except Exception:
                if not original.may_have_data:
                    raise
        options = onnxruntime.SessionOptions() if given is None else given
        with _options.OptionsForOriginal(options, restore=given is not None) as entries:
            original.bind(options)
            self._load(original, options, arguments)
        self._trims_entries = entries

    def _load(self, source, options, arguments):
        self._trims_entries = None
        self._sess_options, self._model_path, self._model_bytes = options, source.path, source.content
        super()._create_inference_session(*arguments)
        self.trims_model, self.trims_form = source.model, source.form


class _Source:
    """A model by its name: its prepared form, opened at once, and its own file, opened when it is needed."""

    def __init__(self, reference, opening, form):
        self._reference, self._opening = reference, opening
        self.prepared = self._original = self._why = None
        if form == "original":
            self._original = _forms.Original(_open(reference, "files", **opening))
            return
        try:
            self.prepared = _forms.Prepared(_open(reference, "ort", variant_key=variant_key(), **opening))
        except NotFound as missing:
            self._original = self._instead(missing)

    def _instead(self, missing):
        try:
            files = _open(self._reference, "files", **self._opening)
        except NotFound:
            raise missing from None
        if not files.metadata("onnx.model"):
            raise missing
        self._why = "it has no ort variant (trims show says why)"
        return _forms.Original(files)

    def why_original(self, options, providers, disabled_optimizers):
        """None: the prepared form will do; "": the caller asked for the original."""
        if self.prepared is None:
            return self._why or ""
        return _options.needs_original(options, providers, disabled_optimizers, self.prepared.probe)

    def original(self, why):
        if self._original is None:
            digest = self.prepared.model.digest
            reference = self._reference.split("@")[0].rsplit(":", 1)[0] + "@sha256:" + digest
            try:
                self._original = _forms.Original(_open(reference, "files", **self._opening))
            except NotFound:
                raise FailedPrecondition(
                    f"{self._reference}: {why}, which needs the model's own file, and it was added without",
                    f"trims add {self._reference} PATH --variant files --variant ort",
                ) from None
        return self._original


def __getattr__(name):
    return getattr(onnxruntime, name)
