"""Writes a network as MXNet keeps checkpoints: PREFIX-symbol.json and PREFIX-0000.params, from the same table and with the same weights
as the ONNX file. Needs no MXNet.

Names follow MXNet's habit: conv1_weight, batch_norm1_gamma, and for what isn't learned batch_norm1_moving_mean.
"""
import json
import struct
from pathlib import Path

from networks import weights
from networks.graph import STATISTICS

VERSION = 10901  # MXNet 1.9.1, as symbols carry it
LIST_MAGIC, ARRAY_MAGIC = 0x112, 0xF993FAC9  # of the file, and of an array of the second version
CPU, FLOAT32 = 1, 0
STATISTIC_NAMES = {"mean": "moving_mean", "variance": "moving_var"}


def _conv(node):
    at = node.attributes
    return "Convolution", {"num_filter": node.shape[0], "kernel": at["kernel"], "stride": at["stride"], "pad": at["pad"],
                           "num_group": at["groups"], "no_bias": "bias" not in node.parameters}


def _dense(node):
    return "FullyConnected", {"num_hidden": node.shape[0]}


def _batch_norm(node):
    return "BatchNorm", {"eps": node.attributes["epsilon"], "fix_gamma": False}


def _pool(node):
    at = node.attributes
    options = {"pool_type": "avg" if at["average"] else "max"}
    if at["kernel"] is None:
        return "Pooling", options | {"global_pool": True, "kernel": (1, 1)}
    return "Pooling", options | {"kernel": at["kernel"], "stride": at["stride"], "pad": at["pad"], "count_include_pad": at["count_pad"],
                                 "pooling_convention": "full" if at["ceil"] else "valid"}


def _lrn(node):
    at = node.attributes
    return "LRN", {"nsize": at["size"], "alpha": at["alpha"], "beta": at["beta"], "knorm": at["k"]}


def _slice(node):
    return "slice_axis", {"axis": 1, "begin": node.attributes["begin"], "end": node.attributes["end"]}


OPERATORS = {
    "conv": _conv, "dense": _dense, "batch_norm": _batch_norm, "pool": _pool, "lrn": _lrn, "slice": _slice,
    "relu": lambda node: ("Activation", {"act_type": "relu"}),
    "add": lambda node: ("elemwise_add", {}),
    "concat": lambda node: ("Concat", {"num_args": len(node.inputs), "dim": 1}),
    "scale": lambda node: ("_mul_scalar", {"scalar": node.attributes["factor"]}),
    "flatten": lambda node: ("Flatten", {}),
    "softmax": lambda node: ("softmax", {"axis": 1})}


def parameter_name(node, parameter):
    return f"{node.name}_{STATISTIC_NAMES.get(parameter, parameter)}"


def symbol(graph):
    """The symbol's document."""
    nodes, places = [], {}

    def add(op, name, attributes=None, inputs=()):
        attributes = {key: str(value) for key, value in (attributes or {}).items()}
        nodes.append({"op": op, "name": name} | ({"attrs": attributes} if attributes else {}) | {"inputs": [[place, 0, 0] for place in inputs]})
        return len(nodes) - 1

    for node in graph.nodes:
        if node.kind == "input":
            places[node.name] = add("null", node.name)
            continue
        inputs = [places[one.name] for one in node.inputs]
        inputs += [add("null", parameter_name(node, parameter)) for parameter in node.parameters]
        operator, attributes = OPERATORS[node.kind](node)
        places[node.name] = add(operator, node.name, attributes, inputs)
    return {"nodes": nodes, "arg_nodes": [i for i, node in enumerate(nodes) if node["op"] == "null"],
            "node_row_ptr": list(range(len(nodes) + 1)), "heads": [[places[graph.output.name], 0, 0]],
            "attrs": {"mxnet_version": ["int", VERSION]}}


def _write_array(file, values):
    file.write(struct.pack("<Iii", ARRAY_MAGIC, 0, values.ndim) + struct.pack(f"<{values.ndim}q", *values.shape))
    file.write(struct.pack("<iii", CPU, 0, FLOAT32))
    values.tofile(file)


def _write_params(graph, path, seed):
    names = [f"{'aux' if parameter in STATISTICS else 'arg'}:{parameter_name(node, parameter)}"
             for node in graph.nodes for parameter in node.parameters]
    with open(path, "wb") as file:
        file.write(struct.pack("<QQQ", LIST_MAGIC, 0, len(names)))
        for _, values in weights.parameters(graph, seed):
            _write_array(file, values)
            file.flush()
        file.write(struct.pack("<Q", len(names)))
        for name in names:
            file.write(struct.pack("<Q", len(name)) + name.encode())


def files(prefix):
    """Of a checkpoint: (symbol, params)."""
    return Path(f"{prefix}-symbol.json"), Path(f"{prefix}-0000.params")


def write(network, prefix, seed=weights.SEED):
    """Writes the network of the table as the checkpoint `prefix`, epoch 0."""
    graph = network.graph()
    described, parameters = files(prefix)
    described.write_text(json.dumps(symbol(graph), indent=1) + "\n")
    _write_params(graph, parameters, seed)
