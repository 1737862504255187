"""against: this tree beside another build of TrIMS, the two taking turns in one run, each with its own daemon and clients.

What the two don't share (a protocol, a catalog) never meets. A row's value is this tree's and its reference the other's.
"""
import contextlib
import dataclasses

from harness.daemon import Daemon, all_cpus, bare_server, daemon, pin
from harness.models import REAL, write_safetensors
from harness.processes import json_of, say
from harness.report import Row
from harness.session import Bench, scratch, spawn
from harness.stats import geometric_mean, median, percentile
from harness.suites import miss, opens

MB = 1_000_000
ATTACH = (("files 1MB", "small", "files", MB, 1), ("tensors 10000", "many", "tensors", 128 * MB, 10_000))


@dataclasses.dataclass(frozen=True)
class Side:
    bench: Bench
    server: Daemon
    bare_socket: str
    bare: object  # its process

    def program(self, name):
        return str(self.bench.build.program(name))

    def function(self, name, inputs):
        return [self.program("bench_function_trims"), "trims", str(self.server.socket), name, inputs]


@contextlib.contextmanager
def sides(this, other, *flags):
    """{"this": …, "other": …}, their daemons running."""
    with contextlib.ExitStack() as stack:
        both = {}
        for name, bench in (("this", this), ("other", other)):
            server = stack.enter_context(daemon(bench.build, *flags))
            both[name] = Side(bench, server, *stack.enter_context(bare_server(bench.build)))
        yield both


def turns(both, rounds):
    """(name, side) of every turn: each second round in the opposite order."""
    for i in range(rounds):
        yield from both.items() if i % 2 == 0 else reversed(both.items())


def row(metric, case, unit, samples):
    return Row("against", case, metric, unit, median(samples["this"]), median(samples["other"]), len(samples["this"]))


def add_made_models(both, folder):
    for _, name, variant, size, tensors in ATTACH:
        source = write_safetensors(folder / f"{name}.safetensors", size, tensors)
        for side in both.values():
            side.server.add(name, source, [variant])


def attach(both, this):
    here = {this.cpu()}
    for placement, cpus in (("same core", here), ("other core", all_cpus() - here or here)):
        say(f"against: attach, {placement}")
        samples = {label: {name: [] for name in both} for label, *_ in ATTACH}
        for name, side in turns(both, this.choose(10, 2)):
            for process in (side.server.process, side.bare):
                pin(process.pid, {min(cpus)})
            cases = [f"{label},{model},{variant}" for label, model, variant, *_ in ATTACH]
            measured = json_of([side.program("bench_attach"), side.server.socket, side.bare_socket, this.cpu(),
                                this.choose(400, 50), 0, *cases])["cases"]
            for one in measured:
                samples[one["label"]][name].append(median(one["trims_ns"]) / 1e3)
        for label, of_label in samples.items():
            yield row("attach", f"{label}, {placement}", "µs", of_label)
    for side in both.values():
        for process in (side.server.process, side.bare):
            pin(process.pid, all_cpus())


def spawned(this, repetitions, commands, **options):
    """Milliseconds of each run of commands that take turns."""
    measured = spawn(this, repetitions, commands, **options)["commands"]
    return {name: [ns / 1e6 for ns in measured[name]["ns"]] for name in measured}


def hit(both, this):
    rows = []
    for model in this.choose(REAL, REAL[:1]):
        for side in both.values():
            side.server.add(model.name, this.models / model.path, ["ort"])
        say(f"against: hit, {model.name}")
        commands = [{"label": name, "argv": side.function(model.name, model.inputs)} for name, side in both.items()]
        rows.append(row("hit", model.name, "ms", spawned(this, this.choose(40, 3), commands, warm_up=2)))
    yield from rows
    yield Row("against", "geomean", "hit", "ms", geometric_mean([one.value for one in rows]),
              geometric_mean([one.reference for one in rows]), sum(one.n for one in rows))


def misses(both, this):
    for name, source, inputs in miss.wanted(this):
        commands = []
        for label, side in both.items():
            side.server.add(name, source, ["ort"])
            commands.append({"label": label, "argv": side.function(name, inputs),
                             "drop": [str(source), *side.server.prepared_files()]})
        say(f"against: miss, {name}")
        yield row("miss", name, "ms", spawned(this, this.choose(9, 2), commands, cpu=-1))
        for side in both.values():
            side.server.trims("rm", name)


def open_rates(both, this):
    frames = {name: opens.frame_sizes(side.bench, side.server, side.bare_socket, "small") for name, side in both.items()}
    asked = {name: opens.Sides(side.bench, side.server, side.bare_socket, frames[name], "small", MB)
             for name, side in both.items()}
    say("against: opens")
    each, tails = ({name: [] for name in both} for _ in range(2))
    for name, _ in turns(both, this.choose(7, 2)):
        answer = asked[name].ask("trims", this.choose(2, 0.3), 0)
        each[name].append(1e6 * answer["seconds"] / answer["opens"])
        answer = asked[name].ask("trims", this.choose(3, 0.5), opens.RATE)
        tails[name].append(percentile(answer["latency_ns"], 0.99) / 1e3)
    yield row("open", f"{opens.CLIENTS} clients", "µs", each)
    yield row("open-p99", f"{opens.RATE} a second", "µs", tails)


def startup(both, this):
    say("against: startup")
    commands = [{"label": name, "argv": [side.program("bench_startup_with"), str(side.server.socket), "small"]}
                for name, side in both.items()]
    yield row("startup", "minimal C++ program", "ms", spawned(this, this.choose(400, 20), commands, warm_up=5))


def run(this, other):
    with scratch() as folder, sides(this, other, "--host-budget", "40%") as both:
        add_made_models(both, folder)
        rows = [*attach(both, this), *startup(both, this), *open_rates(both, this), *hit(both, this)]
    with sides(this, other, "--reclaim", "eager") as both:
        return rows + list(misses(both, this))
