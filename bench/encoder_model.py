"""Writes RoBERTa-base's encoder with seeded weights: 124 million parameters, 496 MB.

Usage: encoder_model.py OUT.onnx [LAYERS VOCABULARY]. Needs the onnx package, so it runs in the virtual environment.

The graph is what exporters make of it, 128 tokens of any batch in, the last hidden state out. Left out: the mask of padding, which a
text of full length doesn't need, and dropout.
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TOKENS, WIDTH, HEADS, INNER, POSITIONS, EPSILON = 128, 768, 12, 3072, 514, 1e-5
LAYERS, VOCABULARY = 12, 50265
FIRST_POSITION = 2  # the model's first two are for padding


class Graph:
    def __init__(self):
        self.nodes, self.weights, self.random = [], [], np.random.default_rng(2019)

    def node(self, kind, inputs, name, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def constant(self, name, value):
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def weight(self, name, *shape):
        return self.constant(name, self.random.standard_normal(shape, np.float32) * np.float32(0.02))

    def norm(self, x, name):
        scale = self.constant(f"{name}.weight", np.ones(WIDTH, np.float32))
        return self.node("LayerNormalization", [x, scale, self.weight(f"{name}.bias", WIDTH)], name, axis=-1, epsilon=EPSILON)

    def linear(self, x, name, width, out):
        product = self.node("MatMul", [x, self.weight(f"{name}.weight", width, out)], f"{name}.product")
        return self.node("Add", [product, self.weight(f"{name}.bias", out)], name)

    def heads(self, x, name, order):
        split = self.node("Reshape", [self.linear(x, name, WIDTH, WIDTH), "split"], f"{name}.split")
        return self.node("Transpose", [split], f"{name}.heads", perm=order)

    def attention(self, x, name):
        query, key, value = (self.heads(x, f"{name}.{part}", order) for part, order in
                             (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])))
        scores = self.node("Div", [self.node("MatMul", [query, key], f"{name}.dots"), "root"], f"{name}.scores")
        shares = self.node("Softmax", [scores], f"{name}.shares", axis=-1)
        mixed = self.node("Transpose", [self.node("MatMul", [shares, value], f"{name}.mixed")], f"{name}.turned", perm=[0, 2, 1, 3])
        return self.linear(self.node("Reshape", [mixed, "joined"], f"{name}.joined"), f"{name}.output", WIDTH, WIDTH)

    def gelu(self, x, name):
        erf = self.node("Erf", [self.node("Div", [x, "sqrt2"], f"{name}.scaled")], f"{name}.erf")
        product = self.node("Mul", [x, self.node("Add", [erf, "one"], f"{name}.more")], f"{name}.product")
        return self.node("Mul", [product, "half"], name)

    def layer(self, x, name):
        attended = self.node("Add", [self.attention(x, f"{name}.attention"), x], f"{name}.attended")
        x = self.norm(attended, f"{name}.attention.norm")
        inner = self.gelu(self.linear(x, f"{name}.inner", WIDTH, INNER), f"{name}.gelu")
        return self.norm(self.node("Add", [self.linear(inner, f"{name}.outer", INNER, WIDTH), x], f"{name}.sum"), f"{name}.norm")

    def embeddings(self, vocabulary):
        words = self.node("Gather", [self.weight("words", vocabulary, WIDTH), "input_ids"], "embeddings.words")
        places = self.constant("places", np.arange(FIRST_POSITION, FIRST_POSITION + TOKENS, dtype=np.int64))
        positions = self.node("Gather", [self.weight("positions", POSITIONS, WIDTH), places], "embeddings.positions")
        placed = self.node("Add", [words, positions], "embeddings.placed")
        return self.norm(self.node("Add", [placed, self.weight("types", WIDTH)], "embeddings.sum"), "embeddings.norm")


def encoder(layers, vocabulary):
    graph = Graph()
    for name, value in (("split", np.array([0, 0, HEADS, WIDTH // HEADS])), ("joined", np.array([0, 0, WIDTH])),
                        ("root", np.float32(np.sqrt(WIDTH // HEADS))), ("sqrt2", np.float32(np.sqrt(2))), ("one", np.float32(1)),
                        ("half", np.float32(0.5))):
        graph.constant(name, value)
    x = graph.embeddings(vocabulary)
    for i in range(layers):
        x = graph.layer(x, f"layer{i}")
    graph.node("Identity", [x], "last_hidden_state")
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", TOKENS])
    out = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", TOKENS, WIDTH])
    made = helper.make_graph(graph.nodes, "encoder", [ids], [out], graph.weights)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


if __name__ == "__main__":
    size = [int(word) for word in sys.argv[2:]] or [LAYERS, VOCABULARY]
    onnx.save(encoder(*size), sys.argv[1])
