"""Writes a network as ONNX, as exporters do: weights as initializers, batch normalisations as nodes, one picture at a time.

A file of more than 2 GB can't be: such weights go to a second file beside it, NAME.onnx.data.
"""
from pathlib import Path

import onnx
from onnx import TensorProto, helper, numpy_helper

from networks import weights

OPSET, IR_VERSION = 17, 9
INPUT, OUTPUT = "data", "answer"
LARGEST_FILE = 1_900_000_000  # beyond it weights lie apart


def _both(begin_and_end):
    return [*begin_and_end, *begin_and_end]


def _conv(node, names, _out):
    at = node.attributes
    return "Conv", names, {"kernel_shape": at["kernel"], "strides": at["stride"], "pads": _both(at["pad"]), "group": at["groups"]}


def _batch_norm(node, names, _out):
    return "BatchNormalization", names, {"epsilon": node.attributes["epsilon"]}


def _pool(node, names, _out):
    at = node.attributes
    kind = "Average" if at["average"] else "Max"
    if at["kernel"] is None:
        return f"Global{kind}Pool", names, {}
    options = {"kernel_shape": at["kernel"], "strides": at["stride"], "pads": _both(at["pad"])}
    if at["ceil"]:
        options["ceil_mode"] = 1
    if at["average"]:
        options["count_include_pad"] = int(at["count_pad"])
    return f"{kind}Pool", names, options


def _lrn(node, names, _out):
    at = node.attributes
    return "LRN", names, {"size": at["size"], "alpha": at["alpha"], "beta": at["beta"], "bias": at["k"]}


SIMPLE = {"relu": ("Relu", {}), "add": ("Add", {}), "concat": ("Concat", {"axis": 1}), "flatten": ("Flatten", {"axis": 1}),
          "softmax": ("Softmax", {"axis": 1}), "slice": ("Slice", {}), "scale": ("Mul", {}), "dense": ("Gemm", {"transB": 1})}
WITH_ATTRIBUTES = {"conv": _conv, "batch_norm": _batch_norm, "pool": _pool, "lrn": _lrn}


def _operator(node, names, out):
    if node.kind in WITH_ATTRIBUTES:
        return WITH_ATTRIBUTES[node.kind](node, names, out)
    operator, options = SIMPLE[node.kind]
    return operator, names, options


def _constants(node):
    """Small tensors that are attributes in the table and inputs in ONNX: (name, values)."""
    if node.kind == "slice":
        for name, value in (("begin", node.attributes["begin"]), ("end", node.attributes["end"]), ("axis", 1)):
            yield f"{node.name}.{name}", weights.np.array([value], "i8")
    if node.kind == "scale":
        yield f"{node.name}.factor", weights.np.float32(node.attributes["factor"])


def _nodes(graph):
    """ONNX's nodes, and the constants that they need."""
    nodes, constants = [], []
    for node in graph.nodes[1:]:
        names = [one.name for one in node.inputs]
        if node.kind == "dense" and len(node.inputs[0].shape) > 1:
            nodes.append(helper.make_node("Flatten", names, [f"{node.name}.flat"], f"{node.name}.flat", axis=1))
            names = [f"{node.name}.flat"]
        small = list(_constants(node))
        constants += small
        names += [f"{node.name}.{parameter}" for parameter in node.parameters] + [name for name, _ in small]
        out = OUTPUT if node is graph.output else node.name
        operator, inputs, options = _operator(node, names, out)
        nodes.append(helper.make_node(operator, inputs, [out], node.name, **options))
    return nodes, constants


def _beside(name, values, data, file_name):
    """A tensor whose bytes are appended to the file `data`."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=values.shape, data_location=TensorProto.EXTERNAL)
    place = {"location": file_name, "offset": data.tell(), "length": values.nbytes}
    for key, value in place.items():
        tensor.external_data.add(key=key, value=str(value))
    values.tofile(data)
    return tensor


def _initializers(graph, path, seed):
    if graph.weight_bytes() <= LARGEST_FILE:
        return [numpy_helper.from_array(values, name) for name, values in weights.parameters(graph, seed)]
    beside = Path(f"{path}.data")
    with open(beside, "wb") as data:
        return [_beside(name, values, data, beside.name) for name, values in weights.parameters(graph, seed)]


def write(network, path, seed=weights.SEED):
    """Writes the network of the table to `path`."""
    graph = network.graph()
    nodes, constants = _nodes(graph)
    initializers = [numpy_helper.from_array(weights.np.asarray(value), name) for name, value in constants]
    initializers += _initializers(graph, path, seed)
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *shape])
    made = helper.make_graph(nodes, network.name, [value(INPUT, graph.input.shape)], [value(OUTPUT, graph.output.shape)], initializers)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="trims")
    Path(path).write_bytes(model.SerializeToString())


def files(path):
    """All that write() made."""
    return [one for one in (Path(path), Path(f"{path}.data")) if one.exists()]
