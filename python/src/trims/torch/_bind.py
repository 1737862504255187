"""load(): what is compared, what is bound."""

from typing import NamedTuple

import torch

from .. import _model
from ..errors import FailedPrecondition, InvalidArgument
from ._slots import slots_of
from ._tensors import Source, torch_dtype


class Differences(FailedPrecondition):
    """A module and a model don't fit. `differences` has a line for each reason, which the message has, too; nothing was bound."""

    def __init__(self, reference, differences, hint):
        super().__init__(f"the module does not fit {reference}, {len(differences)} differences: " + "; ".join(differences), hint)
        self.differences = list(differences)


class Loaded(NamedTuple):
    """What load() has done."""

    reference: str  # what was opened: "default/resnet50:2"
    tier: str  # "host", "device:0"
    device: str  # whose memory that is: "cuda:0"; "": the host's
    missing: list  # names of the module that the model lacks, with strict=False: they are as they were
    unexpected: list  # names of the model that the module lacks, with strict=False


def load(module, reference, device="cpu", *, strict=True, deadline=None, progress=None, socket=None):
    """Binds the parameters and buffers of a torch.nn.Module to a model that the daemon holds, by their names in its state dict.

    device: "cpu"; a device of the daemon's by its name, "cuda:0" or "sim:0" (whose tensors are the processor's); "any" of them. A GPU
    is found by its UUID, so that the tensors' ordinal is this process's, whatever number the daemon gives it.
    strict: False leaves what the model lacks as it is, and what the module lacks out; shapes and types have to fit all the same. deadline and
    progress are open()'s, `reference` too.

    No byte is copied. Parameters have requires_grad False afterwards, and the module is in eval mode; what the module held before is
    given up. Tied parameters stay tied, and may be in the model under any of their names; buffers that are not persistent are the module's own.
    Raises Differences with everything that does not fit, and then nothing was changed; else what open() raises.
    """
    if not isinstance(module, torch.nn.Module):
        raise InvalidArgument(f"the module is a {type(module).__name__}: expected a torch.nn.Module")
    tier = _tier_of(device)
    with _model.open(reference, "tensors", deadline=deadline, tier=tier, progress=progress, socket=socket) as model:
        plan = _Plan(module, Source(model))
        plan.compare(strict)
        if plan.differences:
            raise Differences(model.reference, plan.differences, _hint(plan, strict))
        plan.bind()
        module.eval()
        return Loaded(model.reference, model.tier, model.device, plan.missing, plan.unexpected)


def _tier_of(device):
    name = str(device)
    if name in ("cpu", "cpu:0"):
        return "host"
    if device is None or name in ("cuda", "meta") or name.isdigit():
        raise InvalidArgument(f"device is {device!r}: expected one device", 'device="cpu"; "cuda:0", by the daemon\'s number; "any"')
    return name


def _hint(plan, strict):
    if plan.wrong_types:
        return "the bytes are bound as they are: module.to(dtype) before load() makes the module one of the model's type"
    if prefix := plan.prefix():
        return f"all names of the module begin with '{prefix}': load({prefix.removesuffix('.')} of it), as with DistributedDataParallel"
    if plan.without_values:
        return "make the module on the processor, or give those buffers values, before load()"
    return "the module's constructor and the model belong together" if not strict else "strict=False leaves out what only one of them has"


class _Plan:
    def __init__(self, module, source):
        self._source = source
        self._slots, self._others = slots_of(module)
        self._chosen = []  # (slot, the model's name for it)
        self.missing, self.unexpected, self.differences = [], [], []
        self.wrong_types = self.without_values = False

    def prefix(self):
        """What all names of the module have and those of the model lack: "module.", where it was wrapped."""
        first = {name.split(".")[0] for slot in self._slots for name in slot.names}
        prefix = first.pop() + "." if len(first) == 1 else ""
        offered = set(self._source.names())
        fits = all(any(name.removeprefix(prefix) in offered for name in slot.names) for slot in self._slots)
        return prefix if prefix and fits else ""

    def compare(self, strict):
        offered = set(self._source.names())
        for slot in self._slots:
            names = [name for name in slot.names if name in offered]
            offered.difference_update(names)
            if not names:
                self.missing += slot.names[:1]
            elif slot.lazy:
                self.differences.append(f"'{names[0]}' has no shape yet: a lazy module has to be run once, or made with its sizes")
            else:
                self._compare_slot(slot, names)
        self.unexpected = sorted(offered)
        if strict:
            self.differences += [f"'{name}' is missing in the model" for name in self.missing]
            self.differences += [f"'{name}' is not in the module" for name in self.unexpected]
        for slot in self._others:
            if slot.held.is_meta:
                self.without_values = True
                self.differences.append(f"'{slot.names[0]}' is not persistent, so no model has it, and it has no values on the meta device")

    def _compare_slot(self, slot, names):
        before = len(self.differences)
        for name in names:
            dtype, shape = self._source.facts(name)
            if shape != tuple(slot.held.shape):
                self.differences.append(f"'{name}' has the shape {list(shape)} in the model and {list(slot.held.shape)} in the module")
            if torch_dtype(dtype) is not slot.held.dtype:
                self.wrong_types = True
                self.differences.append(f"'{name}' is of {dtype} in the model and of {slot.held.dtype} in the module")
        if len(self.differences) == before and self._same(names):
            self._chosen.append((slot, names[0]))

    def _same(self, names):
        """Whether what the model has under several names of one parameter is one value."""
        first = self._source.tensor(names[0]) if len(names) > 1 else None
        for other in names[1:]:
            tensor = self._source.tensor(other)
            if tensor.data_ptr() != first.data_ptr() and not torch.equal(first, tensor):
                self.differences.append(f"'{names[0]}' and '{other}' are one in the module and differ in the model")
                return False
        return True

    def bind(self):
        """All or nothing: a module may refuse to have an attribute set."""
        tensors = [self._source.tensor(name) for _, name in self._chosen]
        begun = []
        try:
            for (slot, _), tensor in zip(self._chosen, tensors):
                begun.append(slot)
                slot.bind(torch.nn.Parameter(tensor, requires_grad=False) if slot.is_parameter else tensor)
        except BaseException:
            for slot in begun:
                slot.give_back()
            raise
