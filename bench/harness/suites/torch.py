"""torch: processes with one PyTorch module: what they take together, and how long the first answer takes."""
import contextlib
import fcntl
import json
import os
import subprocess
from pathlib import Path

from harness.daemon import daemon
from harness.processes import BenchError, output_of, running, say
from harness.report import Row
from harness.session import rounds, scratch
from harness.stats import median
from harness.suites.memory import MIB, rollup

PROCESSES = 4
LAYERS, WIDTH = 7, 4096  # 470 MB of fp32
QUICK = 2, 1024
WAYS = ("torch", "safetensors", "safetensors-bound", "trims")
NAMES = {"torch": "torch.load", "safetensors": "safetensors", "safetensors-bound": "safetensors, bound without a copy", "none": "no weights"}

def install_package(bench):
    """The Python package over the client of the build that is measured."""
    site, build = bench.root / "build/bench-site", bench.build.folder
    environment = os.environ | {"SKBUILD_CMAKE_DEFINE": f"TRIMS_PROGRAMS_FROM={build}", "SKBUILD_BUILD_DIR": str(build / "python-wheel")}
    with open(build / "python-wheel.lock", "w") as lock:  # the tests build there, too
        fcntl.flock(lock, fcntl.LOCK_EX)
        say("installing the Python package")
        output_of([bench.root / ".venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-build-isolation", "--no-deps",
                   "--upgrade", "--target", site, bench.root / "python"], env=environment)
    return site


class Side:
    def __init__(self, bench, site, folder, server, shape):
        self._python, self._program, self._shape = bench.root / ".venv-torch/bin/python", bench.root / "bench/torch_process.py", shape
        self._what = {"torch": folder / "model.pt", "trims": "module", "none": "-"}
        self._safetensors = folder / "model.safetensors"
        self.environment = os.environ | {"PYTHONPATH": f"{site}:{self._program.parent}", "TRIMS_SOCKET": str(server.socket), "OMP_NUM_THREADS": "1",
                                         "PYTHONDONTWRITEBYTECODE": "1"}
        output_of([self._python, self._program, "write", folder / "model", *shape], env=self.environment)
        self.source = self._safetensors

    @contextlib.contextmanager
    def started(self, way, count):
        """(pids, what each said) of processes that have all answered and now wait."""
        layers, width = ("0", self._shape[1]) if way == "none" else self._shape
        argv = [self._python, self._program, way, self._what.get(way, self._safetensors), layers, width]
        with contextlib.ExitStack() as stack:
            processes, said = [], []
            for _ in range(count):  # one after the other, so that each has a processor
                process = stack.enter_context(running(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.environment))
                line = process.stdout.readline()
                if not line:
                    raise BenchError(f"a process that loads by {way} gave no answer")
                processes.append(process.pid)
                said.append(json.loads(line))
            yield processes, said

    def measure(self, way):
        with self.started(way, PROCESSES) as (pids, said):
            return {"pss": sum(rollup(pid)["Pss"] for pid in pids), "first": median([one["first_ns"] for one in said[1:]]),
                    "answers": {one["answer"] for one in said}}


def rows(bench, side, label):
    samples = rounds(bench, 5, "torch", {way: (lambda way=way: side.measure(way)) for way in (*WAYS, "none")})
    answers = set().union(*(one["answers"] for way in WAYS for one in samples[way]))
    if len(answers) != 1:
        raise BenchError(f"the ways of loading gave {len(answers)} different answers")
    of = lambda way, what: median([one[what] for one in samples[way]])
    own = of("none", "pss")
    for way in WAYS[:-1]:
        note = f"beside {NAMES[way]}"
        yield Row("torch", f"{PROCESSES} processes, {label}", "memory", "MiB", (of("trims", "pss") - own) / MIB, (of(way, "pss") - own) / MIB,
                  len(samples[way]), note + f"; less the {own / MIB:.0f} MiB that they take without weights", held=way == "torch")
        yield Row("torch", label, "first-inference", "ms", of("trims", "first") / 1e6, of(way, "first") / 1e6, len(samples[way]), note,
                  held=way != "safetensors-bound")


def run(bench):
    shape = [str(number) for number in bench.choose((LAYERS, WIDTH), QUICK)]
    with scratch() as folder, daemon(bench.build, "--host-budget", "45%") as server:
        side = Side(bench, install_package(bench), folder, server, shape)
        server.add("module", side.source, ["tensors"])
        return list(rows(bench, side, f"{Path(side.source).stat().st_size / 1e6:.0f} MB"))
