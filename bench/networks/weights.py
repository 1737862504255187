"""Seeded weights with which a network of any depth gives finite answers that differ from class to class.

Nothing is trained. He's initialisation keeps the second moment of what flows through convolutions and ReLUs; the variances of batch
normalisations are what arrives there by the same estimate, so that a sum over a hundred residual units grows by addition only, and the
last fully connected layer is scaled so that its answers are spread by about one.
"""
import math
import zlib

import numpy as np

SEED = 2019
INPUT_MOMENT = 1 / 3  # of numbers between 0 and 1


def generator(name, seed=SEED):
    """One for each parameter: a parameter's values depend on its name alone."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def gains(node):
    """How much the second moment of a convolution's or a dense layer's answers is above that of what it gets."""
    return 1.0 if node.kind == "dense" and node.shape[0] != 4096 else 2.0  # only those of 4096 outputs have a ReLU behind them


def moment_after(node, before):
    """An estimate of the second moment of a node's answers, from those of its inputs."""
    if node.kind in ("conv", "dense"):
        return before[0] * gains(node)
    if node.kind == "relu":
        return before[0] / 2
    if node.kind == "batch_norm":
        return 1.0
    if node.kind == "add":
        return sum(before)
    if node.kind == "concat":
        return sum(moment * part.shape[0] for moment, part in zip(before, node.inputs)) / node.shape[0]
    if node.kind == "scale":
        return before[0] * node.attributes["factor"] ** 2
    return before[0]


def moments(graph):
    """{node's name: second moment of its answers}."""
    found = {}
    for node in graph.nodes:
        before = [found[one.name] for one in node.inputs]
        found[node.name] = moment_after(node, before) if before else INPUT_MOMENT
    return found


def values(node, parameter, arriving, seed=SEED):
    """One parameter's values; `arriving`: the second moment of the node's input."""
    shape = node.parameters[parameter]
    if parameter == "weight":
        deviation = math.sqrt(gains(node) / math.prod(shape[1:]))
        if node.kind == "dense" and gains(node) == 1:
            deviation /= math.sqrt(max(arriving, 1e-12))
        random = generator(f"{node.name}.{parameter}", seed)
        return random.standard_normal(shape, np.float32) * np.float32(deviation)
    constants = {"bias": 0.0, "gamma": 1.0, "beta": 0.0, "mean": 0.0, "variance": arriving}
    return np.full(shape, constants[parameter], np.float32)


def parameters(graph, seed=SEED):
    """(its full name, values) of all parameters, one after the other: no more than one has to be in memory."""
    estimate = moments(graph)
    for node in graph.nodes:
        for parameter in node.parameters:
            yield f"{node.name}.{parameter}", values(node, parameter, estimate[node.inputs[0].name], seed)
