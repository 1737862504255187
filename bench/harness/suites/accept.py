"""accept: what TrIMS takes beside what the frameworks take, by count, and what adding a model costs beside copying it.

The counts come from the suites that scripts/test runs, too; here they are rows beside the others.
"""
import hashlib
import json
import os
import subprocess
import time
import xml.etree.ElementTree as ElementTree

from harness.daemon import daemon
from harness.models import safetensors_header, synthetic_path
from harness.processes import BenchError, say
from harness.report import Row
from harness.session import scratch
from harness.stats import median

MEGABYTES = 512  # of the ONNX model, as scripts/fetch-models lays it out
BLOCK = 1 << 20


def run_script(bench, script, *words):
    done = subprocess.run([bench.root / script, *map(str, words)], cwd=bench.root, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def document(bench, file, script, *words):
    """What a suite writes with --json, whether or not all of it passed."""
    status, said = run_script(bench, script, *words, "--json", file)
    if not file.exists():
        raise BenchError(f"{script} ended with {status}:\n{said[-4000:]}")
    return json.loads(file.read_text())


def count(case, metric, bad, total, note=""):
    return Row("accept", case, metric, "differ" if metric != "cases" else "fail", bad, None, total, note)


def cases(bench, folder):
    say("accept: models as people keep them")
    file = folder / "cases.xml"
    status, said = run_script(bench, "python/tests/run.sh", "cases", bench.build.folder, f"--junitxml={file}")
    if not file.exists():
        raise BenchError(f"python/tests/run.sh ended with {status}:\n{said[-4000:]}")
    suite = ElementTree.parse(file).getroot().find("testsuite")
    bad = int(suite.get("failures")) + int(suite.get("errors"))
    return count("kept models", "cases", bad, int(suite.get("tests")))


def backend(bench, folder):
    say("accept: ONNX's own back-end tests")
    found = document(bench, folder / "backend.json", "python/tests/run.sh", "backend", bench.build.folder)
    return count("libonnx-testdata", "onnx-backend", found["models"] - found["same"], found["models"])


def differential(bench, folder, kind):
    say(f"accept: generated {kind} files")
    driver = bench.build.folder / "tests/accept/read_models"
    found = document(bench, folder / f"{kind}.json", "tests/accept/differential/run.sh", kind, driver, folder / "kept")[kind]
    return count(kind, "differential", found["differences"], found["cases"], f"{found['documented']} as docs/formats.md says")


def write_random(path, bytes_wanted):
    """A safetensors file of one hundred tensors with bytes of their own."""
    tensor_bytes = bytes_wanted // 100 // 4096 * 4096
    with open(path, "wb") as out:
        out.write(safetensors_header(100, tensor_bytes))
        for _ in range(100):
            out.write(os.urandom(tensor_bytes))
    return path


def copy_once(paths, to):
    """Reads, hashes and writes the bytes once; seconds."""
    began = time.monotonic()
    digest = hashlib.sha256()
    buffer = bytearray(BLOCK)
    with open(to, "wb", buffering=0) as out:
        for path in paths:
            with open(path, "rb", buffering=0) as file:
                while count_read := file.readinto(buffer):
                    view = memoryview(buffer)[:count_read]
                    digest.update(view)
                    out.write(view)
        os.fsync(out.fileno())
    took = time.monotonic() - began
    to.unlink()
    return took


def ingest(bench, folder, case, source, paths, held):
    say(f"accept: adding {case}")
    added, copied = [], []
    with daemon(bench.build) as server:
        for number in range(bench.choose(5, 1)):
            copied.append(copy_once(paths, server.folder / "copy"))
            began = time.monotonic()
            server.add(f"m{number}", source)
            added.append(time.monotonic() - began)
            server.trims("rm", f"m{number}")
    return Row("accept", case, "ingest", "s", median(added), median(copied), len(added), "beside reading, hashing, writing once",
               held)


def run(bench):
    with scratch() as folder:
        rows = [cases(bench, folder), backend(bench, folder)]
        rows += [differential(bench, folder, kind) for kind in ("safetensors", "onnx")]
        path = write_random(folder / "model.safetensors", bench.choose(512, 32) << 20)
        rows.append(ingest(bench, folder, "safetensors, 512 MB", path, [path], True))
        path.unlink()
        model = synthetic_path(bench.root, MEGABYTES).parent
        files = sorted(file for file in model.iterdir() if file.is_file())
        rows.append(ingest(bench, folder, f"ONNX, {MEGABYTES} MB, three variants", model, files, False))
    return rows
