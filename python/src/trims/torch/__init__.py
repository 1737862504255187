"""PyTorch modules over the one copy of the node.

    import trims.torch

    module = Network(device="meta")              # or with memory of its own, which load() gives back
    trims.torch.load(module, "resnet50")         # its parameters and buffers are the shared ones from now on: no copy
    with torch.inference_mode():
        answer = module(picture)

    own = trims.torch.private_copy(module)       # to be trained

What is shared is read-only: the pages can't be written, whoever tries. PyTorch has no read-only tensors, so that an operation in place on one
(an optimizer's step, a batch normalisation in train mode) ends the process with a segmentation fault, and never changes what others see; load()
puts the module into eval mode for that. Whatever makes a new tensor (`module.half()`, `.to("cuda")`, copy.deepcopy) makes a private one. The lease
ends with the last tensor, storage or view of one. docs/adapters.md has the whole of it.
"""

from ._bind import Differences, Loaded, load
from ._private import private_copy

__all__ = ["Differences", "Loaded", "load", "private_copy"]
