"""trims.onnxruntime.InferenceSession: ONNX Runtime's own class by the name of a model."""

import gc
import os
import re
import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest
import trims
from onnxmodels import mlp, save
from trims import onnxruntime as shared

onnxruntime.set_default_logger_severity(3)


def private_bytes():
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Anonymous:"))


def worst(actual, expected):
    return max(abs(a - e).max() / abs(e).max() for a, e in zip(actual, expected, strict=True))


def test_answers_equal_onnxruntimes_own(ocr, image, tmp_path):
    session = shared.InferenceSession("ocr")
    outputs = session.run(None, image)
    # The same prepared bytes, as a plain file, in plain ONNX Runtime: bit for bit.
    prepared = tmp_path / "model.ort"
    prepared.write_bytes(session.trims_model.files["model.ort"])
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", "1")
    same = onnxruntime.InferenceSession(str(prepared), options).run(None, image)
    assert all((a == b).all() for a, b in zip(outputs, same, strict=True))
    assert worst(outputs, onnxruntime.InferenceSession(str(ocr)).run(None, image)) <= 1e-4


def test_it_is_the_same_class(ocr, image):
    session, plain = shared.InferenceSession("ocr"), onnxruntime.InferenceSession(str(ocr))
    assert isinstance(session, onnxruntime.InferenceSession)
    for get in ("get_inputs", "get_outputs"):
        mine, theirs = getattr(session, get)(), getattr(plain, get)()
        assert [(n.name, n.type, n.shape) for n in mine] == [(n.name, n.type, n.shape) for n in theirs]
    assert session.get_providers() == plain.get_providers()
    assert session.get_modelmeta().custom_metadata_map == plain.get_modelmeta().custom_metadata_map
    assert shared.SessionOptions is onnxruntime.SessionOptions


def test_metadata_of_the_model_is_there(daemon):
    trims.add("rec", Path(__file__).parents[2] / ".cache/models/pp-ocrv4/rec.onnx", variants=["ort"])
    assert len(shared.InferenceSession("rec").get_modelmeta().custom_metadata_map["character"]) > 6000


def test_no_copy_of_the_weights(ocr, image):
    shared.InferenceSession("ocr").run(None, image)
    gc.collect()
    before = private_bytes()
    session = shared.InferenceSession("ocr")
    assert private_bytes() - before < 5_000_000
    assert session.trims_model.hit


def test_paths_and_bytes_pass_through(ocr, image, tmp_path, monkeypatch):
    expected = onnxruntime.InferenceSession(str(ocr)).run(None, image)
    for given in (str(ocr), ocr, ocr.read_bytes()):
        session = shared.InferenceSession(given)
        assert session.trims_model is None
        assert (session.run(None, image)[0] == expected[0]).all()
    with pytest.raises(Exception, match="(?i)no such file|doesn't exist|NoSuchFile"):
        shared.InferenceSession("missing.onnx")
    monkeypatch.chdir(tmp_path)
    os.symlink(ocr, "ocr")
    assert not shared.is_reference("ocr")  # a file of that name is there
    with pytest.raises(TypeError):
        shared.InferenceSession(None)


def test_a_folder_of_the_models_name_is_no_path(ocr, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ocr").mkdir()
    assert shared.InferenceSession("ocr").trims_form == "bytes"


def test_session_options_are_kept_and_given_back(ocr, image):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_profiling = False
    session = shared.InferenceSession("ocr", options)
    again = shared.InferenceSession("ocr", options)
    assert session.get_session_options().intra_op_num_threads == 1
    assert options.graph_optimization_level == onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    from_file = onnxruntime.InferenceSession(str(ocr), options)
    outputs = [s.run(None, image)[0] for s in (session, again)]
    assert (outputs[0] == outputs[1]).all()
    assert worst(outputs, [from_file.run(None, image)[0]] * 2) <= 1e-4


PACKING = """
import onnxruntime
from test_onnxruntime import private_bytes
from trims import onnxruntime as shared
options = onnxruntime.SessionOptions()
options.add_session_config_entry("session.disable_prepacking", sys.argv[1])
before = private_bytes()
session = shared.InferenceSession("ocr", options)
print(private_bytes() - before)
"""


def test_prepacking_can_be_had(ocr, image):
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.disable_prepacking", "0")
    session = shared.InferenceSession("ocr", options)
    assert options.get_session_config_entry("session.disable_prepacking") == "0"
    assert worst(session.run(None, image), shared.InferenceSession("ocr").run(None, image)) <= 1e-4
    # In processes of their own: what others have freed would be taken first.
    program = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})\n" + PACKING
    unpacked, packed = (int(subprocess.run([sys.executable, "-c", program, off], check=True, capture_output=True, text=True).stdout)
                        for off in ("1", "0"))
    assert packed - unpacked > 5_000_000  # ONNX Runtime's own packed copy


def test_providers_may_change_later(ocr, image):
    session = shared.InferenceSession("ocr", providers=["CPUExecutionProvider"])
    before = session.run(None, image)
    session.set_providers(["CPUExecutionProvider"])
    assert (session.run(None, image)[0] == before[0]).all()


def test_the_session_holds_the_model(ocr, image):
    session = shared.InferenceSession("ocr")
    expected = session.run(None, image)
    session.trims_model.close()
    gc.collect()
    assert (session.run(None, image)[0] == expected[0]).all()
    session.set_providers(["CPUExecutionProvider"])  # loads it once more
    assert (session.run(None, image)[0] == expected[0]).all()


def test_a_path_that_is_no_model_says_how_to_share_one(daemon, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    for path in ("models/nowhere.onnx", str(tmp_path / "bad.onnx"), str(tmp_path)):
        with pytest.raises(Exception) as raised:
            shared.InferenceSession(path)
        [note] = raised.value.__notes__
        assert re.fullmatch(f"To share a model, add it first: trims add [a-z0-9_-]+ {re.escape(path)}", note)


def test_the_deadline_of_a_session_is_checked_by_name(ocr):
    with pytest.raises(ValueError, match="trims_deadline is -1"):
        shared.InferenceSession("ocr", trims_deadline=-1)


def test_a_session_that_waits_tells_how_far_the_load_is(daemon, tmp_path):
    trims.add("telling", save(mlp(width=48), tmp_path / "telling.onnx"), variants=["files", "ort"])
    told = []
    shared.InferenceSession("telling", trims_progress=told.append)
    assert told and 0 <= told[0].bytes_done <= told[0].bytes_total and told[0].bytes_total > 0


def test_a_missing_model_says_so(daemon):
    with pytest.raises(trims.NotFound, match="ocrr"):
        shared.InferenceSession("ocrr")


def test_a_model_prepared_for_another_runtime_is_refused(ocr, monkeypatch):
    monkeypatch.setattr(shared, "variant_key", lambda: "ort-0.1;level=all;cpu=other")
    with pytest.raises(trims.FailedPrecondition, match="ort-0.1"):
        shared.InferenceSession("ocr")


def test_the_form_for_models_beyond_2_gb(ocr, named_daemon, image):
    named_daemon.command("add", "ocr", ocr, "--variant", "ort")
    session = shared.InferenceSession("ocr", trims_socket=str(named_daemon.socket))
    assert session.trims_model.metadata("ort.form") == "named"
    before = session.run(None, image)
    assert worst(before, onnxruntime.InferenceSession(str(ocr)).run(None, image)) <= 1e-4
    gc.collect()
    session.set_providers(["CPUExecutionProvider"])
    assert (session.run(None, image)[0] == before[0]).all()


def test_session_options_belong_to_one_model_beyond_2_gb(ocr, named_daemon, image):
    socket = str(named_daemon.socket)
    named_daemon.command("add", "ocr", ocr, "--variant", "ort")
    named_daemon.command("add", "old", ocr.parent / "common_old.onnx", "--variant", "ort")
    options = onnxruntime.SessionOptions()
    expected = shared.InferenceSession("ocr", options, trims_socket=socket).run(None, image)
    gc.collect()  # the first session is gone; what the options point to is not
    again = shared.InferenceSession("ocr", options, trims_socket=socket)
    assert (again.run(None, image)[0] == expected[0]).all()
    with pytest.raises(trims.FailedPrecondition, match="session options"):
        shared.InferenceSession("old", options, trims_socket=socket)
