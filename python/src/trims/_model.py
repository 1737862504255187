"""open() and Model: tensors as read-only NumPy arrays, files as read-only memoryviews, over the one copy of the node."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from . import _arguments, _client
from ._packed import PackedArray
from .errors import FailedPrecondition, InvalidArgument, MissingKey, NotFound

# safetensors' names of element types and NumPy's. Those that NumPy lacks come from ml_dtypes where it is installed, and
# as unsigned integers of the same size where it isn't.
_NUMPY = {
    "F32": "<f4", "F64": "<f8", "F16": "<f2", "I8": "i1", "U8": "u1", "I16": "<i2", "U16": "<u2", "I32": "<i4",
    "U32": "<u4", "I64": "<i8", "U64": "<u8", "BOOL": "?", "C64": "<c8", "C128": "<c16",
}
_ML_DTYPES = {
    "BF16": ("bfloat16", "<u2"), "F8_E4M3": ("float8_e4m3fn", "u1"), "F8_E5M2": ("float8_e5m2", "u1"),
    "F8_E8M0": ("float8_e8m0fnu", "u1"), "F8_E4M3FNUZ": ("float8_e4m3fnuz", "u1"), "F8_E5M2FNUZ": ("float8_e5m2fnuz", "u1"),
}


def _numpy_dtype(name):
    """None where NumPy has no element of the kind: PackedArray."""
    import numpy

    if name in _NUMPY:
        return numpy.dtype(_NUMPY[name])
    if name not in _ML_DTYPES:
        return None
    attribute, raw = _ML_DTYPES[name]
    try:
        import ml_dtypes
    except ImportError:
        return numpy.dtype(raw)
    return numpy.dtype(getattr(ml_dtypes, attribute))


class _Views(Mapping):
    """A read-only mapping from names to views, each made when it is asked for."""

    def __init__(self, names, count, view):
        self._names, self._count, self._view = names, count, view

    def __getitem__(self, name):
        if not isinstance(name, str):
            raise KeyError(name)
        try:
            return self._view(name)
        except NotFound as error:
            raise MissingKey(error.message, error.hint) from None

    def __iter__(self):
        return iter(self._names())

    def __len__(self):
        return self._count()

    def __repr__(self):
        names = list(self)
        return f"<{len(names)}: {', '.join(names[:4])}{', …' if len(names) > 4 else ''}>"


class Model:
    """A lease on a model and the mapping of its bytes; open() makes them.

    tensors: name -> read-only numpy.ndarray        files: name -> read-only memoryview
    (a PackedArray where an element takes no whole bytes, or its type is one that only the model's file knows)
    reference, digest, variant, variant_key, tier, device, on_gpu, pages, hit: how the open was served

    Views hold the mapping: after close() those that exist stay valid, and the lease ends with the last of them. Writing to
    one raises ValueError or TypeError; no trick with the memory makes the pages writable. Safe to use from several threads.
    """

    def __init__(self, core):
        self._core = core
        for name, value in core.info().items():
            setattr(self, name, value)

    @property
    def tensors(self):
        return _Views(self._core.tensor_names, self._core.tensor_count, self._tensor)

    @property
    def files(self):
        return _Views(self._core.file_names, self._core.file_count, self._file)

    def dtype(self, name):
        """The tensor's element type as safetensors names it, e.g. "BF16"; of a type that trims doesn't know, the file's name."""
        return self._core.tensor(name)[1]

    def dlpack(self, name):
        """The tensor as an object for `from_dlpack` of PyTorch, CuPy, JAX or numpy: no copy, read-only, and open for as long as what
        the framework makes of it. On a GPU its addresses are the device's. Raises Unimplemented for types that DLPack doesn't have."""
        try:
            return self._core.dlpack(name)
        except NotFound as error:
            raise MissingKey(error.message, error.hint) from None

    def metadata(self, key):
        """What the preparer recorded; "" if there is no such key."""
        return self._core.metadata(key)

    @property
    def closed(self):
        return self._core.closed

    def close(self):
        """Gives up this handle. Idempotent."""
        self._core.close()

    def _on_processor(self):
        if self.on_gpu:
            raise FailedPrecondition(
                f"{self.reference} lies in the memory of {self.device}, which this processor can't read",
                'open it with tier="host", or give model.dlpack(name) to a framework of that device',
            )

    def _tensor(self, name):
        import numpy

        self._on_processor()
        _, dtype, shape, view = self._core.tensor(name)
        element = _numpy_dtype(dtype)
        if element is None:
            return PackedArray(numpy.frombuffer(view, "u1"), dtype, shape)
        return numpy.frombuffer(view, element).reshape(shape)

    def _file(self, name):
        self._on_processor()
        return memoryview(self._core.file(name)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __reduce__(self):
        raise TypeError(
            f"a trims.Model can't be pickled: it is a lease of this process; send its reference, {self.reference!r}, "
            "and open it there"
        )

    def __repr__(self):
        return f"<trims.Model {self.reference} {self.variant}{' closed' if self.closed else ''}>"


class LoadProgress(NamedTuple):
    """How far the load is that an open waits for; `trims status --json` has the same of every load."""

    tier: str  # that is being filled
    bytes_done: int  # read and hashed; 0 while it waits for room
    bytes_total: int  # of the model
    bytes_per_second: int  # since the bytes began to come; 0: not known yet
    remaining: float | None  # seconds, at that rate; None: not known


def open(reference, variant=None, *, variant_key="", deadline=None, tier="", progress=None, traceparent="", socket=None):
    """Leases `reference` ([namespace/]name[:version] or …@sha256:<digest>), loading it if it isn't resident, and maps it.

    variant: "tensors", "files" or "ort"; None: "tensors" where the model has any, else "files". deadline is in seconds; None: the
    daemon's default. tier: where it is wanted: "host" (or ""), "device:0", a device by its name ("sim:0"), or "any" device.
    progress(LoadProgress) is called on this thread while a load is waited for, at its begin and then some five times a second, and
    never where the model is resident. What it raises gives up the open and is raised here; the load goes on for whoever opens the
    model next. It can't open another model: this thread's connection is waiting.
    traceparent: whose span this is a part of, as W3C Trace Context writes it; "": $TRACEPARENT, if that is there.
    Raises a trims.Error: NotFound (with near names), TooLarge, DeadlineExceeded, …
    """
    told = None if progress is None else lambda *load: progress(LoadProgress(*load))
    more = (variant_key, _arguments.milliseconds(deadline, "deadline"), tier, told, traceparent)
    try:
        return Model(_open(_client.client(socket), reference, variant, more))
    except (NotFound, InvalidArgument) as error:
        if variant_key or not os.path.exists(reference):
            raise
        raise type(error)(error.message, f"add it first: {_arguments.how_to_add(reference)}") from None


def _open(client, reference, variant, more):
    if variant is not None:
        return client.open(reference, variant, *more)
    try:
        return client.open(reference, "tensors", *more)
    except NotFound as missing:
        try:
            return client.open(reference, "files", *more)
        except NotFound:
            raise missing from None
