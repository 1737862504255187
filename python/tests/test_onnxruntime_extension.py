"""Models with operators of a library of their own."""

import os
import subprocess
from pathlib import Path

import numpy
import onnxruntime
import pytest
import trims
from conftest import Daemon
from onnxmodels import save, with_custom_operator
from trims import onnxruntime as shared

BUILD = Path(os.environ["TRIMS_TEST_BUILD"])
LIBRARY = BUILD / "tests/adapters/libdouble_operator.so"
PREPARE = BUILD / "src/tools/prepare/trims-prepare"
FEEDS = {"x": numpy.ones((3, 64), "f4")}


@pytest.fixture(params=["bytes", "named"])
def knowing(request, library, tmp_path):
    """A daemon whose preparer knows the operators."""
    limit = "--ort-bytes-limit 1" if request.param == "named" else ""
    wrapper = tmp_path / "prepare"
    wrapper.write_text(f"#!/bin/sh\nexec '{PREPARE}' --onnxruntime-extension '{LIBRARY}' {limit} \"$@\"\n")
    wrapper.chmod(0o755)
    with Daemon(BUILD, library, preparer=wrapper) as running:
        yield request.param, running


def options():
    made = onnxruntime.SessionOptions()
    made.register_custom_ops_library(str(LIBRARY))
    return made


def answers_of(session):
    return session.run(None, FEEDS)[0]


def test_it_is_optimised_where_the_preparer_knows_the_library(knowing, tmp_path):
    form, daemon = knowing
    path = save(with_custom_operator(), tmp_path / "model.onnx")
    daemon.command("add", "double", path)
    expected = answers_of(onnxruntime.InferenceSession(str(path), options()))
    for wanted, more in ((form, {}), ("original", {"trims_form": "original"})):
        session = shared.InferenceSession("double", options(), trims_socket=str(daemon.socket), **more)
        assert session.trims_form == wanted
        numpy.testing.assert_allclose(answers_of(session), expected, 1e-4, 1e-5)
    with pytest.raises(Exception, match="Double"):
        shared.InferenceSession("double", trims_socket=str(daemon.socket))


def test_elsewhere_it_is_the_original_and_a_note_names_the_flag(daemon, tmp_path):
    path = save(with_custom_operator(), tmp_path / "model.onnx")
    trims.add("double", path)
    assert any("--onnxruntime-extension" in note for note in trims.show("double")["notes"])
    session = shared.InferenceSession("double", options())
    assert session.trims_form == "original"
    assert (answers_of(session) == answers_of(onnxruntime.InferenceSession(str(path), options()))).all()


def test_a_library_that_is_none(tmp_path):
    path = save(with_custom_operator(), tmp_path / "model.onnx")
    done = subprocess.run([PREPARE, "--source", path, "--out", tmp_path / "out", "--onnxruntime-extension", path],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "--onnxruntime-extension" in done.stderr
