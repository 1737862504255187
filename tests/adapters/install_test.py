#!/usr/bin/env python3
"""Installs libtrims and each adapter of a build folder, builds a consumer against them, and runs it on a real model.

install_test.py BUILD COMPILER
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "demo"))
from daemon import Daemon  # noqa: E402


def call(*command, **more):
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


RUNTIME = ROOT / ".cache/deps/onnxruntime"
sys.path.insert(0, str(ROOT / "bench"))


def installed(build, prefix, component):
    for one in ("libtrims", component):
        call("cmake", "--install", build, "--prefix", prefix, "--component", one)


def built(consumer, prefix, folder, compiler, *definitions):
    """The program of somebody else's project."""
    call("cmake", "-G", "Ninja", "-S", ROOT / "tests/adapters" / consumer, "-B", folder / consumer, f"-DCMAKE_PREFIX_PATH={prefix}",
         f"-DCMAKE_CXX_COMPILER={compiler}", *definitions)
    call("cmake", "--build", folder / consumer)
    return folder / consumer / consumer


def runs(program, prefix, daemon, model, expected, libraries="", **environment):
    for folder in (prefix / "lib", *(prefix / "lib").glob("*-linux-gnu")):
        libraries = f"{folder}:{libraries}"
    said = call(program, model, env={**os.environ, "TRIMS_SOCKET": str(daemon.socket), "LD_LIBRARY_PATH": libraries, **environment})
    if said.strip() != expected:
        sys.exit(f"expected {expected!r}, got {said!r}")


def onnxruntime(build, compiler, folder):
    call(ROOT / "scripts/fetch-models")
    prefix = folder / "prefix-onnxruntime"
    installed(build, prefix, "trims_onnxruntime")
    program = built("consumer", prefix, folder, compiler, f"-DONNXRUNTIME_ROOT={RUNTIME}")
    with Daemon(build, RUNTIME / "lib/libonnxruntime.so") as daemon:
        daemon.command("add", "vad", ROOT / ".cache/models/silero-vad/silero_vad.onnx", "--variant", "ort")
        runs(program, prefix, daemon, "vad", "3 inputs", f"{RUNTIME}/lib")


def mxnet(build, compiler, folder):
    if not (build / "adapters/mxnet/libtrims_mxnet.a").exists():
        print("skipped: trims_mxnet was not built, since there is no MXNet (scripts/setup)")
        return
    from networks import mxnet_file, table

    library = next((ROOT / ".venv-mxnet/lib").glob("python3*/site-packages/mxnet/libmxnet.so"))
    prefix = folder / "prefix-mxnet"
    installed(build, prefix, "trims_mxnet")
    program = built("consumer_mxnet", prefix, folder, compiler)
    mxnet_file.write(table.named("squeezenet-1.1"), folder / "net")
    with Daemon(build, RUNTIME / "lib/libonnxruntime.so") as daemon:
        daemon.command("add", "net", folder / "net-0000.params", "--variant", "tensors")
        runs(program, prefix, daemon, "net", "1000 classes", TRIMS_MXNET_LIBRARY=str(library))


def main():
    build, compiler = Path(sys.argv[1]).resolve(), sys.argv[2]
    with tempfile.TemporaryDirectory() as folder:
        onnxruntime(build, compiler, Path(folder))
        mxnet(build, compiler, Path(folder))


main()
