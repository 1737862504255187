"""The models that are measured: real ones with their input shapes, and generated ones."""
import dataclasses
import json
import os
import struct
from pathlib import Path

from harness.processes import output_of


@dataclasses.dataclass(frozen=True)
class RealModel:
    name: str
    path: str  # below .cache/models
    inputs: str  # as bench_function takes them
    batched: str = ""  # the same for {n} at a time; empty: the model takes one


REAL = (
    RealModel("ddddocr-common", "ddddocr/common.onnx", "input1=1x1x64x256"),
    RealModel("ddddocr-det", "ddddocr/common_det.onnx", "images=1x3x416x416"),
    RealModel("ddddocr-old", "ddddocr/common_old.onnx", "input1=1x1x64x256"),
    RealModel("ppocr-rec", "pp-ocrv4/rec.onnx", "x=1x3x48x320", "x={n}x3x48x320"),
    RealModel("ppocr-det", "pp-ocrv4/det.onnx", "x=1x3x192x480", "x={n}x3x192x480"),
    RealModel("ppocr-cls", "pp-ocrv4/cls.onnx", "x=1x3x48x192", "x={n}x3x48x192"),
    RealModel("silero-vad", "silero-vad/silero_vad.onnx", "input=1x576;state=2x1x128;sr=", "input={n}x576;state=2x{n}x128;sr="),
)

ENCODER_INPUTS = "input_ids=1x128"
SYNTHETIC_INPUTS = "input=1x1024"
SYNTHETIC_BATCHED = "input={n}x1024"


def synthetic_path(root, megabytes):
    """What scripts/fetch-models --synthetic made."""
    return Path(root) / f".cache/models/synthetic-{megabytes}/model.onnx"


def safetensors_header(tensors, tensor_bytes):
    """The header, padded so that the data starts at a multiple of 4096."""
    entries = {}
    for i in range(tensors):
        entries[f"layer.{i:05}.weight"] = {"dtype": "F32", "shape": [tensor_bytes // 4],
                                           "data_offsets": [i * tensor_bytes, (i + 1) * tensor_bytes]}
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % 4096)
    return struct.pack("<Q", len(text)) + text


def write_safetensors(path, total_bytes, tensors=1):
    """A model of `tensors` equal F32 tensors, about `total_bytes` together.

    The data is a hole: zeros that take no room on the disk and no time to write. Attaching costs the same whatever the
    bytes are; nothing that reads, hashes or computes with the weights is measured on such a model.
    """
    tensor_bytes = max(4, total_bytes // tensors // 4 * 4)
    with open(path, "wb") as out:
        out.write(safetensors_header(tensors, tensor_bytes))
        out.truncate(out.tell() + tensors * tensor_bytes)
    return path


def write_random_safetensors(path, total_bytes):
    """A model of one tensor of random bytes, a block of which comes again and again: what reads it can't tell."""
    block = os.urandom(1 << 26)
    with open(path, "wb") as out:
        out.write(safetensors_header(1, total_bytes // 4 * 4))
        for at in range(0, total_bytes // 4 * 4, len(block)):
            out.write(block[:total_bytes // 4 * 4 - at])
    return path


def hollow_model(root, megabytes, out):
    """The synthetic model's graph with every extent cut to 16: the same nodes, next to no weights."""
    root = Path(root)
    argv = [root / ".venv/bin/python", root / "bench/hollow_model.py", synthetic_path(root, megabytes), out]
    output_of(argv)
    return out


def encoder_model(root, out, size=()):
    """RoBERTa-base's encoder with seeded weights, 496 MB; `size`: other numbers of layers and words."""
    root = Path(root)
    output_of([root / ".venv/bin/python", root / "bench/encoder_model.py", out, *size])
    return out
