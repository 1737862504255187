"""MXNet's own module, whose checkpoints may also be models that the daemon holds.

    from trims import mxnet as mx                                        # was: import mxnet as mx

    symbol, arguments, states = mx.model.load_checkpoint("resnet50", 0)   # was: the prefix of two files
    module = mx.mod.Module(symbol, label_names=None)
    module.bind([("data", (1, 3, 224, 224))], for_training=False)
    module.set_params(arguments, states)
    module.predict(mx.io.NDArrayIter(pictures))

What counts as a model reference: a str before which no file of such a checkpoint lies. Its arrays lie over the one copy of the node:
they can't be written to and have no gradients; a Module that is bound for inference on the processor, and Symbol.bind, compute over
them where they lie. Bound for training, a Module copies them, as MXNet does.

MXNet would copy weights in two more places: its fused MKL-DNN subgraphs keep a copy of each in a layout of their own, and its plain
operators lay a weight out anew in place. So importing this sets MXNET_SUBGRAPH_BACKEND=NONE for the whole process, unless it is set, and
keeps the operators from touching shared weights (adapters/mxnet/shared_weights.h); a process that imports plain mxnet keeps the fused
subgraphs, its default. docs/mxnet.md has what that costs and saves.
"""

import os
import types

os.environ.setdefault("MXNET_SUBGRAPH_BACKEND", "NONE")

import mxnet  # noqa: E402
from mxnet import *  # noqa: E402,F403 - a drop-in for `import mxnet as mx`
from mxnet import libinfo as _libinfo  # noqa: E402

from .. import _core  # noqa: E402
from ._checkpoint import SharedNDArray, is_reference, load_checkpoint, load_params  # noqa: E402
from ._module import Module  # noqa: E402

__version__ = mxnet.__version__

if mxnet.runtime.Features().is_enabled("MKLDNN"):
    _core.keep_mxnet_weights(os.path.realpath(_libinfo.find_lib_path()[0]))


class _Over(types.ModuleType):
    """Another module, some of whose names are ours."""

    def __init__(self, module, **ours):
        super().__init__(module.__name__, module.__doc__)
        self.__dict__.update(ours, _module=module)

    def __getattr__(self, name):
        return getattr(self._module, name)

    def __dir__(self):
        return dir(self._module)


model = _Over(mxnet.model, load_checkpoint=load_checkpoint, load_params=load_params)
module = mod = _Over(mxnet.module, Module=Module)


def __getattr__(name):
    return getattr(mxnet, name)
