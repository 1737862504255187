"""steady: a function that stays, beside the framework's default session on the original model."""
import contextlib
import dataclasses
from pathlib import Path

from harness import answers
from harness.daemon import all_cpus, daemon
from harness.models import REAL, SYNTHETIC_BATCHED, SYNTHETIC_INPUTS, synthetic_path
from harness.processes import say
from harness.report import Row
from harness.session import scratch, spawn
from harness.stats import geometric_mean, median
from harness.suites.memory import rollup
from harness.worker import interleaved, milliseconds, turns, worker, workers

MEGABYTES = (128, 512)
BATCHES = (8, 64)
INFERENCES = 100
PRIVATE_SHARE = 0.15
MB = 1e6
METRICS = ("answers", "inference", "inference-geomean", "inference-2-threads", "batch", "batch-geomean", "total-100",
           "private", "load")


@dataclasses.dataclass(frozen=True)
class Subject:
    name: str
    source: Path
    inputs: str
    batched: str  # the same with {n} for the batch size; empty: the model's is fixed
    real: bool


def subjects(bench):
    for model in bench.choose(REAL, (REAL[0], REAL[-1])):
        yield Subject(model.name, bench.models / model.path, model.inputs, model.batched, True)
    for megabytes in bench.choose(MEGABYTES, ()):
        yield Subject(f"synthetic-{megabytes}", synthetic_path(bench.root, megabytes), SYNTHETIC_INPUTS, SYNTHETIC_BATCHED,
                      False)


@dataclasses.dataclass(frozen=True)
class Added:
    """A subject in a daemon, and in another one whose preparer leaves the weights as they are."""
    bench: object
    server: object
    plain: object
    subject: Subject

    def trims(self, inputs=None, server=None):
        return [str(self.bench.build.program("bench_function_trims")), "trims", str((server or self.server).socket),
                self.subject.name, inputs or self.subject.inputs]

    def framework(self, inputs=None):
        return self.alone("file", self.subject.source, inputs)

    def alone(self, mode, path, inputs=None):
        return [str(self.bench.build.program("bench_function_plain")), mode, str(path), inputs or self.subject.inputs]

    def pair(self, inputs=None):
        return {"trims": self.trims(inputs), "framework": self.framework(inputs)}


@contextlib.contextmanager
def added(bench, server, plain, subject):
    for one in (server, plain):
        one.add(subject.name, subject.source, ["ort"])
    yield Added(bench, server, plain, subject)
    for one in (server, plain):
        one.trims("rm", subject.name)


def plain_preparer(build, folder):
    """A trims-prepare that no weight is large enough for."""
    program = folder / "plain-prepare"
    program.write_text(f"#!/bin/sh\nexec '{build.program('trims-prepare')}' \"$@\" --steady-min-bytes {1 << 60}\n")
    program.chmod(0o700)
    return str(program)


def pair_row(metric, case, samples, note=""):
    took = milliseconds(samples)
    return Row("steady", case, metric, "ms", took["trims"], took["framework"], len(samples["trims"]), note)


def timed(one, folder, metric, case, inputs, seconds, least, threads=1):
    """(row, error of the answers) of TrIMS's session and the default one, each in a process, pinned alike."""
    cpus = set(sorted(all_cpus())[-threads:])
    with workers(one.pair(inputs), cpus, threads) as sides:
        error = answers.check(case, sides, folder)
        return pair_row(metric, case, interleaved(sides, seconds, least)), error


def inference(one, folder):
    bench, name = one.bench, one.subject.name
    yield timed(one, folder, "inference", name, None, bench.choose(8, 0.3), bench.choose(40, 3))
    if len(all_cpus()) < 2:
        yield Row("steady", name, "inference-2-threads", "ms", None, note="one processor"), 0.0
        return
    yield timed(one, folder, "inference-2-threads", name, None, bench.choose(5, 0.3), bench.choose(40, 3), threads=2)


def batches(one, folder):
    bench, subject = one.bench, one.subject
    for size in BATCHES if subject.batched else ():
        yield timed(one, folder, "batch", f"{subject.name}, {size}", subject.batched.format(n=size), bench.choose(6, 0.3),
                    bench.choose(5, 2))


def total(one, row):
    """Whole processes; `row` is the inference's, from which their time follows."""
    commands = [{"label": label, "argv": [*argv, f"runs={INFERENCES}"]} for label, argv in one.pair().items()]
    seconds = INFERENCES * (row.value + row.reference) / 1e3 + 0.3
    pairs = one.bench.choose(max(5, min(21, int(15 / seconds))), 1)
    measured = spawn(one.bench, pairs, commands, warm_up=0)["commands"]
    return pair_row("total-100", one.subject.name, {label: measured[label]["ns"] for label in measured})


def growth(argv, cpus):
    """Bytes of anonymous memory more than before: (session loaded, one inference made)."""
    with worker(argv, cpus) as process:
        anonymous = lambda: rollup(process.pid)["Anonymous"]
        before = anonymous()
        process.ask("load", 1)
        loaded = anonymous()
        process.ask("run", 1)
        return loaded - before, anonymous() - before


def private_row(case, size, grown, count):
    """`grown`: MB of trims, of the runtime's own and of the framework's default session."""
    note = f"model {size:.1f}, the runtime's own {grown['own']:.1f}, default session {grown['framework']:.1f} MB"
    return Row("steady", case, "private", "MB", grown["trims"], PRIVATE_SHARE * size + grown["own"], count, note)


def private(one, folder):
    bench, cpus = one.bench, {one.bench.cpu()}
    prepared = folder / "plain.ort"
    spawn(bench, 0, [], hold={"socket": str(one.plain.socket), "reference": one.subject.name, "variant": "ort", "fd": 100},
          save=prepared)
    commands = {**one.pair(), "own": one.alone("mapped", prepared)}
    samples = {label: [] for label in commands}
    for label, argv in turns(commands, bench.choose(3, 1)):
        samples[label].append(growth(argv, cpus))
    prepared.unlink()
    for i, when in enumerate(("loaded", "after an inference")):
        grown = {label: median([pair[i] for pair in samples[label]]) / MB for label in samples}
        yield private_row(f"{one.subject.name}, {when}", one.subject.source.stat().st_size / MB, grown,
                          len(samples["trims"]))


def load(one):
    commands = {"trims": one.trims(), "framework": one.trims(server=one.plain)}
    samples = {label: [] for label in commands}
    with workers(commands, {one.bench.cpu()}) as sides:
        for label, side in turns(sides, one.bench.choose(40, 3)):
            samples[label] += side.ask("load", 1)
    return pair_row("load", one.subject.name, samples)


def measure(one, folder):
    """Every row of a subject but the answers', and the largest error of its answers."""
    say(f"steady: {one.subject.name}")
    timings = [*inference(one, folder), *batches(one, folder)]
    rows = [row for row, _ in timings]
    return [*rows, total(one, rows[0]), *private(one, folder), load(one)], max(error for _, error in timings)


def geometric_means(rows, real):
    """Held to the bar: the real networks. Matrix products of the synthetic ones may lean either way."""
    for metric in ("inference", "batch"):
        of_metric = [row for row in rows if row.metric == metric]
        of_real = [row for row in of_metric if row.case.split(",")[0] in real]
        for case, group, held in (("real networks", of_real, True), ("with the synthetic ones", of_metric, False)):
            if group:
                yield Row("steady", case, f"{metric}-geomean", "ms", geometric_mean([row.value for row in group]),
                          geometric_mean([row.reference for row in group]), sum(row.n for row in group), held=held)


def run(bench):
    rows, wanted = [], list(subjects(bench))
    with scratch() as folder, daemon(bench.build, "--host-budget", "30%") as server, \
            daemon(bench.build, "--host-budget", "30%", preparer=plain_preparer(bench.build, folder)) as plain:
        for subject in wanted:
            with added(bench, server, plain, subject) as one:
                measured, error = measure(one, folder)
            rows += [Row("steady", subject.name, "answers", "relative", error), *measured]
    rows += geometric_means(rows, {subject.name for subject in wanted if subject.real})
    return sorted(rows, key=lambda row: METRICS.index(row.metric))
