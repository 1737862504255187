"""disk: opens of models that lie in the prepared store and in no memory, beside fio and plain direct reads of the same files."""
import dataclasses
import json
import os
import time
from pathlib import Path

from harness.daemon import daemon
from harness.models import write_random_safetensors
from harness.processes import BenchError, json_of, say
from harness.report import Row
from harness.session import scratch
from harness.stats import median

GB = 1_000_000_000
SMALL, SMALL_BYTES = 200, 5_000_000
SPARE = GB // 2  # warmed beside what the models take: others allocate, too
BLOCKS, DEPTHS = ("1M", "2M", "4M", "8M"), (8, 16, 32)


@dataclasses.dataclass(frozen=True)
class Stored:
    name: str
    file: str  # its bytes in the prepared store

    @property
    def bytes(self):
        return os.stat(self.file).st_size


def store(server, folder, name, size):
    """Adds a model of random bytes; its source, which nothing reads any more, goes."""
    source = write_random_safetensors(folder / f"{name}.safetensors", size)
    before = set(server.prepared_files())
    server.add(name, source, ["tensors"])
    source.unlink()
    largest = max(set(server.prepared_files()) - before, key=lambda path: os.stat(path).st_size)
    return Stored(name, largest)


@dataclasses.dataclass(frozen=True)
class Run:
    seconds: float
    cpu: float


def cpu_seconds(pid):
    """Of all threads a process has or had (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def opened(bench, server, models, threads=1, drop=True):
    """The daemon's answer to opens of `models`, cold with `drop`: all of them resident and read, at the first byte of each."""
    with scratch() as folder:
        plan = folder / "plan.json"
        plan.write_text(json.dumps({"socket": str(server.socket), "threads": threads, "models": [one.name for one in models],
                                    "bytes": sum(one.bytes for one in models) + SPARE, "drop": server.prepared_files() if drop else []}))
        before = cpu_seconds(server.process.pid)
        answer = json_of([bench.build.program("bench_disk"), "open", plan])
        cpu = cpu_seconds(server.process.pid) - before
    if drop:
        server.wait_until_empty()
    return Run(answer["ns"] / 1e9, cpu)


def fio(path, block, depth):
    """A direct sequential read of the whole file."""
    answer = json_of(["fio", "--name=read", f"--filename={path}", "--rw=read", "--direct=1", "--ioengine=io_uring", f"--bs={block}",
                      f"--iodepth={depth}", "--readonly", "--output-format=json"])
    job = answer["jobs"][0]
    seconds = job["read"]["runtime"] / 1e3
    if seconds <= 0:
        raise BenchError(f"fio read {path} in no time: a larger model has to be measured")
    return Run(seconds, (job["usr_cpu"] + job["sys_cpu"]) / 100 * seconds)


def best_of_fio(bench, path):
    """The block size and depth at which fio reads this file fastest: the median of three each."""
    blocks, depths = bench.choose((BLOCKS, DEPTHS), (BLOCKS[:1], DEPTHS[-1:]))
    took = {(block, depth): median([fio(path, block, depth).seconds for _ in range(bench.choose(3, 1))])
            for block in blocks for depth in depths}
    return min(took, key=took.get)


def large(bench, server, model, label, best):
    block, depth = best
    ours, theirs, memory = [], [], []
    for i in range(bench.choose(7, 2)):
        sides = [lambda: ours.append(opened(bench, server, [model])), lambda: theirs.append(fio(model.file, block, depth)),
                 lambda: memory.append(json_of([bench.build.program("bench_disk"), "touch", model.bytes]))]
        for side in sides if i % 2 == 0 else reversed(sides):
            side()
    gb = model.bytes / GB
    touch, hashing = (median([one[part] for one in memory]) / 1e9 for part in ("touch_ns", "hash_ns"))
    reading = median([one.cpu for one in theirs])
    yield Row("disk", label, "bandwidth", "GB/s", gb / median([one.seconds for one in ours]),
              gb / median([one.seconds for one in theirs]), len(ours), f"fio: {block}, {depth} at a time")
    yield Row("disk", label, "cpu", "s/GB", median([one.cpu for one in ours]) / gb, (reading + touch + hashing) / gb, len(ours),
              f"fio {reading / gb:.3f}, first touch {touch / gb:.3f}, XXH3 {hashing / gb:.3f}")


def small(bench, server, models):
    total = sum(one.bytes for one in models) / GB
    for label, threads in (("one after another", 1), ("8 at a time", 8)):
        ours, theirs = [], []
        read = lambda: theirs.append(json_of([bench.build.program("bench_disk"), "read", threads, *[one.file for one in models]]))
        sides = [lambda: ours.append(opened(bench, server, models, threads)), read]
        for i in range(bench.choose(7, 2)):
            for side in sides if i % 2 == 0 else reversed(sides):
                side()
        yield Row("disk", f"{len(models)} of {SMALL_BYTES // 1_000_000} MB, {label}", "small", "GB/s",
                  total / median([one.seconds for one in ours]), total / median([one["ns"] for one in theirs]) * 1e9, len(ours))


def run(bench):
    rows, best = [], None
    # With eager reclaim a model goes with its last lease, so that every open is a load.
    with scratch() as folder, daemon(bench.build, "--reclaim", "eager", "--host-budget", "80%") as server:
        say("disk: small models")
        rows += small(bench, server, [store(server, folder, f"small-{i}", SMALL_BYTES) for i in range(bench.choose(SMALL, 20))])
        for gigabytes in bench.gigabytes:
            say(f"disk: {gigabytes:g} GB")
            model = store(server, folder, f"large-{gigabytes:g}", int(gigabytes * GB))
            best = best or best_of_fio(bench, model.file)
            rows += large(bench, server, model, f"{gigabytes:g} GB", best)
            server.trims("rm", model.name)
    return rows
