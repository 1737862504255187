"""The paper's networks (bench/networks): their sizes beside what is published, and that they compute."""

import json
import math
import subprocess
from pathlib import Path

import numpy
import onnx
import onnxruntime
import pytest
from networks import mxnet_file, onnx_file, weights
from networks.graph import Graph, windows
from networks.table import LARGE, NETWORKS, SMALL, UnknownNetwork, named

# The smallest of the other families: evaluating all of them in MXNet compares each with ONNX Runtime, too (bench/evaluate).
FAMILIES = ("resnet18-v2", "inception-bn", "resnext26", "xception", "resnet50")
COMPUTED = ("squeezenet-1.1", "nin", "googlenet", "dpn68")  # small ones that have all kinds of nodes but a product with a factor


def test_the_table_is_the_papers():
    assert (len(SMALL), len(LARGE), len(NETWORKS)) == (31, 8, 39)
    assert {network.pixels for network in LARGE} == {227, 454, 681, 908, 224, 448, 672, 896}


@pytest.mark.parametrize("name", NETWORKS)
def test_as_many_parameters_as_published_and_an_answer_for_each_class(name):
    network = named(name)
    graph = network.graph()
    assert graph.parameters() == network.published, network.source
    assert graph.output.shape == (network.classes,)


@pytest.mark.parametrize("name", COMPUTED)
def test_onnx_runtime_computes_what_the_table_says(name, tmp_path):
    network, path = named(name), tmp_path / "model.onnx"
    onnx_file.write(network, path)
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path))
    picture = numpy.random.default_rng(1).random((1, *network.input_shape), numpy.float32)
    answer = session.run(None, {onnx_file.INPUT: picture})[0]
    assert answer.shape == (1, network.classes)
    assert numpy.isfinite(answer).all() and answer.sum() == pytest.approx(1, rel=1e-4)
    assert 0.001 < answer.max() < 0.9, "spread over the classes, and not all the same"
    assert initializer_bytes(path) == pytest.approx(network.graph().weight_bytes(), abs=64 * len(network.graph().nodes))


MXNET = Path(__file__).resolve().parents[2] / ".venv-mxnet/bin/python"
needs_mxnet = pytest.mark.skipif(not MXNET.exists(), reason="there is no .venv-mxnet (scripts/setup makes it)")


def asked_of_mxnet(requests):
    done = subprocess.run([MXNET, Path(__file__).with_name("mxnet_process.py")], input="".join(json.dumps(one) + "\n" for one in requests),
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@needs_mxnet
def test_mxnet_counts_the_same_parameters_and_answers():
    graphs = {name: network.graph() for name, network in NETWORKS.items()}
    found = asked_of_mxnet({"symbol": json.dumps(mxnet_file.symbol(graph)), "data": (1, *graph.input.shape)} for graph in graphs.values())
    for (name, graph), shapes in zip(graphs.items(), found, strict=True):
        assert sum(math.prod(shape) for key, shape in shapes["arguments"].items() if key != "data") == NETWORKS[name].published, name
        assert shapes["answer"] == [1, NETWORKS[name].classes], name
        written = {mxnet_file.parameter_name(node, parameter): list(shape) for node in graph.nodes for parameter, shape in node.parameters.items()}
        assert {key: shape for key, shape in (shapes["arguments"] | shapes["states"]).items() if key != "data"} == written, name


@needs_mxnet
@pytest.mark.parametrize("name", ["tiny", *COMPUTED, *FAMILIES])
def test_mxnet_answers_what_onnx_runtime_answers(name, tmp_path):
    network = Tiny() if name == "tiny" else named(name)
    onnx_file.write(network, tmp_path / "model.onnx")
    mxnet_file.write(network, tmp_path / "model")
    picture = numpy.random.default_rng(1).random((1, *network.input_shape), numpy.float32)
    numpy.save(tmp_path / "picture.npy", picture)
    wanted = onnxruntime.InferenceSession(str(tmp_path / "model.onnx")).run(None, {onnx_file.INPUT: picture})[0]
    found = asked_of_mxnet([{"prefix": str(tmp_path / "model"), "picture": str(tmp_path / "picture.npy")}])[0]["answer"]
    numpy.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * abs(wanted).max())


def test_a_checkpoint_has_all_weights(tmp_path):
    mxnet_file.write(Tiny(), tmp_path / "tiny")
    described, parameters = mxnet_file.files(tmp_path / "tiny")
    assert json.loads(described.read_text())["attrs"] == {"mxnet_version": ["int", 10901]}
    arrays = sum(len(node.parameters) for node in Tiny().graph().nodes)
    assert 0 < parameters.stat().st_size - Tiny().graph().weight_bytes() < 120 * arrays, "heads and names besides the weights"


def initializer_bytes(path):
    return sum(math.prod(tensor.dims) * 4 for tensor in onnx.load(path).graph.initializer)


def tiny(graph, classes):
    """All kinds of nodes on a small picture."""
    x = graph.lrn(graph.relu(graph.batch_norm(graph.conv(graph.input, 8, 3, pad=1, bias=False))))
    y = graph.scale(graph.concat(graph.slice(x, 0, 3), graph.slice(x, 3, 8)), 0.5)
    x = graph.pool(graph.add(x, graph.conv(y, 8, (1, 3), pad=(0, 1), groups=2)), 3, 2, ceil=True)
    x = graph.pool(graph.pool(x, 3, 1, 1, average=True, count_pad=False), average=True)
    graph.softmax(graph.dense(graph.flatten(x), classes))


class Tiny:
    name, classes, input_shape = "tiny", 5, (3, 8, 8)

    def graph(self):
        graph = Graph(self.input_shape)
        tiny(graph, self.classes)
        return graph


def run(path):
    picture = numpy.linspace(0, 1, 192, dtype=numpy.float32).reshape(1, 3, 8, 8)
    return onnxruntime.InferenceSession(str(path)).run(None, {onnx_file.INPUT: picture})[0]


def test_weights_beside_the_file_are_the_same_weights(tmp_path, monkeypatch):
    onnx_file.write(Tiny(), tmp_path / "one.onnx")
    monkeypatch.setattr(onnx_file, "LARGEST_FILE", 100)
    onnx_file.write(Tiny(), tmp_path / "two.onnx")
    assert [path.name for path in onnx_file.files(tmp_path / "two.onnx")] == ["two.onnx", "two.onnx.data"]
    assert onnx_file.files(tmp_path / "one.onnx") == [tmp_path / "one.onnx"]
    numpy.testing.assert_array_equal(run(tmp_path / "one.onnx"), run(tmp_path / "two.onnx"))


def test_a_seed_is_a_model(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        onnx_file.write(Tiny(), tmp_path / name, seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b and a != c


@pytest.mark.parametrize("name", ["resnet269-v2", "inception-resnet-v2", "xception", "vgg19"])
def test_what_flows_through_a_deep_network_stays_small(name):
    assert all(1e-4 < moment < 1e4 for moment in weights.moments(named(name).graph()).values())


@pytest.mark.parametrize(("size", "ceil", "count"), [(55, False, 27), (56, False, 27), (56, True, 28), (112, True, 56)])
def test_windows(size, ceil, count):
    assert windows(size, 3, 2, 0, ceil) == count


def test_mistakes_are_refused():
    graph = Graph((3, 8, 8))
    with pytest.raises(ValueError, match="doesn't fit"):
        graph.conv(graph.input, 8, 9)
    with pytest.raises(ValueError, match="groups"):
        graph.conv(graph.input, 8, 3, groups=2)
    with pytest.raises(ValueError, match="can't add"):
        graph.add(graph.input, graph.conv(graph.input, 4, 1))
    with pytest.raises(ValueError, match="channels 2 to 4"):
        graph.slice(graph.input, 2, 4)
    with pytest.raises(UnknownNetwork, match="did you mean 'resnet50'"):
        named("resnet5")
