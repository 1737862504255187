"""Models as they lie on people's disks: what the framework takes, by the name of a model, with the same bytes and answers."""

import json
import os
import shutil

import numpy
import onnx
import onnxruntime
import pytest
import trims
from conftest import write_safetensors
from onnx import TensorProto, helper, numpy_helper
from trims import onnxruntime as shared

onnxruntime.set_default_logger_severity(3)

FEEDS = {"x": numpy.random.default_rng(9).standard_normal((3, 64)).astype("f4")}


def network(width=64):
    """y = relu(x · w0 + b0) · w1, in ONNX."""
    rng = numpy.random.default_rng(5)
    weights = {name: rng.standard_normal(shape).astype("f4") for name, shape in
               {"w0": (width, width), "b0": (width,), "w1": (width, width)}.items()}
    nodes = [helper.make_node("MatMul", ["x", "w0"], ["m"]), helper.make_node("Add", ["m", "b0"], ["a"]),
             helper.make_node("Relu", ["a"], ["r"]), helper.make_node("MatMul", ["r", "w1"], ["y"])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width]) for name in "xy"]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], [numpy_helper.from_array(w, n) for n, w in weights.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def save(folder, external=None):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    if external is None:
        onnx.save(network(), path)
    else:
        onnx.save_model(network(), str(path), save_as_external_data=True, location=external, size_threshold=256)
    return path


def answers_agree(name, path, **options):
    expected = onnxruntime.InferenceSession(str(path)).run(None, FEEDS)
    got = shared.InferenceSession(name, **options).run(None, FEEDS)
    return all(abs(a - b).max() <= 1e-4 * abs(a).max() for a, b in zip(expected, got, strict=True))


def tensors_are(name, expected):
    with trims.open(name, variant="tensors") as model:
        assert set(model.tensors) == set(expected)
        for key, (dtype, shape, data) in expected.items():
            array = model.tensors[key]
            assert (model.dtype(key), tuple(array.shape), array.tobytes()) == (dtype, tuple(shape), data), key


def one(byte):
    return {"w": ("F32", (4,), bytes([byte]) * 16)}


class Hub:
    """A repository in a hub's cache: names are links, bytes are blobs of other names."""

    def __init__(self, root, name="org/net"):
        self.cache, self.blobs = root, 0
        self.folder = root / ("models--" + name.replace("/", "--"))
        (self.folder / "blobs").mkdir(parents=True)

    def snapshot(self, commit, files, ref=None):
        snapshot = self.folder / "snapshots" / commit
        for name, source in files.items():
            link = snapshot / name
            link.parent.mkdir(parents=True, exist_ok=True)
            blob = self.folder / "blobs" / f"b{self.blobs}"
            self.blobs += 1
            shutil.copy(source, blob)
            link.symlink_to(os.path.relpath(blob, link.parent))
        if ref:
            (self.folder / "refs").mkdir(exist_ok=True)
            (self.folder / "refs" / ref).write_text(commit)
        return snapshot


def test_a_hubs_snapshot_is_taken_as_it_is(daemon, tmp_path, monkeypatch):
    source = tmp_path / "source"
    save(source, external="model.onnx_data")
    hub = Hub(tmp_path / "hub")
    files = {f"onnx/{name}": source / name for name in ("model.onnx", "model.onnx_data")}
    first = hub.snapshot("0123abcd", files, ref="main")
    again = hub.snapshot("4567abcd", files)
    trims.add("hub-folder", first)
    assert answers_agree("hub-folder", source / "model.onnx")
    trims.add("hub-file", first / "onnx/model.onnx")
    assert trims.show("hub-file")["format"] == "onnx"
    assert answers_agree("hub-file", source / "model.onnx")
    trims.add("hub-again", again)
    assert trims.show("hub-again")["digest"] == trims.show("hub-folder")["digest"]
    monkeypatch.setenv("HF_HUB_CACHE", str(hub.cache))
    for name, text in {"by-name": "hf-cache:org/net", "by-revision": "hf-cache:org/net@4567"}.items():
        done = daemon.command("add", name, text)
        assert trims.show(name)["digest"] == trims.show("hub-folder")["digest"], done


def test_links_out_of_a_folder_need_a_word(daemon, tmp_path):
    write_safetensors(tmp_path / "elsewhere", one(1))
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "model.safetensors").symlink_to("../elsewhere")
    with pytest.raises(trims.errors.InvalidArgument, match="leads out") as refused:
        trims.add("linked", folder)
    assert "--follow-links" in refused.value.hint
    trims.add("linked", folder, follow_links=True)
    tensors_are("linked", one(1))
    with trims.open("linked", variant="files") as model:
        assert len(model.files["model.safetensors"]) == (tmp_path / "elsewhere").stat().st_size


@pytest.mark.parametrize("place", ["weights.bin", "data/weights.bin"])
def test_an_onnx_file_brings_its_external_data(daemon, tmp_path, place):
    (tmp_path / "data").mkdir()
    path = save(tmp_path, external=place)
    name = "brings-" + place.replace("/", "-")
    trims.add(name, path)
    assert answers_agree(name, path)
    with trims.open(name, variant="files") as model:
        assert set(model.files) == {"model.onnx", place}


def test_an_index_brings_its_shards(daemon, tmp_path):
    shards = {f"m-0000{i}-of-00002.safetensors": {f"l{i}": ("F32", (4,), bytes([i]) * 16)} for i in (1, 2)}
    for name, tensors in shards.items():
        write_safetensors(tmp_path / name, tensors)
    write_safetensors(tmp_path / "stray.safetensors", one(9))
    index = tmp_path / "m.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {t: name for name, tensors in shards.items() for t in tensors}}))
    whole = {key: value for tensors in shards.values() for key, value in tensors.items()}
    for name, source in {"sharded": tmp_path, "sharded-by-index": index}.items():
        trims.add(name, source)
        tensors_are(name, whole)
    assert "1 of 2" in str(trims.add("one-shard", tmp_path / "m-00001-of-00002.safetensors")["notes"]).replace("one", "1")
    (tmp_path / "m-00002-of-00002.safetensors").unlink()
    with pytest.raises(trims.errors.DataLoss, match="m-00002-of-00002.safetensors"):
        trims.add("cut", tmp_path)


def test_components_and_precisions(daemon, tmp_path):
    for number, part in enumerate(("text_encoder/model", "unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model")):
        (tmp_path / part).parent.mkdir()
        write_safetensors(tmp_path / f"{part}.safetensors", one(number))
    write_safetensors(tmp_path / "unet/diffusion_pytorch_model.fp16.safetensors", {"w": ("F16", (4,), b"h" * 8)})
    trims.add("pipeline", tmp_path)
    plain = {"text_encoder/w": one(0)["w"], "unet/w": one(1)["w"], "vae/w": one(2)["w"]}
    tensors_are("pipeline", plain)
    trims.add("half", tmp_path, precision="fp16")
    tensors_are("half", plain | {"unet/w": ("F16", (4,), b"h" * 8)})
    with pytest.raises(trims.errors.NotFound, match="there are: fp16"):
        trims.add("eighth", tmp_path, precision="fp8")


def test_unfinished_downloads_are_said_as_such(daemon, tmp_path):
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 438955872\n"
    save(tmp_path / "ext", external="model.onnx_data")
    (tmp_path / "ext/model.onnx_data").write_text(pointer)
    (tmp_path / "model.safetensors").write_text(pointer)
    (tmp_path / "part").mkdir()
    (tmp_path / "part/model.safetensors.incomplete").write_bytes(b"x")
    (tmp_path / "empty.onnx").write_bytes(b"")
    for source, words in {"ext": "git-lfs", "ext/model.onnx": "git-lfs", "model.safetensors": "git-lfs", "part": "not finished"}.items():
        with pytest.raises(trims.errors.FailedPrecondition, match=words):
            trims.add("unfinished", tmp_path / source)
    with pytest.raises(trims.errors.InvalidArgument, match="holds no bytes"):
        trims.add("unfinished", tmp_path / "empty.onnx")


@pytest.mark.parametrize("length", ["0", None])
def test_external_data_without_a_length(daemon, tmp_path, length):
    path = save(tmp_path, external="weights.bin")
    model = onnx.load(str(path), load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in [entry for entry in tensor.external_data if entry.key == "length"]:
            if length is None:
                tensor.external_data.remove(entry)
            else:
                entry.value = length
    path.write_bytes(model.SerializeToString())
    trims.add(f"length-{length}", tmp_path)
    assert answers_agree(f"length-{length}", path)


def test_of_an_initializer_that_comes_twice_the_last_counts(daemon, tmp_path):
    model = network()
    model.graph.initializer.append(numpy_helper.from_array(numpy.full((64, 64), 0.5, "f4"), "w0"))
    path = tmp_path / "twice.onnx"
    path.write_bytes(model.SerializeToString())
    trims.add("twice", path)
    assert answers_agree("twice", path)
    with trims.open("twice", variant="tensors") as opened:
        assert (opened.tensors["w0"] == 0.5).all()


SMALL = {"F4": 8, "F6_E2M3": 12, "F6_E3M2": 12, "F8_E4M3": 16, "F8_E5M2": 16, "F8_E4M3FNUZ": 16, "F8_E5M2FNUZ": 16,
         "F8_E8M0": 16, "C64": 128, "BF16": 32}


def test_small_types_have_the_librarys_bytes(daemon, tmp_path):
    import safetensors

    tensors = {f"t.{dtype}": (dtype, (2, 8), os.urandom(size)) for dtype, size in SMALL.items()}
    path = tmp_path / "types.safetensors"
    write_safetensors(path, tensors)
    read = {key: (view["dtype"], view["data"]) for key, view in safetensors.deserialize(path.read_bytes())}
    trims.add("types", path)
    tensors_are("types", tensors)
    with trims.open("types", variant="tensors") as model:
        assert all(bytes(data) == model.tensors[key].tobytes() for key, (_, data) in read.items())


def test_metadata_and_fixed_dimensions_are_the_plain_sessions(daemon, named_daemon, tmp_path):
    model = network()
    helper.set_model_props(model, {"names": "{0: 'person'}", "character": "abc中é"})
    model.producer_name, model.graph.doc_string, model.model_version = "acme", "graph doc", 7
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    fields = ("custom_metadata_map", "producer_name", "version", "graph_name", "graph_description", "description", "domain")
    plain = onnxruntime.InferenceSession(str(path)).get_modelmeta()
    for running in (daemon, named_daemon):
        trims.add("told", path, socket=str(running.socket))
        told = shared.InferenceSession("told", trims_socket=str(running.socket)).get_modelmeta()
        assert [getattr(told, field) for field in fields] == [getattr(plain, field) for field in fields]
        options = onnxruntime.SessionOptions()
        options.add_free_dimension_override_by_name("batch", 3)
        fixed = shared.InferenceSession("told", options, trims_socket=str(running.socket))
        assert fixed.get_inputs()[0].shape == [3, 64]
