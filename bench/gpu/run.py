#!/usr/bin/env python3
"""Runs and measures the device tier on this machine's first GPU: run [--json FILE] [--quick] [--standin].

The folder holds all that it needs but the driver. Ends with 0 if every answer was right; bars are shown, not enforced.
--standin: a stand-in for the driver instead of hardware, to try this program itself; its times mean nothing.
"""
import argparse
import contextlib
import json
import os
import pathlib
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
MB, GB = 1_000_000, 1_000_000_000
DEVICE = "cuda:0"


class Failed(Exception):
    pass


def say(text):
    print(f"\033[1mgpu:\033[0m {text}", file=sys.stderr, flush=True)


def environment(standin):
    env = {**os.environ, "LD_LIBRARY_PATH": f"{HERE / 'lib'}:{os.environ.get('LD_LIBRARY_PATH', '')}".rstrip(":")}
    if standin:
        env["TRIMS_CUDA_LIBRARY"] = str(HERE / "bin/libcuda_standin.so")
    return env


class Daemon:
    def __init__(self, folder, standin, *flags):
        self.folder, self.env = pathlib.Path(folder), environment(standin)
        self.socket = self.folder / "run/trimsd.sock"
        driver = f",driver={HERE / 'bin/libcuda_standin.so'}" if standin else ""
        ready, passed = os.pipe()
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [HERE / "bin/trimsd", "--socket", self.socket, "--data", self.folder / "data", "--device", DEVICE + driver, "--ready-fd", str(passed),
                 *flags], env=self.env, stdout=log, stderr=log, pass_fds=[passed])
        os.close(passed)
        with os.fdopen(ready, "rb") as pipe:
            if not pipe.read(1):
                raise Failed("trimsd did not start:\n" + (self.folder / "log").read_text()[-2000:])

    def trims(self, *arguments):
        answer = subprocess.run([HERE / "bin/trims", "--json", "--no-autostart", "--socket", self.socket, *map(str, arguments)], env=self.env,
                                capture_output=True, text=True, check=False)
        if answer.returncode:
            raise Failed(f"trims {' '.join(map(str, arguments))}: {(answer.stderr or answer.stdout).strip()}")
        return json.loads(answer.stdout) if answer.stdout else None

    def program(self, name, *arguments):
        answer = subprocess.run([HERE / "bin" / name, *map(str, arguments)], env=self.env, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise Failed(f"{name} {' '.join(map(str, arguments))}: {answer.stderr.strip()}")
        return json.loads(answer.stdout)

    def opens(self, model, tiers, repetitions, hold=(), drop=()):
        plan = self.folder / "plan.json"
        plan.write_text(json.dumps({"socket": str(self.socket), "models": [model], "variant": "tensors", "tiers": list(tiers), "hold": list(hold),
                                    "repetitions": repetitions, "drop": list(drop)}))
        return {tier: statistics.median(ns) for tier, ns in self.program("bench_tiers", plan)["ns"][model].items()}

    def stored(self):
        return [str(path) for path in (self.folder / "data/prepared").rglob("*") if path.is_file() and path.stat().st_size]

    def same(self, model):
        return self.program("bench_device", "check", self.socket, model, "tensors", DEVICE)["same"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            say("trimsd did not end within 30 s and is killed")
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def daemon(standin, *flags):
    with tempfile.TemporaryDirectory(prefix="trims-gpu-") as folder:
        one = Daemon(folder, standin, *flags)
        try:
            yield one
        finally:
            one.stop()


def write_model(path, size, tensors=1):
    each = size // tensors // 4 * 4
    header = {f"t{i}": {"dtype": "F32", "shape": [each // 4], "data_offsets": [i * each, (i + 1) * each]} for i in range(tensors)}
    text = json.dumps(header).encode()
    block = os.urandom(min(each * tensors, 1 << 26))
    with open(path, "wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        left = each * tensors
        while left:
            out.write(block[:left])
            left -= min(left, len(block))
    return path


def add(server, name, size, tensors=1):
    source = write_model(server.folder / f"{name}.safetensors", size, tensors)
    server.trims("add", name, source, "--variant", "tensors")
    source.unlink()


def row(case, metric, unit, value, reference, what):
    return {"suite": "device", "case": case, "metric": metric, "unit": unit, "value": value, "reference": reference,
            "ratio": value / reference if reference else None, "note": what}


def check(case, holds, what):
    return {"suite": "device", "case": case, "metric": "check", "ok": bool(holds), "note": what}


def attach(options, sizes):
    with daemon(options.standin) as server:
        for label, size, tensors in sizes:
            say(f"attach {label}")
            add(server, "model", size, tensors)
            yield check(label, server.same("model"), "the bytes on the device are those on the host")
            took = server.opens("model", ("host", DEVICE), options.repetitions)
            yield row(label, "attach", "µs", took[DEVICE] / 1e3, took["host"] / 1e3, "open + import + map, beside the host tier")
            server.trims("rm", "model")


def fills(options, size):
    with daemon(options.standin, "--reclaim", "eager") as server:
        add(server, "large", size)
        say("host to device")
        rounds = 2 if options.quick else 5
        load = server.opens("large", (DEVICE,), rounds, hold=("host",))[DEVICE]
        plain = statistics.median(server.program("bench_device", "copy", size, rounds)["ns"])
        label = f"{size / GB:g} GB"
        yield row(label, "load", "GB/s", size / load, size / plain, "beside one plain copy from pinned memory")
        say("disk to host to device")
        took = server.opens("large", ("host", DEVICE), rounds, drop=server.stored())
        slowest = max(took["host"], plain)
        yield row(label, "worst", "GB/s", size / took[DEVICE], size / slowest, "beside the slowest stage alone")


def children(parent):
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            head, _, rest = stat.read_text().rpartition(") ")
            if head.endswith("(trims-device") and rest.split()[1] == str(parent):
                yield int(stat.parent.name)


def is_dead(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except OSError:
        return True


def wait_until_dead(pids, seconds=60):
    """A driver takes a while to tear a process down."""
    deadline = time.monotonic() + seconds
    while not all(map(is_dead, pids)):
        if time.monotonic() > deadline:
            raise Failed(f"trims-device was killed and is still there after {seconds} s")
        time.sleep(0.05)


def restart(options, size):
    """What survives the process that made it: what the documents may promise is decided by this."""
    with daemon(options.standin) as server:
        add(server, "kept", size)
        yield check("restart", server.same("kept"), "before")
        before = set(children(server.process.pid))
        if not before:
            raise Failed("trimsd has no trims-device to kill")
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_until_dead(before)
        try:
            survived = server.same("kept")
        except Failed as failure:
            survived = None
            say(str(failure))
        yield {"suite": "device", "case": "restart", "metric": "survives", "value": survived,
               "note": "whether a resident model can still be imported once the process that allocated it was killed"}
        server.trims("rm", "kept")
        add(server, "after", size)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(Failed):
                yield check("restart", server.same("after"), "a model that was loaded after it")
                return
        yield check("restart", False, "no model could be loaded for 30 s after it")


def describe(options):
    smi = shutil.which("nvidia-smi")
    gpu = subprocess.run([smi, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"], capture_output=True, text=True,
                         check=False).stdout.strip() if smi and not options.standin else ""
    return {"gpu": gpu or ("stand-in for the driver: no hardware" if options.standin else "unknown"), "kernel": platform.release(),
            "cpus": os.cpu_count(), "commit": (HERE / "commit").read_text().strip(), "date": time.strftime("%Y-%m-%d")}


def show(machine, rows):
    print(f"\n{machine['gpu']}, {machine['cpus']} processors, Linux {machine['kernel']}, commit {machine['commit']}\n")
    for one in rows:
        if one["metric"] == "check":
            print(f"{'ok  ' if one['ok'] else 'FAIL'} {one['case']}: {one['note']}")
        elif one["metric"] == "survives":
            print(f"note {one['case']}: {one['note']}: {one['value']}")
        else:
            print(f"     {one['case']:18} {one['metric']:8} {one['value']:10.2f} {one['unit']:5} reference {one['reference']:10.2f}  "
                  f"ratio {one['ratio']:.3f}  {one['note']}")


def run(options):
    small = options.quick or options.standin
    sizes = [("16MB", 16 * MB, 1), ("100 tensors", 16 * MB, 100)] if small else [
        ("100MB", 100 * MB, 1), ("1GB", GB, 1), ("8GB", 8 * GB, 1), ("100 tensors", 100 * MB, 100), ("10000 tensors", 100 * MB, 10_000)]
    large = 24 * MB if options.standin else GB // 2 if options.quick else 2 * GB
    rows = []
    parts = {"attach": lambda: attach(options, sizes), "fills": lambda: fills(options, large), "restart": lambda: restart(options, 16 * MB)}
    for name, part in parts.items():
        try:
            for one in part():
                rows.append(one)
        except Failed as failure:
            say(str(failure))
            rows.append(check(name, False, str(failure)))
    return rows


def parse(arguments):
    parser = argparse.ArgumentParser(prog="run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="writes the rows there, too")
    parser.add_argument("--quick", action="store_true", help="small models, few repetitions")
    parser.add_argument("--standin", action="store_true", help="a stand-in for the driver: no hardware")
    options = parser.parse_args(arguments)
    options.repetitions = 20 if options.quick or options.standin else 500
    return options


def main(arguments):
    options = parse(arguments)
    machine, rows = describe(options), run(options)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")
    show(machine, rows)
    return 0 if all(one.get("ok", True) for one in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
