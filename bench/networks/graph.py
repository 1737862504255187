"""A tiny builder of convolutional networks: nodes with shapes and parameters, and nothing of any framework.

    graph = Graph((3, 224, 224))
    x = graph.relu(graph.conv(graph.input, 64, 7, stride=2, pad=3))
    graph.output = graph.softmax(graph.dense(graph.pool(x, average=True), 1000))

A writer (onnx_file.py) turns the list of nodes into a framework's file. What each kind means, and its attributes, stands in KINDS;
shapes are without the batch: (channels, height, width), or (features,).
"""
import dataclasses
import math

KINDS = {
    "input": (),
    "conv": ("kernel", "stride", "pad", "groups"),  # parameters: weight, and bias where it has one
    "dense": (),  # of all that the input has, flattened; parameters: weight (outputs, inputs), bias
    "batch_norm": ("epsilon",),  # parameters: gamma, beta, and what isn't learned: mean, variance
    "relu": (),
    "pool": ("average", "kernel", "stride", "pad", "ceil", "count_pad"),  # kernel None: over the whole map
    "lrn": ("size", "alpha", "beta", "k"),  # across channels
    "add": (),
    "concat": (),  # of channels
    "slice": ("begin", "end"),  # of channels
    "scale": ("factor",),
    "flatten": (),
    "softmax": (),
}
STATISTICS = ("mean", "variance")  # parameters that are not learned, which publications don't count


@dataclasses.dataclass(frozen=True)
class Node:
    kind: str
    name: str
    inputs: tuple  # of Nodes
    shape: tuple
    attributes: dict
    parameters: dict  # name: shape

    def learned(self):
        return sum(math.prod(shape) for name, shape in self.parameters.items() if name not in STATISTICS)


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def windows(size, kernel, stride, pad, ceil=False):
    """How many windows of `kernel` fit into `size`; with `ceil` one that hangs over the end counts if it begins before it."""
    span = size + 2 * pad - kernel
    if span < 0:
        raise ValueError(f"a window of {kernel} doesn't fit into {size} with padding {pad}")
    count = (-(-span // stride) if ceil else span // stride) + 1
    return count - 1 if ceil and (count - 1) * stride >= size + pad else count


class Graph:
    def __init__(self, input_shape):
        self.nodes, self._counts = [], {}
        self.input = self.output = self._add("input", (), tuple(input_shape), name="data")

    def _add(self, kind, inputs, shape, parameters=None, name=None, **attributes):
        if set(attributes) != set(KINDS[kind]):
            raise ValueError(f"{kind}: expected attributes {KINDS[kind]}, found {tuple(attributes)}")
        number = self._counts[kind] = self._counts.get(kind, 0) + 1
        node = Node(kind, name or f"{kind}{number}", tuple(inputs), shape, attributes, parameters or {})
        self.nodes.append(node)
        self.output = node
        return node

    def parameters(self):
        """How many numbers are learned: what publications count."""
        return sum(node.learned() for node in self.nodes)

    def weight_bytes(self):
        """Of all parameters as 32-bit floats."""
        return 4 * sum(math.prod(shape) for node in self.nodes for shape in node.parameters.values())

    def conv(self, x, channels, kernel, stride=1, pad=0, groups=1, bias=True):
        kernel, stride, pad = pair(kernel), pair(stride), pair(pad)
        if x.shape[0] % groups or channels % groups:
            raise ValueError(f"{x.shape[0]} and {channels} channels don't divide into {groups} groups")
        place = tuple(windows(*each) for each in zip(x.shape[1:], kernel, stride, pad))
        parameters = {"weight": (channels, x.shape[0] // groups, *kernel)} | ({"bias": (channels,)} if bias else {})
        return self._add("conv", [x], (channels, *place), parameters, kernel=kernel, stride=stride, pad=pad, groups=groups)

    def dense(self, x, features):
        return self._add("dense", [x], (features,), {"weight": (features, math.prod(x.shape)), "bias": (features,)})

    def batch_norm(self, x, epsilon=1e-5):
        channels = (x.shape[0],)
        parameters = {"gamma": channels, "beta": channels, "mean": channels, "variance": channels}
        return self._add("batch_norm", [x], x.shape, parameters, epsilon=epsilon)

    def relu(self, x):
        return self._add("relu", [x], x.shape)

    def pool(self, x, kernel=None, stride=1, pad=0, average=False, ceil=False, count_pad=True):
        """Over windows, or without a kernel over the whole map."""
        if kernel is None:
            place = (1, 1)
        else:
            kernel, stride, pad = pair(kernel), pair(stride), pair(pad)
            place = tuple(windows(*each, ceil) for each in zip(x.shape[1:], kernel, stride, pad))
        return self._add("pool", [x], (x.shape[0], *place), average=average, kernel=kernel, stride=pair(stride), pad=pair(pad), ceil=ceil,
                         count_pad=count_pad)

    def lrn(self, x, size=5, alpha=1e-4, beta=0.75, k=1.0):
        return self._add("lrn", [x], x.shape, size=size, alpha=alpha, beta=beta, k=k)

    def add(self, x, y):
        if x.shape != y.shape:
            raise ValueError(f"can't add {y.shape} to {x.shape}")
        return self._add("add", [x, y], x.shape)

    def concat(self, *parts):
        if len({part.shape[1:] for part in parts}) != 1:
            raise ValueError(f"can't concatenate {[part.shape for part in parts]}")
        return self._add("concat", parts, (sum(part.shape[0] for part in parts), *parts[0].shape[1:]))

    def slice(self, x, begin, end):
        if not 0 <= begin < end <= x.shape[0]:
            raise ValueError(f"no channels {begin} to {end} among {x.shape[0]}")
        return self._add("slice", [x], (end - begin, *x.shape[1:]), begin=begin, end=end)

    def scale(self, x, factor):
        return self._add("scale", [x], x.shape, factor=factor)

    def flatten(self, x):
        return self._add("flatten", [x], (math.prod(x.shape),))

    def softmax(self, x):
        return self._add("softmax", [x], x.shape)
