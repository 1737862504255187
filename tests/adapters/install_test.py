#!/usr/bin/env python3
"""Installs libtrims and the adapter of a build folder, builds a consumer against them, and runs it on a real model.

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


def main():
    build, compiler = Path(sys.argv[1]).resolve(), sys.argv[2]
    runtime = ROOT / ".cache/deps/onnxruntime"
    call(ROOT / "scripts/fetch-models")
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder) / "prefix"
        for component in ("libtrims", "trims_onnxruntime"):
            call("cmake", "--install", build, "--prefix", prefix, "--component", component)
        call("cmake", "-G", "Ninja", "-S", ROOT / "tests/adapters/consumer", "-B", Path(folder) / "build",
             f"-DCMAKE_PREFIX_PATH={prefix}", f"-DONNXRUNTIME_ROOT={runtime}", f"-DCMAKE_CXX_COMPILER={compiler}")
        call("cmake", "--build", Path(folder) / "build")
        with Daemon(build, runtime / "lib/libonnxruntime.so") as daemon:
            daemon.command("add", "vad", ROOT / ".cache/models/silero-vad/silero_vad.onnx", "--variant", "ort")
            libraries = f"{prefix}/lib:{runtime}/lib"
            for multiarch in (prefix / "lib").glob("*-linux-gnu"):
                libraries += f":{multiarch}"
            said = call(Path(folder) / "build/consumer", "vad",
                        env={**os.environ, "TRIMS_SOCKET": str(daemon.socket), "LD_LIBRARY_PATH": libraries})
    if said.strip() != "3 inputs":
        sys.exit(f"expected '3 inputs', got {said!r}")


main()
