"""A session by a model's name answers as a session of its file does: to data, and to questions about the model and the options."""

import json
import logging

import numpy
import onnxruntime
import pytest
import trims
from onnxmodels import (
    mlp, optional_identity, save, with_int4, with_loop_weights, with_nested_weights, with_overridable, with_props,
)
from trims import onnxruntime as shared

FIELDS = ("custom_metadata_map", "producer_name", "domain", "version", "description", "graph_name", "graph_description")
MODELS = {"mlp": mlp, "props": with_props, "overridable": with_overridable, "optional": optional_identity}


def nodes(side):
    return [(node.name, node.type, node.shape) for node in side]


def described(session):
    """All that a session tells of itself."""
    options, meta = session.get_session_options(), session.get_modelmeta()
    fields = [name for name in dir(options) if not name.startswith("_") and not callable(getattr(options, name))]
    return {
        "inputs": nodes(session.get_inputs()),
        "outputs": nodes(session.get_outputs()),
        "overridable": nodes(session.get_overridable_initializers()),
        "meta": {field: getattr(meta, field) for field in FIELDS},
        "providers": (session.get_providers(), session.get_provider_options()),
        "memory": [str(info) for info in [*session.get_input_memory_infos(), *session.get_output_memory_infos()]].__len__(),
        "options": {name: getattr(options, name) for name in fields},
    }


def bound(session, feeds):
    binding = session.io_binding()
    for name, value in feeds.items():
        binding.bind_cpu_input(name, value)
    for output in session.get_outputs():
        binding.bind_output(output.name)
    session.run_with_iobinding(binding)
    return binding.copy_outputs_to_cpu()


def asked_async(session, feeds):
    import threading

    done, got = threading.Event(), []

    def callback(results, _, error):
        got.append((results, error))
        done.set()

    session.run_async(None, feeds, callback, None)
    assert done.wait(30)
    assert got[0][1] == ""
    return got[0][0]


def with_values(session, feeds):
    values = {name: onnxruntime.OrtValue.ortvalue_from_numpy(value) for name, value in feeds.items()}
    return [value.numpy() for value in session.run_with_ort_values(None, values)]


def close(actual, expected):
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        assert a.dtype == e.dtype and a.shape == e.shape
        numpy.testing.assert_allclose(a, e, rtol=1e-4, atol=1e-5)


@pytest.fixture(params=["bytes", "named"])
def either(request, daemon, named_daemon):
    return request.param, daemon if request.param == "bytes" else named_daemon


@pytest.mark.parametrize("name", MODELS)
def test_everything_a_program_can_ask(name, either, tmp_path):
    form, running = either
    path, feeds = save(MODELS[name](), tmp_path / f"{name}.onnx"), {"x": numpy.ones((3, 64), "f4")}
    running.command("add", name, path)
    plain, session = onnxruntime.InferenceSession(str(path)), shared.InferenceSession(name, trims_socket=str(running.socket))
    assert session.trims_form == ("named" if name == "optional" else form)
    assert described(session) == described(plain)
    for run in (lambda s, f: s.run(None, f), bound, asked_async, with_values):
        if name != "optional" or run is not with_values:
            close(run(session, feeds), run(plain, feeds))
    if name == "overridable":
        feeds["w0"] = numpy.zeros((64, 64), "f4")
        close(session.run(None, feeds), plain.run(None, feeds))


NESTED = {"nested": with_nested_weights, "loop": with_loop_weights, "int4": with_int4}


@pytest.mark.parametrize("name", NESTED)
def test_weights_of_nested_graphs_and_of_other_types(name, either, tmp_path):
    form, running = either
    path = save(NESTED[name](), tmp_path / f"{name}.onnx")
    running.command("add", name, path)
    noted = any("MatMulNBits" in note for note in trims.show(name, socket=str(running.socket))["notes"])
    assert noted == (name == "int4")
    plain, session = onnxruntime.InferenceSession(str(path)), shared.InferenceSession(name, trims_socket=str(running.socket))
    assert session.trims_form == form
    if form == "named" and name != "int4":
        assert any(key.startswith("trims.nested.") for key in session.trims_model.tensors)
    assert described(session) == described(plain)
    for condition in (True, False):
        feeds = {"x": numpy.random.default_rng(7).standard_normal((3, 64)).astype("f4"), "c": numpy.array(condition)}
        feeds = {node.name: feeds[node.name] for node in plain.get_inputs()}
        close(session.run(None, feeds), plain.run(None, feeds))


def test_profiling(daemon, tmp_path):
    path = save(mlp(), tmp_path / "profiled.onnx")
    daemon.command("add", "profiled", path)
    options = onnxruntime.SessionOptions()
    options.enable_profiling, options.profile_file_prefix = True, str(tmp_path / "profile")
    session = shared.InferenceSession("profiled", options)
    session.run(None, {"x": numpy.ones((1, 64), "f4")})
    assert session.trims_form == "bytes" and session.get_profiling_start_time_ns() > 0
    assert len(json.loads((tmp_path / session.end_profiling()).read_text())) > 3
    assert len(list(tmp_path.glob("profile_*"))) == 1  # none of a probe


def by_name(options):
    options.add_free_dimension_override_by_name("batch", 3)


def by_denotation(options):
    options.add_free_dimension_override_by_denotation("DATA_BATCH", 3)


def entry(key, value):
    return lambda options: options.add_session_config_entry(key, value)


def field(name, value):
    return lambda options: setattr(options, name, value)


def to_file(options):
    options.optimized_model_filepath = "optimised.onnx"


LEVELS = onnxruntime.GraphOptimizationLevel
ORIGINAL = {
    "by_name": by_name, "by_denotation": by_denotation, "to_file": to_file,
    "basic": field("graph_optimization_level", LEVELS.ORT_ENABLE_BASIC),
    "none": field("graph_optimization_level", LEVELS.ORT_DISABLE_ALL),
    "no_qdq": entry("session.disable_quant_qdq", "1"), "gelu": entry("optimization.enable_gelu_approximation", "1"),
    "some": entry("optimization.disable_specified_optimizers", "ConstantFolding"),
    "format": entry("session.load_model_format", "ONNX"), "provider": lambda options: options.add_provider("CPUExecutionProvider", {}),
}
SHARED = {
    "threads": field("intra_op_num_threads", 1), "arena": field("enable_cpu_mem_arena", False), "logid": field("logid", "x"),
    "pattern": field("enable_mem_pattern", False), "parallel": field("execution_mode", onnxruntime.ExecutionMode.ORT_PARALLEL),
    "spinning": entry("session.intra_op.allow_spinning", "0"), "denormal": entry("session.set_denormal_as_zero", "1"),
    "default": entry("session.disable_quant_qdq", "0"), "other": lambda options: options.add_free_dimension_override_by_name("no", 3),
}


@pytest.fixture
def model(daemon, tmp_path):
    path = save(mlp(), tmp_path / "model.onnx")
    daemon.command("add", "same", path)
    return path


@pytest.mark.parametrize("what", ORIGINAL)
def test_options_that_the_optimised_form_cannot_honour(what, model, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    mine, theirs = onnxruntime.SessionOptions(), onnxruntime.SessionOptions()
    ORIGINAL[what](mine), ORIGINAL[what](theirs)
    with caplog.at_level(logging.WARNING, "trims.onnxruntime"):
        session = shared.InferenceSession("same", mine)
    assert session.trims_form == "original" and len(caplog.records) == 1
    plain = onnxruntime.InferenceSession(str(model), theirs)
    assert described(session) == described(plain)
    feeds = {"x": numpy.ones((3, 64), "f4")}
    assert all((a == b).all() for a, b in zip(session.run(None, feeds), plain.run(None, feeds), strict=True))
    if what == "to_file":
        assert (tmp_path / "optimised.onnx").exists()


@pytest.mark.parametrize("what", SHARED)
def test_options_that_it_can(what, model, caplog):
    mine, theirs = onnxruntime.SessionOptions(), onnxruntime.SessionOptions()
    SHARED[what](mine), SHARED[what](theirs)
    session, plain = shared.InferenceSession("same", mine), onnxruntime.InferenceSession(str(model), theirs)
    assert session.trims_form == "bytes" and not caplog.records
    assert described(session) == described(plain)
    close(session.run(None, {"x": numpy.ones((3, 64), "f4")}), plain.run(None, {"x": numpy.ones((3, 64), "f4")}))


def test_disabled_optimizers_and_a_form_that_was_asked_for(model):
    assert shared.InferenceSession("same", disabled_optimizers={"ConstantFolding"}).trims_form == "original"
    assert shared.InferenceSession("same", read_config_from_model=1).trims_form == "original"
    asked = shared.InferenceSession("same", trims_form="original")
    assert asked.trims_form == "original" and asked.trims_model.variant == "files"
    with pytest.raises(trims.InvalidArgument, match="trims_form"):
        shared.InferenceSession("same", trims_form="quick")


def test_external_initializers_of_a_caller(daemon, tmp_path):
    folder = tmp_path / "external"
    folder.mkdir()
    path = save(mlp(), folder / "model.onnx", external="w.bin")
    daemon.command("add", "replaced", folder)
    answers, feeds = [], {"x": numpy.ones((3, 64), "f4")}
    for make in (lambda options: onnxruntime.InferenceSession(str(path), options),
                 lambda options: shared.InferenceSession("replaced", options)):
        options = onnxruntime.SessionOptions()
        value = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.zeros((64, 64), "f4"))
        options.add_external_initializers(["w0"], [value])
        answers.append(make(options).run(None, feeds)[0])
    assert (answers[0] == answers[1]).all()
    assert (answers[0] != shared.InferenceSession("replaced").run(None, feeds)[0]).any()


@pytest.mark.parametrize("location", ["w.bin", "data/w.bin"])
def test_a_model_without_an_ort_variant_and_with_external_data(location, daemon, tmp_path, caplog):
    folder = tmp_path / "folder"
    (folder / "data").mkdir(parents=True)
    path = save(mlp(), folder / "model.onnx", external=location)
    (folder / "README").write_text("hello")
    daemon.command("add", "outside", folder, "--variant", "files")
    session, plain = shared.InferenceSession("outside"), onnxruntime.InferenceSession(str(path))
    assert session.trims_form == "original" and "no ort variant" in caplog.text
    feeds = {"x": numpy.ones((3, 64), "f4")}
    assert (session.run(None, feeds)[0] == plain.run(None, feeds)[0]).all()
    options = onnxruntime.SessionOptions()
    for _ in range(2):
        assert (shared.InferenceSession("outside", options).run(None, feeds)[0] == plain.run(None, feeds)[0]).all()
    session.set_providers(["CPUExecutionProvider"])
    assert (session.run(None, feeds)[0] == plain.run(None, feeds)[0]).all()


def test_nested_external_data_is_never_read_from_the_working_folder(daemon, tmp_path, monkeypatch):
    folder, other = tmp_path / "nested", tmp_path / "other"
    folder.mkdir(), other.mkdir()
    path = save(with_nested_weights(), folder / "model.onnx", external="m.data")
    (other / "m.data").write_bytes(numpy.full((folder / "m.data").stat().st_size // 4, 7, "f4").tobytes())
    monkeypatch.chdir(other)
    daemon.command("add", "inner", folder)
    daemon.command("add", "inner-kept", folder, "--variant", "files")  # nobody looked into the model
    feeds = {"x": numpy.ones((3, 64), "f4"), "c": numpy.array(True)}
    close(shared.InferenceSession("inner").run(None, feeds), onnxruntime.InferenceSession(str(path)).run(None, feeds))
    with pytest.raises(trims.Unimplemented, match="default options"):
        shared.InferenceSession("inner", trims_form="original")
    with pytest.raises(trims.Unimplemented, match="inner graph"):
        shared.InferenceSession("inner", disabled_optimizers={"ConstantFolding"})
    with pytest.raises(Exception, match="/dev/null"):
        shared.InferenceSession("inner-kept")


def test_options_of_a_session_with_external_data_are_as_asked(daemon, tmp_path):
    save(mlp(), tmp_path / "model.onnx", external="w.bin")
    daemon.command("add", "beside", tmp_path)
    options, key = onnxruntime.SessionOptions(), "session.model_external_initializers_file_folder_path"
    session = shared.InferenceSession("beside", options, trims_form="original")
    for each in (options, session.get_session_options()):
        assert each.get_session_config_entry(key) == ""


def test_neither_form(daemon, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("x" * 5000)
    daemon.command("add", "notes", path)
    with pytest.raises(trims.NotFound, match="'ort'"):
        shared.InferenceSession("notes")
    daemon.command("add", "prepared", save(mlp(), tmp_path / "model.onnx"), "--variant", "ort")
    with pytest.raises(trims.FailedPrecondition, match="--variant files"):
        shared.InferenceSession("prepared", disabled_optimizers={"ConstantFolding"})
