"""Small ONNX models for the tests."""

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def mlp(width=64, layers=2):
    """x [batch, width] -> y; the dimension "batch" is denoted DATA_BATCH."""
    random = numpy.random.default_rng(0)
    nodes, weights, last = [], [], "x"
    for i in range(layers):
        matrix = (random.standard_normal((width, width)) / width**0.5).astype("f4")
        weights += [numpy_helper.from_array(matrix, f"w{i}"), numpy_helper.from_array(matrix[0], f"b{i}")]
        nodes += [helper.make_node("MatMul", [last, f"w{i}"], [f"m{i}"]), helper.make_node("Add", [f"m{i}", f"b{i}"], [f"a{i}"]),
                  helper.make_node("Relu", [f"a{i}"], [f"r{i}"])]
        last = f"r{i}"
    nodes[-1].output[0] = "y"
    x, y = (helper.make_tensor_value_info(name, FLOAT, ["batch", width]) for name in "xy")
    x.type.tensor_type.shape.dim[0].denotation = "DATA_BATCH"
    return model_of(helper.make_graph(nodes, "mlp", [x], [y], weights))


def model_of(graph, opset=17):
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def with_props():
    model = mlp()
    helper.set_model_props(model, {"names": "{0: 'person'}", "character": "abc\u4e2d\n\u6587"})
    model.producer_name, model.producer_version, model.domain, model.model_version = "acme", "1.2", "org.acme", 7
    model.doc_string, model.graph.doc_string, model.graph.name = "a doc", "graph doc", "d\u00e9tecteur"
    return model


def with_overridable():
    """A weight that is an input, too: what is given for it counts."""
    model = mlp()
    model.graph.input.append(helper.make_tensor_value_info("w0", FLOAT, [64, 64]))
    return model


def optional_identity():
    """An optional inside, which ONNX Runtime's own format can't hold."""
    tensor = helper.make_tensor_type_proto(FLOAT, [3, 64])
    nodes = [helper.make_node("Optional", ["x"], ["o"]), helper.make_node("OptionalGetElement", ["o"], ["g"]),
             helper.make_node("OptionalHasElement", ["o"], ["has"]), helper.make_node("Relu", ["g"], ["y"])]
    graph = helper.make_graph(nodes, "optional", [helper.make_value_info("x", tensor)],
                              [helper.make_value_info("y", tensor), helper.make_tensor_value_info("has", TensorProto.BOOL, [])])
    return model_of(graph, 18)


def with_custom_operator():
    """mlp() and then test::Double of tests/adapters/double_operator.cc."""
    model = mlp()
    model.graph.node[-1].output[0] = "half"
    model.graph.node.append(helper.make_node("Double", ["half"], ["y"], domain="test"))
    model.opset_import.append(helper.make_opsetid("test", 1))
    return model


def branch(name, seed, inner=None):
    """A graph that multiplies the outer x by a large weight `w` of its own; `inner`: a node to end with, of r to out."""
    matrix = (numpy.random.default_rng(seed).standard_normal((64, 64)) / 8).astype("f4")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["r" + name])]
    nodes.append(inner or helper.make_node("Relu", ["r" + name], ["out" + name]))
    return helper.make_graph(nodes, name, [], [helper.make_tensor_value_info("out" + name, FLOAT, None)],
                             [numpy_helper.from_array(matrix, "w")])


def with_nested_weights():
    """Weights of one name in both branches, in a branch of a branch, and around them."""
    deep = helper.make_node("If", ["c"], ["outB"], then_branch=branch("D", 3), else_branch=branch("E", 4))
    outer = numpy_helper.from_array(numpy.eye(64, dtype="f4") * 2, "outer")
    node = helper.make_node("If", ["c"], ["o"], then_branch=branch("A", 1), else_branch=branch("B", 2, deep))
    inputs = [helper.make_tensor_value_info("x", FLOAT, [3, 64]), helper.make_tensor_value_info("c", TensorProto.BOOL, [])]
    nodes = [node, helper.make_node("MatMul", ["o", "outer"], ["y"])]
    return model_of(helper.make_graph(nodes, "nested", inputs, [helper.make_tensor_value_info("y", FLOAT, None)], [outer]))


def with_loop_weights():
    """A Loop whose body adds x times a large weight, four times."""
    matrix = (numpy.random.default_rng(5).standard_normal((64, 64)) / 8).astype("f4")
    body = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["s", "m"], ["t"]),
         helper.make_node("Identity", ["go"], ["on"])], "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []), helper.make_tensor_value_info("go", TensorProto.BOOL, []),
         helper.make_tensor_value_info("s", FLOAT, [3, 64])],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []), helper.make_tensor_value_info("t", FLOAT, [3, 64])],
        [numpy_helper.from_array(matrix, "w")])
    four = numpy_helper.from_array(numpy.array(4, "i8"), "n")
    graph = helper.make_graph([helper.make_node("Loop", ["n", "", "x"], ["y"], body=body)], "loop",
                              [helper.make_tensor_value_info("x", FLOAT, [3, 64])],
                              [helper.make_tensor_value_info("y", FLOAT, [3, 64])], [four])
    return model_of(graph)


def with_int4():
    """Weights of a type that the index doesn't have, or didn't when this was written."""
    numbers = numpy.random.default_rng(6).integers(-8, 8, (64, 64))
    weight = helper.make_tensor("q", TensorProto.INT4, [64, 64], numbers.flatten().tolist())
    scale = numpy_helper.from_array(numpy.full(64, 0.1, "f4"), "scale")
    nodes = [helper.make_node("DequantizeLinear", ["q", "scale"], ["w"], axis=1), helper.make_node("MatMul", ["x", "w"], ["y"])]
    graph = helper.make_graph(nodes, "int4", [helper.make_tensor_value_info("x", FLOAT, [3, 64])],
                              [helper.make_tensor_value_info("y", FLOAT, [3, 64])], [weight, scale])
    model = model_of(graph, 21)
    model.ir_version = 10
    return model


def save(model, path, external=None):
    if external is None:
        onnx.save_model(model, str(path))
    else:
        (path.parent / external).unlink(missing_ok=True)
        onnx.save_model(model, str(path), save_as_external_data=True, location=external, size_threshold=256)
    return path
