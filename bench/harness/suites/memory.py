"""memory: what 16 functions on one model take together, and a function whose memory cgroup is smaller than its model."""
import contextlib
import os
import subprocess
from pathlib import Path

from harness.daemon import daemon
from harness.models import SYNTHETIC_INPUTS, hollow_model, synthetic_path
from harness.processes import BenchError, json_of, running, say
from harness.report import Row
from harness.session import scratch
from harness.stats import median
from harness.suites import disk

MEGABYTES = 512
FUNCTIONS = 16
HOLLOW_INPUTS = "input=1x16"
CGROUP_MIB = 96
MIB = 1 << 20


def rollup(pid):
    """The sums of /proc/PID/smaps_rollup, in bytes."""
    fields = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, kib = line.split(":")
        fields[name] = int(kib.split()[0]) * 1024
    return fields


@contextlib.contextmanager
def functions(bench, server, count, name, inputs):
    """`count` functions that have all made their inference and now wait, every one alive."""
    argv = [bench.build.program("bench_function_trims"), "trims", server.socket, name, inputs, "hold"]
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(running(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
                   for _ in range(count)]
        answers = {process.stdout.readline() for process in started}
        if len(answers) != 1 or "" in answers:
            raise BenchError(f"{name}: {count} functions gave {len(answers)} different answers")
        yield [process.pid for process in started]


def pss_of(bench, server, count, name, inputs):
    with functions(bench, server, count, name, inputs) as pids:
        return sum(rollup(pid)["Pss"] for pid in pids)


def runtime_private(bench, server):
    """What the runtime keeps for itself when there are next to no weights.

    Two are alive, so that what they share, the runtime's own code above all, counts as shared and not as private.
    """
    with functions(bench, server, 2, "hollow", HOLLOW_INPUTS) as pids:
        fields = [rollup(pid) for pid in pids]
    return median([one["Private_Clean"] + one["Private_Dirty"] for one in fields])


def pss(bench, server):
    together, alone, private = [], [], []
    for _ in range(bench.choose(3, 1)):
        alone.append(pss_of(bench, server, 1, "model", SYNTHETIC_INPUTS))
        private.append(runtime_private(bench, server))
        together.append(pss_of(bench, server, FUNCTIONS, "model", SYNTHETIC_INPUTS))
    reference = median(alone) + (FUNCTIONS - 1) * median(private)
    note = f"one: {median(alone) / MIB:.0f} MiB, the runtime's own: {median(private) / MIB:.1f} MiB"
    return Row("memory", f"{FUNCTIONS} functions, {MEGABYTES} MB", "pss", "MiB", median(together) / MIB, reference / MIB,
               len(together), note)


class MemoryCgroup:
    """A memory cgroup of ours, of version 1 or 2."""

    def __init__(self, folder, limit_file, usage_file, peak_file):
        self.folder, self.limit_file, self.usage_file, self.peak_file = folder, limit_file, usage_file, peak_file

    @property
    def procs(self):
        return self.folder / "cgroup.procs"

    @property
    def usage(self):
        return self.folder / self.usage_file

    @classmethod
    def of_this_machine(cls):
        """BenchError says why there can be none."""
        name = f"trims-bench-{os.getpid()}"
        one, two = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
        if (one / "memory.limit_in_bytes").exists():
            return cls(one / name, "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes")
        if not (two / "cgroup.controllers").exists():
            raise BenchError("no memory cgroups under /sys/fs/cgroup")
        if "memory" not in (two / "cgroup.subtree_control").read_text().split():
            raise BenchError("the memory controller is not handed down: /sys/fs/cgroup/cgroup.subtree_control")
        return cls(two / name, "memory.max", "memory.current", "memory.peak")

    def peak(self):
        return int((self.folder / self.peak_file).read_text())

    def forget_peak(self):
        """Where the kernel lets it be forgotten (version 2: since Linux 6.12); else it stays that of all loads so far."""
        with contextlib.suppress(OSError):
            (self.folder / self.peak_file).write_text("0")

    @contextlib.contextmanager
    def made(self, limit_bytes=None):
        self.folder.mkdir()
        try:
            if limit_bytes is not None:
                (self.folder / self.limit_file).write_text(str(limit_bytes))
            yield self
        finally:
            self.folder.rmdir()


def charged(bench, server, cgroup):
    """Bytes that reading the whole model added to the cgroup's charge; None if the function was killed."""
    argv = [bench.build.program("bench_reader"), server.socket, "model", cgroup.procs, cgroup.usage]
    try:
        answer = json_of(argv)
    except BenchError as error:
        say(str(error))
        return None
    return max(0, answer["after"] - answer["before"])


def cgroup_row(bench, server):
    row = lambda value, note="": Row("memory", f"{MEGABYTES} MB read in {CGROUP_MIB} MiB", "cgroup", "MiB", value, note=note)
    try:
        with MemoryCgroup.of_this_machine().made(CGROUP_MIB * MIB) as cgroup:
            samples = [charged(bench, server, cgroup) for _ in range(bench.choose(5, 1))]
    except (BenchError, OSError) as error:
        return row(None, f"no memory cgroup here: {error}")
    if None in samples:
        return row(float(CGROUP_MIB), "the function did not run to its end")
    return Row("memory", row(0).case, "cgroup", "MiB", median(samples) / MIB, None, len(samples), "runs")


def loading(bench):
    """What a load of the largest model takes beside its segment, by the kernel's own high-water mark of the daemon's cgroup.

    The daemon joins an empty cgroup, so what it had before is charged elsewhere; page cache and kernel memory are in it.
    """
    gigabytes = max(bench.gigabytes)
    row = lambda value, n=1, note="": Row("memory", f"{gigabytes:g} GB", "loading", "MiB", value, None, n, note)
    samples = []
    try:
        with scratch() as folder, contextlib.ExitStack() as stack:
            cgroup = stack.enter_context(MemoryCgroup.of_this_machine().made())
            server = stack.enter_context(daemon(bench.build, "--reclaim", "eager", "--host-budget", "80%"))
            model = disk.store(server, folder, "large", int(gigabytes * disk.GB))
            cgroup.procs.write_text(str(server.process.pid))
            segment = -(-model.bytes // 4096) * 4096
            for _ in range(bench.choose(3, 1)):
                cgroup.forget_peak()
                disk.opened(bench, server, [model])
                samples.append((cgroup.peak() - segment) / MIB)
    except (BenchError, OSError) as error:
        return row(None, note=f"no memory cgroup here: {error}")
    return row(max(samples), len(samples), "the largest")


def run(bench):
    with scratch() as folder, daemon(bench.build, "--host-budget", "80%") as server:
        server.add("model", synthetic_path(bench.root, MEGABYTES), ["ort", "files"])
        server.add("hollow", hollow_model(bench.root, MEGABYTES, folder / "hollow.onnx"), ["ort"])
        say(f"memory: {FUNCTIONS} functions on one model")
        rows = [pss(bench, server)]
        say(f"memory: a function in a cgroup of {CGROUP_MIB} MiB")
        rows.append(cgroup_row(bench, server))
    say("memory: a load of a large model")
    return rows + [loading(bench)]
