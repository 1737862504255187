"""A function process that stays (bench_function … serve) and is told what to do, line by line."""
import contextlib
import json
import subprocess
import time

from harness.daemon import pin
from harness.processes import BenchError, running
from harness.stats import median

SPIN_SECONDS = 0.03  # longer than a thread pool's idle threads spin
BURST_NS = 5_000_000  # short inferences run several at a time: a turn lasts about as long as this


class Worker:
    def __init__(self, process, threads):
        self.process, self.threads = process, threads
        self.read()

    @property
    def pid(self):
        return self.process.pid

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise BenchError(f"{' '.join(map(str, self.process.args[:4]))} … ended before it answered")
        return line

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return json.loads(self.read())


@contextlib.contextmanager
def worker(argv, cpus, threads=1):
    """Pinned before its session is made, so that the session's threads are pinned too."""
    with running([*argv, "serve", f"threads={threads}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        made = Worker(process, threads)
        pin(process.pid, cpus)
        yield made


@contextlib.contextmanager
def workers(commands, cpus, threads=1):
    """{label: Worker} of {label: argv}, their sessions made."""
    with contextlib.ExitStack() as stack:
        made = {label: stack.enter_context(worker(argv, cpus, threads)) for label, argv in commands.items()}
        for one in made.values():
            one.ask("load", 1)
        yield made


def turns(sides, rounds):
    """(label, worker) of every turn: each second round in the opposite order."""
    for i in range(rounds):
        yield from sides.items() if i % 2 == 0 else reversed(sides.items())


def plan(round_ns, seconds, least, most=200):
    """(rounds, runs a turn) that take about `seconds`, where one run of each side takes `round_ns`."""
    burst = max(1, min(50, round(2 * BURST_NS / round_ns)))
    return max(least, min(most, int(seconds * 1e9 / (burst * round_ns)))), burst


def interleaved(sides, seconds, least):
    """{label: [ns, …]}: the sides' inferences in turn, after two that are not counted."""
    for one in sides.values():
        one.ask("run", 1)
    rounds, burst = plan(sum(one.ask("run", 1)[0] for one in sides.values()), seconds, least)
    samples = {label: [] for label in sides}
    for label, one in turns(sides, rounds):
        if one.threads > 1:  # the other side's threads still wait by spinning
            time.sleep(SPIN_SECONDS)
        samples[label] += one.ask("run", burst)
    return samples


def milliseconds(samples):
    return {label: median(ns) / 1e6 for label, ns in samples.items()}
