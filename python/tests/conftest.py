"""A private trimsd with real models, and models of the tests' own making."""

import os
import sys
from pathlib import Path

import numpy
import pytest

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / ".cache/models"
sys.path[:0] = [str(ROOT / "demo"), str(ROOT / "bench")]
os.environ["TRIMS_AUTOSTART"] = "0"  # a test that wants a daemon says so

from daemon import Daemon  # noqa: E402


@pytest.fixture(scope="session")
def library():
    return ROOT / ".cache/deps/onnxruntime/lib/libonnxruntime.so"


@pytest.fixture(scope="session")
def daemon(library):
    with Daemon(os.environ["TRIMS_TEST_BUILD"], library) as running:
        os.environ["TRIMS_SOCKET"] = str(running.socket)
        yield running
        del os.environ["TRIMS_SOCKET"]


@pytest.fixture(scope="session")
def named_daemon(library, tmp_path_factory):
    """One whose preparer makes the form for models beyond 2 GB, of all models."""
    build = Path(os.environ["TRIMS_TEST_BUILD"])
    wrapper = tmp_path_factory.mktemp("prepare") / "trims-prepare"
    wrapper.write_text(f"#!/bin/sh\nexec '{build}/src/tools/prepare/trims-prepare' --ort-bytes-limit 1 \"$@\"\n")
    wrapper.chmod(0o755)
    with Daemon(build, library, preparer=wrapper) as running:
        yield running


def write_safetensors(path, tensors):
    """tensors: name -> (dtype name, shape, bytes)"""
    import json

    header, at = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(data for _, _, data in tensors.values()))


@pytest.fixture(scope="session")
def small(daemon, tmp_path_factory):
    """The name of a safetensors model, and what is in it."""
    import trims

    matrix = numpy.arange(12, dtype=numpy.float32).reshape(3, 4)
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    write_safetensors(path, {
        "matrix": ("F32", (3, 4), matrix.tobytes()),
        "scalar": ("I64", (), numpy.int64(7).tobytes()),
        "empty": ("F16", (0, 5), b""),
        "half": ("BF16", (2,), b"\x80\x3f\x00\x40"),  # 1.0, 2.0
        "flags": ("BOOL", (2,), b"\x01\x00"),
    })
    trims.add("small", path)
    return "small", path, matrix


@pytest.fixture(scope="session")
def ocr(daemon):
    import trims

    path = MODELS / "ddddocr/common.onnx"
    trims.add("ocr", path, variants=["files", "ort"])
    return path


@pytest.fixture
def image():
    return {"input1": numpy.random.default_rng(1).random((1, 1, 64, 160), numpy.float32)}
