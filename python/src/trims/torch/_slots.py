"""What a module's state dict consists of, as places that can be bound."""

from torch.nn.parameter import is_lazy


class Slot:
    """One parameter or buffer: its names, and every place of the module and those within that holds it."""

    def __init__(self, held, is_parameter):
        self.held, self.is_parameter = held, is_parameter
        self.names, self.places = [], []

    @property
    def lazy(self):
        return is_lazy(self.held)

    # As an attribute: recurrent layers keep a list of their weights beside, and see to it there.
    def bind(self, value):
        for part, name in self.places:
            setattr(part, name, value)

    # What was bound already is given back as it was bound; what the module refuses it still has.
    def give_back(self):
        for part, name in self.places:
            if getattr(part, name) is not self.held:
                setattr(part, name, self.held)


def _held_by(prefix, module):
    for name, value in module._parameters.items():
        if value is not None:
            yield prefix + name, value, True, True, (module, name)
    for name, value in module._buffers.items():
        if value is not None:
            yield prefix + name, value, False, name not in module._non_persistent_buffers_set, (module, name)


def slots_of(module):
    """(those of the state dict, those of buffers that are in none): tied ones, which are one tensor under several names, are one slot."""
    slots, others = {}, {}
    for path, part in module.named_modules(remove_duplicate=False):
        for name, value, is_parameter, persistent, place in _held_by(f"{path}." if path else "", part):
            found = slots if persistent or id(value) in slots else others
            slot = found.setdefault(id(value), Slot(value, is_parameter))
            if place not in slot.places:
                slot.places.append(place)
            slot.names.append(name)
    return list(slots.values()), list(others.values())
