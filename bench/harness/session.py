"""Bench: what every suite is given."""
import contextlib
import dataclasses
import json
import os
import tempfile
from pathlib import Path

from harness.daemon import Build
from harness.processes import json_of, say


@dataclasses.dataclass(frozen=True)
class Bench:
    root: Path
    quick: bool
    gigabytes: tuple = (1, 4, 8)  # of the large models that are read from disk

    @property
    def build(self):
        return Build(self.root)

    @property
    def models(self):
        return self.root / ".cache/models"

    def choose(self, full, quick):
        return quick if self.quick else full

    def cpu(self):
        """The processor that measured programs are pinned to: the last one, which has the fewest interrupts."""
        return max(os.sched_getaffinity(0))


@contextlib.contextmanager
def scratch():
    with tempfile.TemporaryDirectory(prefix="trims-bench-") as folder:
        yield Path(folder)


def rounds(bench, count, name, sides):
    """{label: [what the side gave]} of sides that take turns, each second round in the opposite order; two rounds of a quick run."""
    samples = {label: [] for label in sides}
    for i in range(bench.choose(count, 2)):
        say(f"{name}, round {i + 1}")
        for label, side in sides.items() if i % 2 == 0 else reversed(sides.items()):
            samples[label].append(side())
    return samples


def spawn(bench, repetitions, commands, warm_up=1, hold=None, save=None, cpu=None, pass_fds=()):
    """Runs bench_spawn: {label: {"ns": […], "out": […]}}, and what it held."""
    plan = {"repetitions": repetitions, "warm_up": warm_up, "cpu": bench.cpu() if cpu is None else cpu, "commands": commands}
    if hold:
        plan["hold"] = hold
    if save:
        plan["save"] = str(save)
    with scratch() as folder:
        path = folder / "plan.json"
        path.write_text(json.dumps(plan))
        return json_of([bench.build.program("bench_spawn"), path], pass_fds=pass_fds)
