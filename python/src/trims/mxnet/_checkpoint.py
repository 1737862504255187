"""Checkpoints by the name of a model: the symbol is a file of the `tensors` variant, its arrays are the variant's tensors."""

import os

import mxnet

from .. import _core
from .._model import open as _open
from ..errors import FailedPrecondition, InvalidArgument


class SharedNDArray(mxnet.nd.NDArray):
    """An array over pages that all processes share, and so are what it gives of itself: slices, reshape(), detach(). What would write to
    one raises ValueError. copy() and as_np_ndarray() make ordinary ones. MXNet's operators don't ask: one that is given it as `out`
    (sgd_update, an array's copyto() to it) ends the process, since the pages themselves can't be written to, and so does who writes to what
    DLPack made of it, which has no word for read-only."""

    __slots__ = []

    def _refuse(self, *_, **__):
        raise ValueError("this array is shared and can't be written to: array.copy() makes one of your own")

    # All of NDArray's that write to it, or are for that; its += and the like ask `writable` by themselves.
    __setitem__ = _sync_copyfrom = _full = _scatter_set_nd = slice_assign = slice_assign_scalar = _refuse
    attach_grad = to_dlpack_for_write = _refuse

    def detach(self):
        """MXNet's is writable."""
        return _shared(super().detach())

    def as_np_ndarray(self):
        """A copy: mxnet.numpy's arrays don't ask whether they may be written to."""
        return self.copy().as_np_ndarray()

    def _get_nd_basic_indexing(self, key):
        """MXNet's views, of array[:, 0] and the like, are NDArrays, which don't ask either; what isn't contiguous is copied."""
        made = super()._get_nd_basic_indexing(key)
        return made if made.writable else _shared(made)


def _shared(made):
    """The same array, read-only; `made` is none from then on, as the handle has one owner."""
    shared = SharedNDArray(made.handle, writable=False)
    made.handle = None
    return shared


def is_reference(prefix, epoch=None):
    """Whether load_checkpoint takes it for the name of a model: no file of such a checkpoint is there."""
    files = [f"{prefix}-symbol.json"] + ([] if epoch is None else ["%s-%04d.params" % (prefix, epoch)])
    return isinstance(prefix, str) and not any(os.path.exists(file) for file in files)


def load_checkpoint(prefix, epoch=None, *, deadline=None, progress=None, socket=None):
    """As mxnet.model.load_checkpoint: (Symbol, arguments, auxiliary states); `prefix` may be a model reference.

    Arrays of a model are read-only (writing to one raises ValueError) and hold the model: its lease lasts as long as any of them. The
    rest as of trims.open. Raises trims.InvalidArgument where the model is of another epoch, trims.FailedPrecondition where it is no MXNet
    checkpoint or has no symbol; load_params() does without one.
    """
    if not is_reference(prefix, epoch):
        return mxnet.model.load_checkpoint(prefix, epoch)
    model = _model(prefix, epoch, deadline, progress, socket)
    symbol = model.metadata("mxnet.symbol")
    if not symbol:
        raise FailedPrecondition(f"{prefix} was added without a symbol", f"trims add {prefix} PREFIX-0000.params, with PREFIX-symbol.json beside it")
    return mxnet.symbol.load_json(bytes(model.files[symbol]).decode()), *_split(model)


def load_params(prefix, epoch=None, *, deadline=None, progress=None, socket=None):
    """As mxnet.model.load_params: (arguments, auxiliary states), as load_checkpoint has them."""
    if not is_reference(prefix, epoch):
        return mxnet.model.load_params(prefix, epoch)
    return _split(_model(prefix, epoch, deadline, progress, socket))


def _model(reference, epoch, deadline, progress, socket):
    model = _open(reference, "tensors", deadline=deadline, tier="host", progress=progress, socket=socket)
    if model.metadata("format") != "mxnet":
        found = model.metadata("format") or "of another format"
        raise FailedPrecondition(f"{reference} is {found}: expected an MXNet checkpoint", f"trims.open({reference!r}) has its tensors")
    known = model.metadata("mxnet.epoch")
    if epoch is not None and known and int(known) != epoch:
        raise InvalidArgument(f"{reference} is of epoch {known}: expected {epoch}", f"trims add {reference} PREFIX-{epoch:04d}.params")
    return model


def _split(model):
    found = {"arg": {}, "aux": {}}
    for name in model.tensors:
        kind, _, short = name.partition(":")
        if kind in found:
            found[kind][short] = _array(model, name)
    return found["arg"], found["aux"]


def _array(model, name):
    """Over the model's own bytes; a copy where MXNet takes no such elements by DLPack."""
    view = model._core.tensor(name)[3]
    _core.add_mxnet_weights(view.address, len(view))
    try:
        return _shared(mxnet.nd.from_dlpack(model.dlpack(name).__dlpack__()))
    except mxnet.MXNetError:
        view = model.tensors[name]
        return mxnet.nd.array(view, dtype=view.dtype)
