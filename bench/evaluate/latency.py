"""Figures 8 to 10 and Table 4: one network's function, started in every way, the ways taking turns."""
import contextlib
import os
import time

from evaluate import answers
from evaluate.frameworks import FRAMEWORKS
from evaluate.lease import HOST, Client
from evaluate.stage import Plain, Stage, inputs_of, private_daemon
from evaluate.traces import PHASES, Trace
from harness import free_memory
from harness.stats import median

# How a function starts, and what is true before it does.
WAYS = {
    "cold": "framework alone, model file not in the page cache: the baseline",
    "warm": "framework alone, model file in the page cache",
    "unfused": "framework alone, model file in the page cache, computing as it does with TrIMS. Only of MXNet, which fuses operators otherwise",
    "worst": "TrIMS, model nowhere in memory: the daemon reads it from disk, and copies it to the device if that is where it is wanted",
    "host": "TrIMS, model resident on the host and wanted on the device: the daemon copies it. Only of the device's tier",
    "hit": "TrIMS, model resident where it is wanted",
    "plain": "TrIMS, model resident where it is wanted, in a plain process: beside a hit, what isolation costs. Not where functions are plain anyway",
    "ideal": "the framework over the prepared bytes, which it inherits: no manager, no reading, no copying",
}

# The wire of the simulated device, as of PCI Express 3.0 with 16 lanes.
LINK, LATENCY = "12GB", "10us"

# What a function may take at most, whichever way it starts: copies of its weights, and other bytes.
MOST_COPIES, MORE_BYTES = 3, 256 << 20


def most_bytes(network):
    return MOST_COPIES * network.graph().weight_bytes() + MORE_BYTES


def daemon_flags(options, network):
    """Memory for the model and as much again, as one goes while the next comes."""
    flags = ["--reclaim", "eager", "--host-budget", "90%"]
    if options.on_device:
        capacity = 2 * network.graph().weight_bytes() + (256 << 20)
        flags += ["--device", f"sim:0,capacity={capacity},link={LINK},latency={LATENCY}", "--device-budget", "100%"]
    return flags


def row_of(said):
    row = {phase: said["phases_ms"][phase] for phase in PHASES} | {
        "total": said["total_ms"], "whole": said["whole_ms"], "cpu": said["cpu_ms"], "peak_mb": said["peak_bytes"] / 1e6}
    return row | {f"{name}_mb": said[f"{name}_bytes"] / 1e6 for name in ("own", "charged") if f"{name}_bytes" in said}


class Bench:
    """One network on one stage. `wanted`: the right answer; `client`: of our own, which keeps models where they are."""

    def __init__(self, stage, network, wanted, client, reserve, plain=None):
        """`reserve`: the memory that functions and loads use; `plain`: a stage of plain processes over the same daemon, or None."""
        self.stage, self.network, self.wanted, self.client, self.reserve, self.plain = stage, network, wanted, client, reserve, plain
        self.inputs = inputs_of(network)
        self.samples = {way: [] for way in WAYS}
        self.error = 0.0

    def run(self, way, mode, lease=None, keep=True):
        label = f"{self.network.name}: {way}"
        with self.reserve.lent():
            said = (self.plain if way == "plain" else self.stage).run(mode, self.network.name, self.inputs, lease, label=label)
        self.error = max(self.error, answers.check(label, said, self.wanted))
        if keep and not self.stage.trace:
            self.samples[way].append(row_of(said))

    def framework(self):
        self.stage.drop_source(self.network.name)
        self.run("cold", "file")
        self.run("warm", "file")
        if self.stage.framework.fuses:
            self.run("unfused", "unfused")

    def worst(self):
        self.stage.wait_until_empty()
        self.stage.drop_prepared()
        self.run("worst", "trims")

    @contextlib.contextmanager
    def held(self, tier):
        """The model kept where it is wanted. The load that brings it has the memory that is held between functions, too."""
        with contextlib.ExitStack() as lease:
            with self.reserve.lent():
                opened = lease.enter_context(self.client.open(self.network.name, self.stage.framework.lease_variant, tier))
            yield opened

    def host(self):
        with self.held(HOST):
            self.stage.wait_until_empty(self.stage.tier)
            self.run("host", "trims")

    def resident(self, turned, keep=True):
        """The two sides that are closest take turns in front."""
        with self.held(self.stage.tier) as lease:
            sides = [lambda: self.run("hit", "trims", keep=keep), lambda: self.run("ideal", "ideal", lease, keep=keep)]
            for side in reversed(sides) if turned else sides:
                side()
            if self.plain and not self.stage.trace:
                self.run("plain", "trims", keep=keep)

    def rounds(self, count):
        self.resident(turned=False, keep=False)  # brings the programs into the page cache
        for i in range(count):
            turned = i % 2 == 1
            parts = self.parts(turned)
            for part in reversed(parts) if turned else parts:
                part()

    def parts(self, turned):
        copied = [] if self.stage.tier == HOST else [self.host]
        return [self.framework, self.worst, *copied, lambda: self.resident(turned)]

    def traced(self, out):
        """Each way once more, into a Chrome trace, and not measured: a function that writes its spans isn't one that doesn't."""
        with Trace(self.stage, out):
            for part in self.parts(turned=False):
                part()


def summary(samples):
    """{way: medians}; a way that was not measured isn't there."""
    return {way: {name: round(median([row[name] for row in rows]), 3) for name in rows[0]} | {"n": len(rows)}
            for way, rows in samples.items() if rows}


def repetitions(options, network):
    """A large network takes minutes a round: it gets half of the rounds."""
    return max(1, options.repetitions // 2) if network.large else options.repetitions


def trace_path(options, name):
    """Where a network's Chrome trace is kept until the figure's is put together."""
    return options.out / "results" / f"{name}.trace.json"


def measure(options, network, sandbox, models, groups=None):
    """One network from its writing to its results; its files are gone afterwards."""
    framework = FRAMEWORKS[options.framework]
    took = {"load_average": round(os.getloadavg()[0], 2)}
    try:
        with private_daemon(options.build, *daemon_flags(options, network)) as daemon, Client(options.library, daemon.socket) as client:
            stage = Stage(sandbox, options.build, daemon, models, framework, options.tier, groups)
            wanted = answers.of_onnxruntime(models, network)
            with timed(took, "write_s"):
                framework.write(models, network)
            for one in framework.files(models, network.name):
                one.chmod(0o644)
            with timed(took, "add_s"):
                daemon.command("add", network.name, framework.path(models, network.name), "--variant", framework.variant)
            with free_memory.Reserve(most_bytes(network)) as reserve:
                bench = Bench(stage, network, wanted, client, reserve, plain_beside(stage))
                bench.rounds(repetitions(options, network))
                try:
                    bench.traced(trace_path(options, network.name))
                except answers.WrongAnswer:
                    raise
                except (RuntimeError, OSError, ValueError) as error:  # what was measured stays
                    took["trace_error"] = str(error)
                segment = resident_segment(bench)
        return {
            "megabytes": round(sum(one.stat().st_size for one in framework.files(models, network.name)) / 1e6, 1),
            "resident_mb": round(segment["bytes"] / 1e6, 1), "pages": segment["pages"],
            "parameters": network.graph().parameters(), "pixels": network.pixels, "answer_error": bench.error,
            "ways": summary(bench.samples), "samples": bench.samples, **took}
    finally:
        for one in framework.files(models, network.name):
            one.unlink()


def plain_beside(stage):
    """None where functions are plain processes anyway."""
    if isinstance(stage.sandbox, Plain):
        return None
    return Stage(Plain("beside"), stage.build, stage.daemon, stage.models, stage.framework, stage.tier)


def resident_segment(bench):
    """Where it is wanted."""
    with bench.held(bench.stage.tier):
        return next(one for one in bench.stage.daemon.command("status")["segments"] if one["tier"] == bench.stage.tier)


class timed:
    """Writes into `into` how many seconds the block took."""

    def __init__(self, into, name):
        self._into, self._name = into, name

    def __enter__(self):
        self._began = time.monotonic()

    def __exit__(self, *_):
        self._into[self._name] = round(time.monotonic() - self._began, 2)
