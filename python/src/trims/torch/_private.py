"""The way back: a module with memory of its own."""

import copy


def private_copy(module, *, requires_grad=True):
    """A copy of `module` whose parameters and buffers are this process's own, to be trained or changed; `module` stays as it is.

    Tied parameters stay tied. requires_grad: of the parameters whose type can have gradients. The copy is in the mode (train, eval) that
    `module` is in.
    """
    own = copy.deepcopy(module)
    for parameter in own.parameters():
        parameter.requires_grad_(requires_grad and (parameter.is_floating_point() or parameter.is_complex()))
    return own
