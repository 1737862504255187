"""ONNX's own back-end tests, each model through plain ONNX Runtime and through TrIMS: the same verdict, the same outputs.

    run.py --build BUILD [--json FILE] [--data FOLDER] [--named] [--only TEXT]

The models are those of Debian's libonnx-testdata. --named: every ort variant in the form for models beyond 2 GB.
"""

import argparse
import collections
import concurrent.futures
import json
import logging
import sys
import tempfile
from pathlib import Path

import numpy
import onnx
import onnxruntime
import trims
import trims.onnxruntime
from onnx import numpy_helper

ROOT = Path(__file__).resolve().parents[3]
DATA = Path("/usr/share/libonnx-testdata/data")
TOLERANCE = 1e-4


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--named", action="store_true")
    parser.add_argument("--only", default="")
    return parser.parse_args()


def parsed(kind, path):
    message = kind()
    message.ParseFromString(path.read_bytes())
    return message


def read_value(path, type_):
    """A value of the test data: arrays, lists of arrays, or None."""
    which = type_.WhichOneof("value")
    if which == "sequence_type":
        return numpy_helper.to_list(parsed(onnx.SequenceProto, path))
    if which == "optional_type":
        return numpy_helper.to_optional(parsed(onnx.OptionalProto, path))
    return numpy_helper.to_array(parsed(onnx.TensorProto, path))


def feeds_of(folder, session):
    """One set of inputs for each of the folder's data sets."""
    graph = onnx.load(str(folder / "model.onnx"), load_external_data=False).graph
    types = {value.name: value.type for value in graph.input}
    names = [node.name for node in session.get_inputs()]
    for data in sorted(folder.glob("test_data_set_*")):
        paths = [data / f"input_{i}.pb" for i in range(len(names))]
        yield {name: read_value(path, types[name]) for name, path in zip(names, paths) if path.exists()}


def outcome(make, folder):
    """("loads not" | "runs not" | "runs", the outputs of each data set)"""
    try:
        session = make()
    except Exception as error:  # noqa: BLE001 - a verdict is compared, not handled
        return "loads not", str(error)[:300]
    try:
        return "runs", [session.run(None, feeds) for feeds in feeds_of(folder, session)]
    except Exception as error:  # noqa: BLE001
        return "runs not", str(error)[:300]


def same_value(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same_value, a, b))
    if not isinstance(a, numpy.ndarray) or not isinstance(b, numpy.ndarray):
        return type(a) is type(b) and repr(a) == repr(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind in "OUSVb":
        return bool((a == b).all())
    return a.tobytes() == b.tobytes() or numpy.allclose(a.astype("c16"), b.astype("c16"), TOLERANCE, TOLERANCE, equal_nan=True)


def is_random(folder):
    """Whether two runs of plain ONNX Runtime differ, too."""
    ops = {node.op_type for node in onnx.load(str(folder / "model.onnx"), load_external_data=False).graph.node}
    return bool(ops & {"Bernoulli", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial"})


def difference(folder, plain, mine):
    """None: the same."""
    if plain[0] != mine[0]:
        return f"plain ONNX Runtime {plain[0]}, TrIMS {mine[0]}: {mine[1] if mine[0] != 'runs' else plain[1]}"
    if plain[0] != "runs" or same_value(plain[1], mine[1]) or is_random(folder):
        return None
    return "the outputs differ"


class Comparison:
    def __init__(self, socket):
        self._socket, self._refused = socket, {}
        self.forms, self.verdicts, self.differ = collections.Counter(), collections.Counter(), []

    def add(self, item):
        """As `trims add NAME FILE` does; a refusal counts as a model that can't be loaded."""
        name, folder = item
        try:
            trims.add(name, folder / "model.onnx", socket=self._socket)
        except trims.Error as error:
            self._refused[name] = error
        return item

    def compare(self, item):
        name, folder = item
        plain = outcome(lambda: onnxruntime.InferenceSession(str(folder / "model.onnx")), folder)

        def by_name():
            if name in self._refused:
                raise self._refused[name]
            session = trims.onnxruntime.InferenceSession(name, trims_socket=self._socket)
            self.forms[session.trims_form] += 1
            return session

        what = difference(folder, plain, outcome(by_name, folder))
        self.verdicts[plain[0]] += 1
        if what:
            self.differ.append({"model": f"{folder.parent.name}/{folder.name}", "what": what})


def run(options, daemon):
    folders = [path.parent for path in sorted(options.data.glob("*/*/model.onnx")) if options.only in str(path)]
    items = [(f"m{i}", folder) for i, folder in enumerate(folders)]
    comparison = Comparison(str(daemon.socket))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for item in pool.map(comparison.add, items):
            comparison.compare(item)
    return {"models": len(items), "same": len(items) - len(comparison.differ), "verdicts": comparison.verdicts,
            "forms": comparison.forms, "differ": comparison.differ}


def start(options, folder):
    sys.path.insert(0, str(ROOT / "demo"))
    from daemon import Daemon

    preparer = None
    if options.named:
        preparer = Path(folder) / "trims-prepare"
        preparer.write_text(f"#!/bin/sh\nexec '{options.build.resolve()}/src/tools/prepare/trims-prepare' --ort-bytes-limit 1 \"$@\"\n")
        preparer.chmod(0o755)
    return Daemon(options.build.resolve(), ROOT / ".cache/deps/onnxruntime/lib/libonnxruntime.so",
                  **({"preparer": preparer} if preparer else {}))


def main():
    options = arguments()
    onnxruntime.set_default_logger_severity(4)
    logging.getLogger("trims.onnxruntime").setLevel(logging.ERROR)
    if not options.data.is_dir():
        sys.exit(f"no {options.data} here (try: scripts/setup)")
    with tempfile.TemporaryDirectory() as folder, start(options, folder) as daemon:
        summary = run(options, daemon)
    text = json.dumps(summary, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")
    sys.exit(0 if summary["models"] and not summary["differ"] else 1)


if __name__ == "__main__":
    main()
