"""scripts/evaluate, once everything is installed and built: measures what is missing, draws, writes the report."""
import contextlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from evaluate import cgroups, code, figures, latency, options, plan, plots, report, report_throughput, throughput, traces
from evaluate.frameworks import FRAMEWORKS, framework_version
from evaluate.stage import choose_sandbox, private_daemon
from evaluate.store import Progress, Store
from harness import machine
from harness.processes import stop_on_signals
from networks.table import LARGE, SMALL

SECOND_BYTES = 60e6  # a network's share of the time: as if each had this many bytes more


def say(text):
    print(f"evaluate: {text}", file=sys.stderr, flush=True)


class Run:
    """One evaluation: where it measures, what failed in it."""

    def __init__(self, chosen, sandbox, models, groups=None, isolation=""):
        """`groups`: cgroups.Groups, or None; `isolation`: in words."""
        self.chosen, self.sandbox, self.models, self.groups, self.isolation = chosen, sandbox, models, groups, isolation
        self.failures, self.load_averages = {}, []
        self.code = code.digest(chosen.build)
        self.left = []  # what there was no time for
        self._end = None if chosen.minutes is None else time.monotonic() + 60 * chosen.minutes

    def is_over(self):
        """Whether nothing more is begun."""
        return self._end is not None and time.monotonic() >= self._end

    def latencies(self, title, networks):
        """{name: result} of those that could be measured; the others are in `failures`."""
        store = Store(self.chosen.out / "results", self.settings() | {"repetitions": self.chosen.repetitions})
        progress = Progress(title, {one.name: one.graph().weight_bytes() + SECOND_BYTES for one in networks})
        found = {}
        for network in networks:
            known = store.get(network.name)
            if known is not None:
                progress.known(network.name)
            elif self.is_over():
                self.left.append(network.name)
            else:
                known = self.latency(network, store, progress)
            if known is not None:
                found[network.name] = known
        self.load_averages += [result["load_average"] for result in found.values()]
        self.failures |= {f"Chrome trace of {name}": result["trace_error"] for name, result in found.items() if "trace_error" in result}
        return found

    def trace(self, name, paths):
        """One Chrome trace of those that are there; what the report says of it, or None."""
        there = [path for path in paths if path.exists()]
        if not there:
            return None
        try:
            return traces.together(self.chosen.build, there, self.chosen.out / f"{name}.trace.json")
        except (traces.TraceError, OSError, ValueError, KeyError) as error:
            self.failed(f"Chrome trace of the {name}", error)
            return None

    def settings(self):
        """Results of other programs or machines are measured anew and never mixed with these."""
        here = machine.describe(options.ROOT)
        return {"framework": self.chosen.framework, "tier": self.chosen.tier, "isolation": self.isolation, "code": self.code,
                "machine": {name: here[name] for name in ("cpu", "cores", "memory_bytes", "kernel")}}

    def latency(self, network, store, progress):
        progress.begin(network.name, f" ({network.graph().weight_bytes() / 1e6:.0f} MB)")
        try:
            result = latency.measure(self.chosen, network, self.sandbox, self.models, self.groups)
            store.put(network.name, result)
            return result
        except Exception as error:  # of a framework, too, whose errors have nothing else in common
            self.failed(network.name, error)
            return None
        finally:
            progress.end(network.name)

    def throughput(self):
        """The rows of all cells that were measured, here or before."""
        chosen, networks = self.chosen, self.chosen.networks(SMALL, options.QUICK_LOAD)
        names = [one.name for one in networks]
        settings = {"size": chosen.size, "seed": chosen.seed, "models": names} | self.settings()
        store, bench = Store(chosen.out / "throughput", settings), throughput.Bench(chosen, networks, self.sandbox, self.models, self.groups, say)
        cells = plan.cells(chosen.size)
        say(f"throughput: {len(cells)} schedules of {plan.length(chosen.size)} requests over {len(names)} networks, seed {chosen.seed}")
        progress = Progress("throughput", {plan.key(one): 1 for one in cells})
        rows = throughput.against_cold(self.rows(bench, cells, store, progress))
        self.load_averages += [row["load_average"] for row in rows]
        for row in rows:
            if row["errors"]:
                self.failures[f"throughput {plan.key(row)}"] = f"{row['errors']} requests failed, the first: {row['first_error'][:200]}"
        self.keep_schedules(cells, names)
        self.trace_requests(bench, store)
        return rows

    def rows(self, bench, cells, store, progress):
        """Of all cells that can be measured; the others are in `failures`."""
        found = []
        for one in cells:
            try:
                row = self.cell(bench, one, store, progress)
            except throughput.NotPrepared as error:
                self.failed("throughput", error)
                break
            except Exception as error:
                self.failed(f"throughput {plan.key(one)}", error)
                continue
            if row is not None:
                found.append(row)
        return found

    def failed(self, what, error):
        say(f"{what}: {error}")
        self.failures[what] = str(error).splitlines()[0][:300] if str(error) else type(error).__name__

    def cell(self, bench, one, store, progress):
        """A row; None: there was no time for it."""
        key = plan.key(one)
        row = store.get(key)
        if row is not None:
            progress.known(key)
            return row
        if self.is_over():
            self.left.append(f"throughput {key}")
            return None
        progress.begin(key)
        try:
            row = bench.measure(one)
        finally:
            progress.end(key)
        store.put(key, row)
        return row

    def trace_requests(self, bench, store):
        if store.get("traced") and throughput.trace_path(self.chosen).exists() or self.is_over() or "throughput" in self.failures:
            return
        try:
            bench.trace(throughput.trace_path(self.chosen))
            store.put("traced", True)
        except (RuntimeError, OSError) as error:
            self.failed("Chrome trace of throughput", error)

    def keep_schedules(self, cells, names):
        chosen = self.chosen
        length = plan.length(chosen.size)
        kept = {f"{kind}/{share:g}": throughput.schedule(kind, names, length, chosen.seed, share)
                for kind, share in {(one["distribution"], one["share"]): None for one in cells}}
        (chosen.out / "schedules.json").write_text(json.dumps({"seed": chosen.seed, "schedules": kept}) + "\n")


def sections(run, here):
    """The report's sections, measured, drawn and written as tables one after the other."""
    chosen, out = run.chosen, run.chosen.out
    if {"8", "9"} & set(chosen.figures):
        found = run.latencies("small networks", chosen.networks(SMALL))
        yield from latency_sections(chosen.figures, found, out, here)
        yield report.trace(run.trace("small", [latency.trace_path(chosen, name) for name in found]), "the small networks")
    if {"table4", "10"} & set(chosen.figures):
        found = run.latencies("large networks", chosen.networks(LARGE))
        if found:
            rows = [figures.table4(name, result) for name, result in found.items()]
            report.write(out, "table4", figures.TABLE4, rows, here)
            plots.save(plots.speedups(rows, "Figure 10."), out, "figure10")
            yield report.table4(rows, here["framework"])
            yield report.trace(run.trace("large", [latency.trace_path(chosen, name) for name in found]), "the large networks")
    if "throughput" in chosen.figures and (rows := run.throughput()):
        report.write(out, "throughput", throughput.COLUMNS, rows, here)
        plots.save(plots.throughput(rows), out, "throughput")
        yield report_throughput.throughput(rows, chosen.seed, plan.length(chosen.size), here["cores"])
        yield report.trace(run.trace("throughput", [throughput.trace_path(chosen)]), f"the headline's first requests, at most {traces.MOST_FUNCTIONS}",
                           "They were made")


def latency_sections(wanted, found, out, here):
    if not found:
        return
    if "8" in wanted:
        rows = [figures.figure8(name, result) for name, result in found.items()]
        report.write(out, "figure8", figures.FIGURE8, rows, here)
        plots.save(plots.speedups(rows, "Figure 8."), out, "figure8")
        yield report.figure8(rows, here["framework"])
    if "9" in wanted:
        rows = [figures.figure9(name, result) for name, result in found.items()]
        report.write(out, "figure9", figures.FIGURE9, rows, here)
        plots.save(plots.breakdown(rows), out, "figure9")
        yield report.figure9(rows)


@contextlib.contextmanager
def model_folder():
    """Where networks lie while they are measured: functions run as other users, who may have no way into --out."""
    with tempfile.TemporaryDirectory(prefix="trims-evaluate-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextlib.contextmanager
def memory_groups(chosen):
    """(cgroups.Groups or None, what the report says of them)."""
    if chosen.plain:
        yield None, "no memory cgroups"
        return
    try:
        found = cgroups.find()
    except cgroups.NotAllowed as error:
        yield None, str(error)
        return
    with found:
        yield found, found.name


def evaluate(chosen):
    chosen.out.mkdir(parents=True, exist_ok=True)
    with model_folder() as models, memory_groups(chosen) as (groups, said):
        with private_daemon(chosen.build) as daemon:
            sandbox = choose_sandbox(chosen, daemon, models)
        isolation = f"{sandbox.name}; {said}"
        say(f"functions in {isolation}; results in {chosen.out}")
        run, framework = Run(chosen, sandbox, models, groups, isolation), FRAMEWORKS[chosen.framework]
        version = framework_version(framework, machine.describe(options.ROOT))
        here = machine.describe(options.ROOT) | {"isolation": isolation, "size": chosen.size, "code": run.code, "load_averages": run.load_averages,
                                                 "tier": chosen.tier, "framework": framework.name, "framework_version": version}
        written = list(sections(run, here))
    text = "\n".join(report.document(written, here, run.failures, chosen, run.left))
    (chosen.out / "report.md").write_text(text)
    say(f"the report is {chosen.out / 'report.md'}")
    return 1 if run.failures else 0


def main(arguments):
    chosen = options.parse(arguments)
    stop_on_signals()
    try:
        return evaluate(chosen)
    except KeyboardInterrupt:
        say("interrupted: called again with the same --out it goes on from here")
        return 130
    except (RuntimeError, OSError) as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
