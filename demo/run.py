"""The demo: real networks as functions in isolated processes, without TrIMS and with it. scripts/demo prepares and runs it."""

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import report  # noqa: E402
from daemon import Daemon  # noqa: E402
from page_cache import drop  # noqa: E402
from sandbox import Plain, choose  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
MODELS, INPUTS = ROOT / ".cache/models", ROOT / ".cache/inputs"
RUNTIME = ROOT / ".cache/deps/onnxruntime/lib"
PHASES = ("process", "runtime", "load", "inference")
HOW = {
    "cold": "framework, model not in page cache",
    "warm": "framework, model in page cache",
    "miss": "TrIMS, first open on the node",
    "hit": "TrIMS, model resident",
    "device": "TrIMS, on a simulated device",
}


@dataclass
class Function:
    name: str
    program: str
    models: dict  # reference: file under MODELS
    input: str
    expected: str  # file of INPUTS with the text
    labels: str = ""

    def files(self):
        return [MODELS / path for path in self.models.values()]

    def megabytes(self):
        return sum(path.stat().st_size for path in self.files()) / 1e6


FUNCTIONS = [
    Function("ocr", "demo-ocr", {"ocr": "ddddocr/common.onnx"}, "ocr.pgm", "ocr.txt", "ddddocr/common.txt"),
    Function(
        "text", "demo-text",
        {"text-det": "pp-ocrv4/det.onnx", "text-cls": "pp-ocrv4/cls.onnx", "text-rec": "pp-ocrv4/rec.onnx"},
        "text.ppm", "text.txt",
    ),
    Function("vad", "demo-vad", {"vad": "silero-vad/silero_vad.onnx"}, "vad.pcm", "vad.txt"),
    Function("ocr.py", "ocr.py", {"ocr": "ddddocr/common.onnx"}, "ocr.pgm", "ocr.txt", "ddddocr/common.txt"),
]


DEVICE = "sim:0"  # its memory is the host's: what it shows is the way to it, and not a GPU's speed
NO_MODEL = "no model"  # as the daemon says it


class WrongAnswer(Exception):
    pass


class Stage:
    """Where functions run: the sandbox, the programs, the daemon's socket."""

    def __init__(self, sandbox, build, site, daemon):
        self.sandbox, self.build, self.site, self.daemon = sandbox, Path(build), Path(site), daemon

    def start(self, function, shared, hold=False, uid_offset=0, tier=""):
        """A function over the MRM's memory (`shared`) or over files of its own."""
        see = self.sandbox.path
        binds = [(INPUTS, "/inputs"), (RUNTIME, "/onnxruntime")]
        argv = self._program(function, binds)
        environment = {"LD_LIBRARY_PATH": see(str(RUNTIME), "/onnxruntime"), "HOME": "/tmp", "LANG": "C.UTF-8"}
        if shared:
            # The socket's folder is all that a function needs of the node; there is no model in its world.
            binds.append((self.daemon.run_folder, "/tmp/trims"))
            environment["TRIMS_SOCKET"] = see(str(self.daemon.socket), "/tmp/trims/trimsd.sock")
            argv += ["--trims", *function.models, *(["--tier", tier] if tier else [])]
        else:
            binds.append((MODELS, "/models"))
            argv += ["--file", *(see(str(MODELS / path), f"/models/{path}") for path in function.models.values())]
        argv += ["--input", see(str(INPUTS / function.input), f"/inputs/{function.input}")]
        if function.labels:
            binds.append((MODELS / function.labels, "/tmp/labels.txt"))
            argv += ["--labels", see(str(MODELS / function.labels), "/tmp/labels.txt")]
        if function.program.endswith(".py"):
            environment["PYTHONPATH"] = see(str(self.site), "/site")
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        return self.sandbox.start(argv + ["--hold"] * hold, binds, environment, uid_offset)

    def _program(self, function, binds):
        see = self.sandbox.path
        if not function.program.endswith(".py"):
            binds.append((self.build / "demo", "/function"))
            return [see(str(self.build / "demo" / function.program), f"/function/{function.program}")]
        binds += [(ROOT / "demo", "/function"), (ROOT / ".venv", ROOT / ".venv"), (self.site, "/site")]
        return [str(ROOT / ".venv/bin/python"), see(str(ROOT / "demo/ocr.py"), "/function/ocr.py")]

    def run(self, function, shared, tier=""):
        """One whole function, from nothing to its end; raises WrongAnswer."""
        before = time.monotonic()
        running = self.start(function, shared, tier=tier)
        try:
            answer = running.answer()
            running.end()
        except BaseException:
            running.kill()
            raise
        answer["whole_ms"] = (time.monotonic() - before) * 1000
        check(function, answer)
        return answer


def check(function, answer):
    expected = (INPUTS / function.expected).read_text()
    if answer["result"] != expected:
        raise WrongAnswer(f"{function.name} ({answer['mode']}): expected {expected!r}, got {answer['result']!r}")


def measure(stage, function, repetitions):
    """{"cold" | "warm" | "miss" | "hit": medians}, the repetitions interleaved."""
    runs = {how: [] for how in HOW}
    runs["miss"].append(stage.run(function, shared=True))
    on_device = not function.program.endswith(".py")  # the Python adapter computes over the host's memory alone
    if on_device:
        stage.run(function, shared=True, tier=DEVICE)  # which brings it there
    for _ in range(repetitions):
        drop(function.files())
        runs["cold"].append(stage.run(function, shared=False))
        runs["warm"].append(stage.run(function, shared=False))
        runs["hit"].append(stage.run(function, shared=True))
        if on_device:
            runs["device"].append(stage.run(function, shared=True, tier=DEVICE))
    if not on_device:
        del runs["device"]
    if function.name == "ocr.py":
        del runs["miss"]  # the C++ function loaded the same model before
    return {how: summary(answers) for how, answers in runs.items()}


def summary(answers):
    median = lambda values: round(statistics.median(values), 3)
    row = {phase: median(answer["phases_ms"][phase] for answer in answers) for phase in PHASES}
    row["total"] = median(answer["total_ms"] for answer in answers)
    row["whole"] = median(answer["whole_ms"] for answer in answers)
    return row | {"n": len(answers), "result": answers[0]["result"], "pages": answers[0].get("pages")}


def memory_of(pid):
    """Bytes by kind, from the kernel's own sums over all mappings."""
    out = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        key, value = line.split(":")
        out[key] = int(value.split()[0]) * 1024
    private = out["Private_Clean"] + out["Private_Dirty"]
    return {"pss": out["Pss"], "private": private, "rss": out["Rss"]}


def many_at_once(stage, function, shared, count):
    """Starts `count` functions, lets all answer, and looks at their memory while all of them live."""
    running = []
    before = time.monotonic()
    try:
        for i in range(count):
            running.append(stage.start(function, shared, hold=True, uid_offset=i))
        for one in running:
            check(function, one.answer())
        seconds = time.monotonic() - before
        memory = [memory_of(one.pid) for one in running]
        daemon = memory_of(stage.daemon.pid) if shared else None
        while running:
            running[-1].end()
            running.pop()
    finally:
        for one in running:
            one.kill()
    total = sum(one["pss"] for one in memory)
    return {
        "functions": count, "seconds_until_all_answered": round(seconds, 3), "pss_total": total,
        "daemon_pss": daemon["pss"] if daemon else 0, "private_median": statistics.median(m["private"] for m in memory),
        "rss_median": statistics.median(m["rss"] for m in memory),
    }


def register(daemon, say):
    added = {}
    for function in FUNCTIONS:
        for reference, path in function.models.items():
            if reference not in added:
                say(f"  trims add {reference} {path}")
                added[reference] = daemon.command("add", reference, MODELS / path, "--variant", "ort")
    return added


def machine():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"cpu": model, "cores": os.cpu_count(), "memory_bytes": memory, "kernel": platform.release()}


def probe_with(build, site, daemon):
    def probe(sandbox):
        """There is no model yet. That the function itself says so is what has to work: bubblewrap fails with a 1, too."""
        running = Stage(sandbox, build, site, daemon).start(FUNCTIONS[2], shared=True)
        try:
            running.answer()
        except RuntimeError as error:
            return NO_MODEL in str(error)
        finally:
            running.kill()
        return False

    return probe


def choose_sandbox(options, daemon):
    if options.plain:
        return Plain("asked for with --plain")
    if not shutil.which("bwrap"):
        return Plain("there is no bwrap (try: scripts/setup)")
    return choose(probe_with(options.build, options.site, daemon))


def demonstrate(options, say):
    library = RUNTIME / "libonnxruntime.so"
    with Daemon(options.build, library, flags=("--device", f"{DEVICE},capacity=1GiB")) as daemon:
        sandbox = choose_sandbox(options, daemon)
        stage = Stage(sandbox, options.build, options.site, daemon)
        say(f"A private trimsd (pid {daemon.pid}); functions in {sandbox.name}.")
        register(daemon, say)
        result = {"machine": machine(), "isolation": sandbox.name, "functions": {}, "memory": {}}
        for function in FUNCTIONS:
            say(f"  {function.name}: {function.megabytes():.1f} MB, {options.repetitions} times each way")
            rows = measure(stage, function, options.repetitions)
            result["functions"][function.name] = {"megabytes": round(function.megabytes(), 1), "cold_start_ms": rows}
        for name, shared in (("framework", False), ("trims", True)):
            say(f"  {options.functions} × ocr at once, {name}")
            result["memory"][name] = many_at_once(stage, FUNCTIONS[0], shared, options.functions)
        result["status"] = daemon.command("status")
    return result


def main():
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="write everything measured to FILE")
    parser.add_argument("--build", default=ROOT / "build/release", help=argparse.SUPPRESS)
    parser.add_argument("--site", default=ROOT / "build/demo-site", help=argparse.SUPPRESS)
    parser.add_argument("--repetitions", type=int, default=7, help="of each way to start a function [7]")
    parser.add_argument("--functions", type=int, default=16, help="at once on one model [16]")
    parser.add_argument("--plain", action="store_true", help="no isolation: plain processes")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    try:
        result = demonstrate(options, lambda text: print(text, file=sys.stderr, flush=True))
    except KeyboardInterrupt:
        return 130
    except (WrongAnswer, RuntimeError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print(report.text(result, HOW, PHASES))
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
