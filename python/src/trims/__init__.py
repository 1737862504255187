"""One copy of each model per node, shared read-only with every process.

    import trims

    trims.add("bert", "/models/bert/model.safetensors")      # once
    with trims.open("bert") as model:                        # in any process: maps the one copy
        weight = model.tensors["encoder.layer.0.weight"]     # a read-only NumPy array, no bytes copied

Where no socket is configured (TRIMS_SOCKET) and none answers, the first call starts a trimsd for this user;
TRIMS_AUTOSTART=0 forbids it. trims.onnxruntime has an InferenceSession that takes a model's name.
"""

from . import errors, trace
from ._client import (
    add, aliases, delete_alias, demote, drain, events, evict, explain, keep_alive, ls, pin, policy, prefetch, rm, rollback, set_alias, show, status, unpin
)
from ._model import LoadProgress, Model, open
from ._packed import PackedArray
from .errors import *  # noqa: F403
from .errors import Error

__version__ = "0.1.0"
__all__ = [
    "add", "aliases", "delete_alias", "demote", "drain", "errors", "events", "evict", "explain", "keep_alive", "LoadProgress", "ls", "Model", "open", "PackedArray", "pin", "policy",
    "prefetch", "rm", "rollback", "set_alias", "show", "status", "trace", "unpin"
]
__all__ += [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Error)]
