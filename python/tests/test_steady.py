"""Graphs whose weights compute fast without packing (prepare/steady_graph.h): the same answers, whatever the shapes."""

import os
import subprocess

import numpy
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

onnxruntime.set_default_logger_severity(4)
RNG = numpy.random.default_rng(3)
PREPARE = os.path.join(os.environ["TRIMS_TEST_BUILD"], "src/tools/prepare/trims-prepare")
K, N = 48, 80
ORT_FILE = {"session.load_model_format": "ORT", "session.use_ort_model_bytes_directly": "1",
            "session.use_ort_model_bytes_for_initializers": "1", "session.use_memory_mapped_ort_model": "1"}
HAS_BLOCKS = all(flag in open("/proc/cpuinfo").read() for flag in ("avx2", "fma"))
HAS_VNNI = "avx512_vnni" in open("/proc/cpuinfo").read()


def values(*shape):
    return RNG.standard_normal(shape).astype("f4")


def model(nodes, weights, rank, opset=17, inputs=None):
    x = inputs or helper.make_tensor_value_info("x", TensorProto.FLOAT, ["a", "b", "c"][: rank - 1] + [K])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    initializers = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "net", [x], [y], initializers)
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def session(source, prepared=False, packing=True):
    """`source`: bytes of a model, or the path of a prepared one."""
    options = onnxruntime.SessionOptions()
    if prepared:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        for key, value in ORT_FILE.items():
            options.add_session_config_entry(key, value)
    if not packing:
        options.add_session_config_entry("session.disable_prepacking", "1")
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def prepare(folder, graph, least=64):
    """The path of what the preparer makes of it, and whether its sessions pack."""
    path = folder / "m.onnx"
    onnx.save(graph, path)
    subprocess.run([PREPARE, "--source", path, "--out", folder / "out", "--variant", "ort", "--steady-min-bytes", str(least)],
                   check=True, capture_output=True)
    index = (folder / "out/ort/ort.index").read_bytes()
    return folder / "out/ort/model.ort", b"ort.prepacking" in index


def same(folder, graph, shapes, changed=HAS_BLOCKS, tolerance=1e-4, least=64):
    made, packing = prepare(folder, graph, least)
    assert (b"trims.steady." in made.read_bytes()) == changed
    plain, steady = session(graph.SerializeToString()), session(made, True, packing)
    for shape in shapes:
        x = {"x": values(*shape)}
        expected, got = plain.run(None, x)[0], steady.run(None, x)[0]
        assert got.shape == expected.shape and got.dtype == expected.dtype
        numpy.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance * max(1, numpy.abs(expected).max(initial=0)))


ROWS = [(1, K), (7, K), (64, K), (0, K)]


@pytest.mark.parametrize("opset", [12, 13, 17, 18, 21])
@pytest.mark.parametrize("transposed", [0, 1])
@pytest.mark.parametrize("bias", [None, (N,), (1, N)])
def test_gemm(tmp_path, opset, transposed, bias):
    weights = {"w": values(N, K) if transposed else values(K, N)}
    if bias:
        weights["b"] = values(*bias)
    node = helper.make_node("Gemm", ["x", *weights], ["y"], transB=transposed, alpha=0.5, beta=-2.0)
    same(tmp_path, model([node], weights, 2, opset), ROWS)


@pytest.mark.parametrize("activation", ["Relu", "Tanh", "Sigmoid", "LeakyRelu"])
def test_a_product_with_an_activation(tmp_path, activation):
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["g"]), helper.make_node(activation, ["g"], ["y"])]
    graph = model(nodes, {"w": values(K, N), "b": values(N)}, 2)
    same(tmp_path, graph, ROWS, changed=HAS_BLOCKS and activation != "LeakyRelu")


@pytest.mark.parametrize("shapes", [[(K,)], ROWS, [(2, 3, K), (1, 1, K), (0, 3, K), (3, 0, K)], [(2, 1, 3, K), (2, 0, 3, K)]],
                         ids=["vector", "matrix", "3d", "4d"])
@pytest.mark.parametrize("opset", [14, 17, 21])
def test_matmul_of_any_rank(tmp_path, shapes, opset):
    graph = model([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": values(K, N)}, len(shapes[0]), opset)
    same(tmp_path, graph, shapes)


def test_what_is_left_as_it_is(tmp_path):
    column = {"w": values(K, N), "b": values(1)}
    scalar = helper.make_node("Gemm", ["x", "w", "b"], ["y"])
    left = helper.make_node("Gemm", ["x", "w"], ["y"], transA=1)
    tall = helper.make_tensor_value_info("x", TensorProto.FLOAT, [K, "rows"])
    cases = {
        "bias": (model([scalar], column, 2), ROWS),
        "transA": (model([left], {"w": values(K, N)}, 2, inputs=tall), [(K, 5)]),
        "old": (model([scalar], {"w": values(K, N), "b": values(N)}, 2, opset=11), ROWS),
        "rank": (model([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": values(K, N)}, 2, opset=13), ROWS),
    }
    for name, (graph, shapes) in cases.items():
        folder = tmp_path / name
        folder.mkdir()
        same(folder, graph, shapes, changed=False)


def outcome(session, x):
    """What it answers, or None where it refuses x."""
    try:
        return session.run(None, {"x": x})[0]
    except Exception as error:
        assert type(error).__module__.startswith("onnxruntime")
        return None


@pytest.mark.parametrize("op", ["Gemm", "MatMul"])
@pytest.mark.parametrize("opset", [12, 17])
def test_rows_of_another_width_are_refused(tmp_path, op, opset):
    anything = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", "width"])
    graph = model([helper.make_node(op, ["x", "w"], ["y"])], {"w": values(K, N)}, 2, opset, anything)
    made, packing = prepare(tmp_path, graph)
    plain, steady = session(graph.SerializeToString()), session(made, True, packing)
    for shape in [(2, 2 * K), (4, K // 2), (K, 1), (3, 0), (2, K + 1)]:
        assert outcome(plain, values(*shape)) is None and outcome(steady, values(*shape)) is None, shape
    assert outcome(steady, values(2, K)).shape == (2, N)


@pytest.mark.parametrize("alpha", [0.0, 1e-44, 1e30, float("inf"), float("nan")])
def test_an_alpha_that_weights_can_not_take_stays(tmp_path, alpha):
    graph = model([helper.make_node("Gemm", ["x", "w"], ["y"], alpha=alpha)], {"w": values(K, N)}, 2)
    same(tmp_path, graph, ROWS, changed=False)


def test_without_beta_a_bias_is_not_read(tmp_path):
    bias = values(N)
    bias[:2] = numpy.nan, numpy.inf
    same(tmp_path, model([helper.make_node("Gemm", ["x", "w", "b"], ["y"], beta=0.0)], {"w": values(K, N), "b": bias}, 2), ROWS)


@pytest.mark.parametrize("k, n", [(0, 5), (5, 0), (0, 0)])
@pytest.mark.parametrize("op", ["Gemm", "MatMul"])
def test_weights_without_elements_stay(tmp_path, op, k, n):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", k])
    graph = model([helper.make_node(op, ["x", "w"], ["y"])], {"w": values(k, n)}, 2, inputs=x)
    same(tmp_path, graph, [(2, k), (0, k)], changed=False, least=0)


def test_a_weight_that_callers_may_override_stays_theirs(tmp_path):
    graph = model([helper.make_node("Gemm", ["x", "w"], ["y"])], {"w": values(K, N)}, 2)
    graph.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [K, N]))
    made, _ = prepare(tmp_path, graph)
    assert b"trims.steady." not in made.read_bytes()
    feed = {"x": values(2, K), "w": values(K, N)}
    numpy.testing.assert_allclose(session(made, True, False).run(None, feed)[0], feed["x"] @ feed["w"], rtol=1e-4, atol=1e-4)


def test_two_products_share_one_weight(tmp_path):
    nodes = [helper.make_node("Gemm", ["x", "w"], ["g"]), helper.make_node("Gemm", ["g", "w"], ["y"])]
    graph = model(nodes, {"w": values(K, K)}, 2)
    same(tmp_path, graph, ROWS)
    made, _ = prepare_again(tmp_path, graph)
    assert made.stat().st_size < 2 * K * K * 4 + 20_000


def test_a_product_of_products_goes_on_with_the_image(tmp_path):
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["g"]), helper.make_node("Relu", ["g"], ["r"]),
             helper.make_node("Gemm", ["r", "v"], ["h"]), helper.make_node("Add", ["h", "one"], ["i"]),
             helper.make_node("Gemm", ["i", "w"], ["j"]), helper.make_node("Gemm", ["j", "v"], ["k"]),
             helper.make_node("Concat", ["k", "j"], ["y"], axis=1)]
    weights = {"w": values(K, N), "b": values(N), "v": values(N, K), "one": numpy.float32(1)}
    same(tmp_path, model(nodes, weights, 2), ROWS)


def test_matmuls_in_a_row_may_have_any_rank(tmp_path):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("MatMul", ["m", "v"], ["y"])]
    same(tmp_path, model(nodes, {"w": values(K, N), "v": values(N, 24)}, 3), [(2, 3, K), (0, 3, K), (3, 0, K), (1, 1, K)])


def operators(prepared):
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

    graph = InferenceSession.GetRootAs(prepared.read_bytes(), 0).Model().Graph()
    return [graph.Nodes(i).OpType().decode() for i in range(graph.NodesLength())]


def residual(nodes, op="MatMul"):
    """Two products, and what `nodes` make of x and of them."""
    nodes = [helper.make_node(op, ["x", "w"], ["g"]), helper.make_node(op, ["g", "v"], ["h"]), *nodes]
    return {"nodes": nodes, "weights": {"w": values(K, N), "v": values(N, K), "u": values(K, N)}}


@pytest.mark.parametrize("op", ["Gemm", "MatMul"])
@pytest.mark.parametrize("opset", [14, 17])
def test_a_sum_of_images_is_one(tmp_path, op, opset):
    more = [helper.make_node("Add", ["h", "x"], ["s"]), helper.make_node(op, ["s", "u"], ["t"]),
            helper.make_node(op, ["t", "v"], ["p"]), helper.make_node("Add", ["s", "p"], ["y"])]
    graph = model(**residual(more, op), rank=2, opset=opset)
    same(tmp_path, graph, ROWS)
    made, _ = prepare_again(tmp_path, graph)
    ops = operators(made)
    assert not HAS_BLOCKS or ops.count("ReorderOutput") == ops.count("ReorderInput") == 1 and "Add" not in ops
    if op == "MatMul":
        folder = tmp_path / "3d"
        folder.mkdir()
        same(folder, model(**residual(more), rank=3, opset=opset), [(2, 3, K), (0, 3, K), (3, 0, K), (1, 1, K)])


def test_what_is_added_may_have_another_shape(tmp_path):
    other = helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1)
    cases = {
        "broadcast": [other, helper.make_node("Add", ["h", "m"], ["y"])],
        "product": [other, helper.make_node("MatMul", ["m", "u"], ["n"]), helper.make_node("Add", ["g", "n"], ["y"])],
        "itself": [helper.make_node("Add", ["h", "h"], ["y"])],
        "column": [helper.make_node("ReduceSum", ["h"], ["m"], keepdims=1), helper.make_node("Add", ["m", "h"], ["y"])],
        "twice": [helper.make_node("Add", ["h", "x"], ["s"]), helper.make_node("Mul", ["s", "h"], ["y"])],
        "parallel": [helper.make_node("MatMul", ["x", "u"], ["n"]), helper.make_node("Add", ["n", "g"], ["y"])],
    }
    for name, nodes in cases.items():
        folder = tmp_path / name
        folder.mkdir()
        same(folder, model(**residual(nodes), rank=2), ROWS[:3])


def test_an_output_of_the_graph_may_be_a_products_input(tmp_path):
    nodes = [helper.make_node("Gemm", ["x", "w"], ["y"]), helper.make_node("Gemm", ["y", "v"], ["z"])]
    graph = model(nodes, {"w": values(K, N), "v": values(N, 24)}, 2)
    graph.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, None))
    same(tmp_path, graph, ROWS)


def prepare_again(folder, graph):
    again = folder / "again"
    again.mkdir()
    return prepare(again, graph)


def test_a_nested_graph_keeps_the_weights_around_it(tmp_path):
    branch = lambda name, op: helper.make_graph(  # noqa: E731
        [helper.make_node(op, ["x", "w"] if op == "MatMul" else ["x"], [name])], name, [],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("ReduceSum", ["m"], ["s"], keepdims=0),
             helper.make_node("Greater", ["s", "zero"], ["c"]),
             helper.make_node("If", ["c"], ["i"], then_branch=branch("t", "MatMul"), else_branch=branch("e", "Neg")),
             helper.make_node("Identity", ["i"], ["y"])]
    graph = model(nodes, {"w": values(K, K), "zero": numpy.float32(0)}, 2)
    same(tmp_path, graph, [(1, K), (7, K), (5, K), (2, K)])


def quantised(bias, zero):
    weight = RNG.integers(0, 255, (K, N)).astype("u1")
    weights = {"w": weight, "s": numpy.float32(0.02)}
    inputs = ["x", "w", "s", "", ""]
    if zero:
        weights["z"], inputs[3] = numpy.uint8(117), "z"
    if bias:
        weights["b"], inputs[4] = values(N), "b"
    return model([helper.make_node("DynamicQuantizeMatMul", inputs, ["y"], domain="com.microsoft")], weights, 2)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("zero", [True, False])
def test_bytes_get_a_sign(tmp_path, bias, zero):
    same(tmp_path, quantised(bias, zero), ROWS[:3], changed=HAS_VNNI, tolerance=1e-6)


def quantised_lstm(hidden=32):
    weights = {
        "w": RNG.integers(0, 255, (1, K, 4 * hidden)).astype("u1"), "r": RNG.integers(0, 255, (1, hidden, 4 * hidden)).astype("u1"),
        "b": values(1, 8 * hidden), "ws": numpy.array([0.01], "f4"), "wz": numpy.array([128], "u1"),
        "rs": numpy.array([0.01], "f4"), "rz": numpy.array([128], "u1"),
    }
    lstm = helper.make_node("DynamicQuantizeLSTM", ["x3", "w", "r", "b", "", "", "", "", "ws", "wz", "rs", "rz"], ["l"],
                            domain="com.microsoft", hidden_size=hidden)
    weights["axis"] = numpy.array([1], "i8")
    nodes = [helper.make_node("Unsqueeze", ["x", "axis"], ["x3"]), lstm, helper.make_node("ReduceMean", ["l"], ["y"], keepdims=0)]
    return model(nodes, weights, 2)


def test_of_a_quantised_lstm_the_recurrent_weights_alone_are_packed(tmp_path):
    graph = quantised_lstm()
    made, packing = prepare(tmp_path, graph)
    assert packing == HAS_VNNI
    plain, steady = session(graph.SerializeToString()), session(made, True, packing)
    for rows in (1, 9):
        x = {"x": values(rows, K)}
        numpy.testing.assert_allclose(steady.run(None, x)[0], plain.run(None, x)[0], rtol=1e-5, atol=1e-6)
    assert [i.name for i in steady.get_overridable_initializers()] == []
    assert [i.name for i in steady.get_inputs()] == ["x"]


def test_recurrent_weights_that_are_no_constants_need_no_packing(tmp_path):
    graph = quantised_lstm()
    graph.graph.input.append(helper.make_tensor_value_info("r", TensorProto.UINT8, [1, 32, 128]))
    made, packing = prepare(tmp_path, graph)
    assert not packing and b"trims.steady." not in made.read_bytes()


def tensors_of(graph):
    """Of an .ort file's graph and those nested in it."""
    yield from (graph.Initializers(i) for i in range(graph.InitializersLength()))
    for node in (graph.Nodes(i) for i in range(graph.NodesLength())):
        for attribute in (node.Attributes(i) for i in range(node.AttributesLength())):
            if attribute.T():
                yield attribute.T()
            if attribute.G():
                yield from tensors_of(attribute.G())


def nested_model():
    branch = lambda name, op: helper.make_graph(  # noqa: E731
        [helper.make_node(op, ["x", name + "w"], [name])], name, [],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)], [numpy_helper.from_array(values(K), name + "w")])
    nodes = [helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0), helper.make_node("Greater", ["s", "zero"], ["c"]),
             helper.make_node("If", ["c"], ["i"], then_branch=branch("t", "Mul"), else_branch=branch("e", "Sub")),
             helper.make_node("MatMul", ["i", "w"], ["y"])]
    return model(nodes, {"zero": numpy.float32(0), "w": values(K, 24)}, 2)


def test_nodes_may_be_called_as_values_are(tmp_path):
    nodes = [helper.make_node("Gemm", ["x", "w"], ["g"], name="h"), helper.make_node("Gemm", ["x", "v"], ["h"], name="y"),
             helper.make_node("Sub", ["g", "h"], ["s"], name="g"), helper.make_node("Erf", ["s"], ["y"], name="s")]
    same(tmp_path, model(nodes, {"w": values(K, N), "v": values(K, N)}, 2), ROWS)


def test_where_sums_are_rounded_to_half_nothing_changes(tmp_path):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT16, ["rows", K])
    graph = model([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": values(K, N).astype("f2")}, 2, inputs=x)
    graph.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    made, packing = prepare(tmp_path, graph)
    assert b"trims.steady." not in made.read_bytes()
    rows = {"x": values(3, K).astype("f2")}
    plain, steady = session(graph.SerializeToString()), session(made, True, packing)
    numpy.testing.assert_allclose(steady.run(None, rows)[0], plain.run(None, rows)[0], rtol=1e-3, atol=1e-2)


def test_weights_lie_where_processors_load_them_fastest(tmp_path):
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

    graph = nested_model()
    made, _ = prepare(tmp_path, graph, 1 << 20)
    buffer = made.read_bytes()
    weights = [tensor for tensor in tensors_of(InferenceSession.GetRootAs(buffer, 0).Model().Graph())
               if tensor.RawDataLength() >= 128]
    assert len(weights) == 3
    for tensor in weights:
        at = tensor._tab.Vector(tensor._tab.Offset(12))
        assert at % 64 == 0
    plain, aligned = session(graph.SerializeToString(), packing=False), session(made, True, False)
    for rows in (1, 2, 3, 4):
        x = {"x": values(rows, K)}
        numpy.testing.assert_array_equal(aligned.run(None, x)[0], plain.run(None, x)[0])


def test_by_default_small_weights_are_left_alone(tmp_path):
    graph = model([helper.make_node("Gemm", ["x", "w"], ["y"])], {"w": values(K, N)}, 2)
    made, _ = prepare(tmp_path, graph, 1 << 20)
    assert b"trims.steady." not in made.read_bytes()
