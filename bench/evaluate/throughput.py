"""Throughput: functions that draw their model from a distribution, several at a time, with less memory than the models take.

Each request is a whole function, in a process and a sandbox of its own, answers checked. Beside TrIMS: the framework alone by the
same schedule, once with the page cache as the kernel keeps it and once cold, each function's model dropped from it before (the
paper's baseline).
"""
import itertools
import threading
import time

from evaluate import answers
from evaluate.schedule import DISTRIBUTIONS, schedule
from evaluate.stage import Stage, inputs_of, private_daemon
from harness.stats import percentile
from networks import onnx_file

FRAMEWORK, FRAMEWORK_COLD = "framework", "framework-cold"
BUDGETS, CONCURRENCY, SHARES = (80, 40), (1, 5, 10), (0.1, 0.2, 0.5, 1.0)
POLICIES = ("worth", "lru", "fifo", "lcu", "gdsf", "s3fifo", "flush", "eager", "never")
DEFAULT_POLICY = "worth"
NO_ROOM = "RESOURCE_EXHAUSTED"  # as the daemon says it
ATTEMPTS = 20  # of one request that finds no room
COLUMNS = ("distribution", "concurrency", "budget_percent", "share", "how", "requests", "errors", "refused", "per_second", "against_cold", "p50_ms",
           "p99_ms", "hit_ratio", "loaded_mb", "seconds")


def cell(distribution, concurrency, budget, how, share=1.0):
    return {"distribution": distribution, "concurrency": concurrency, "budget_percent": budget, "share": share, "how": how}


def key(one):
    return "-".join(str(one[name]) for name in ("distribution", "concurrency", "budget_percent", "share", "how"))


def _both(distribution, concurrency, budget, share=1.0):
    for how in (DEFAULT_POLICY, FRAMEWORK, FRAMEWORK_COLD):
        yield cell(distribution, concurrency, budget, how, share)


def cells(size):
    """What is measured, budgets apart: a daemon has one."""
    if size != "full":
        few = 1 if size == "smoke" else 2
        found = [one for budget in BUDGETS[-few:] for one in _both("pareto-1-1", few, budget)]
    else:
        found = [one for distribution, concurrency, budget in itertools.product(DISTRIBUTIONS, CONCURRENCY, BUDGETS)
                 for one in _both(distribution, concurrency, budget)]
        found += [cell("pareto-1-1", 5, budget, policy) for budget in BUDGETS for policy in POLICIES]
        found += [one for share in SHARES for one in _both("uniform", 5, 40, share)]
    unique = {key(one): one for one in found}
    # The framework alone knows no budget: one run stands for both.
    return [one for one in unique.values() if one["how"] in POLICIES or one["budget_percent"] == BUDGETS[-1]]


def length(size):
    return {"full": 500, "quick": 24, "smoke": 6}[size]


class Crew:
    """`concurrency` threads that take requests off one schedule.

    Models that are in use can't go for another: a request that finds no room is made again when another has ended, or none is under
    way. `latencies`: of those that answered, waiting included.
    """

    def __init__(self, run, names, concurrency):
        self._run, self._queue, self._concurrency = run, iter(names), concurrency
        self._changed, self._running, self._ended = threading.Condition(), 0, 0
        self.latencies, self.errors, self.refused = [], [], 0

    def _next(self):
        with self._changed:
            return next(self._queue, None)

    def _attempt(self, name, number):
        """The error, or None; how many had ended when it began."""
        with self._changed:
            self._running += 1
            ended = self._ended
        try:
            self._run(name, number)
            return None, ended
        except (RuntimeError, OSError) as error:
            return error, ended
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _end(self):
        with self._changed:
            self._ended += 1
            self._changed.notify_all()

    def _wait_for_room(self, ended):
        """Until another request has ended since `ended` were, or none is under way."""
        with self._changed:
            self.refused += 1
            self._changed.wait_for(lambda: self._ended > ended or self._running == 0)

    def _answer(self, name, number):
        began = time.monotonic()
        for _ in range(ATTEMPTS):
            error, ended = self._attempt(name, number)
            if error is None:
                return self.latencies.append((time.monotonic() - began) * 1000)
            if NO_ROOM not in str(error):
                break
            self._wait_for_room(ended)
        self.errors.append(f"{name}: {error}")

    def _work(self, number):
        while (name := self._next()) is not None:
            self._answer(name, number)
            self._end()

    def work(self):
        """Seconds until all is done."""
        threads = [threading.Thread(target=self._work, args=(i,)) for i in range(self._concurrency)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            self._queue = iter(())  # interrupted, only what is under way ends
        return time.monotonic() - began


class Load:
    """All models added to one daemon."""

    def __init__(self, stage, networks, wanted):
        self.stage, self.networks, self.wanted = stage, {one.name: one for one in networks}, wanted

    def request(self, how):
        mode = "file" if how in (FRAMEWORK, FRAMEWORK_COLD) else "trims"

        def run(name, number):
            if how == FRAMEWORK_COLD:
                self.stage.drop_source(name)
            said = self.stage.run(mode, name, inputs_of(self.networks[name]), uid_offset=number)
            answers.check(f"{name} ({how})", said, self.wanted[name])

        return run

    def measure(self, one, size, seed):
        names = schedule(one["distribution"], self.networks, length(size), seed, one["share"])
        if one["how"] in POLICIES:
            self.stage.daemon.command("policy", "--eviction", one["how"])
        before = self.stage.daemon.command("status")["counters"]
        crew = Crew(self.request(one["how"]), names, one["concurrency"])
        seconds = crew.work()
        after = self.stage.daemon.command("status")["counters"]
        at = lambda share: round(percentile(crew.latencies, share), 1) if crew.latencies else None
        return one | {"requests": len(names), "seconds": round(seconds, 3), "per_second": round(len(crew.latencies) / seconds, 3),
                      "p50_ms": at(0.5), "p99_ms": at(0.99), "errors": len(crew.errors), "refused": crew.refused,
                      "first_error": crew.errors[0] if crew.errors else "", **counted(one["how"], before, after)}


def counted(how, before, after):
    grown = {name: after[name] - before[name] for name in ("opens", "hits", "bytes_loaded")}
    if how not in POLICIES or not grown["opens"]:
        return {"hit_ratio": None, "loaded_mb": None}
    return {"hit_ratio": round(grown["hits"] / grown["opens"], 4), "loaded_mb": round(grown["bytes_loaded"] / 1e6, 1)}


def prepare(networks, models, say):
    """Writes all networks; {name: the right answer}."""
    wanted = {}
    for network in networks:
        path = models / f"{network.name}.onnx"
        say(f"writing {network.name}")
        onnx_file.write(network, path)
        path.chmod(0o644)
        wanted[network.name] = answers.expected(path, network.input_shape)
    return wanted


def measure_all(options, networks, sandbox, models, wanted, store, progress):
    """The rows of all cells; what is there already is not measured again. Each cell begins with a daemon that holds nothing."""
    rows, sizes = [], None
    for one in cells(options.size):
        row = store.get(key(one))
        if row is not None:
            progress.known(key(one))
        else:
            progress.begin(key(one))
            sizes = sizes or add_all(options, networks, models)
            row = measure_cell(options, networks, sandbox, models, wanted, one, budget(sizes, one["budget_percent"]))
            store.put(key(one), row)
            progress.end(key(one))
        rows.append(row)
    return rows


def measure_cell(options, networks, sandbox, models, wanted, one, budget_bytes):
    with private_daemon(options.build, "--host-budget", str(budget_bytes), data=models / "data") as daemon:
        return Load(Stage(sandbox, options.build, daemon, models), networks, wanted).measure(one, options.size, options.seed)


def add_all(options, networks, models):
    """How many bytes each model takes, once it has been added to the data folder of the daemons to come."""
    sizes = []
    with private_daemon(options.build, data=models / "data") as daemon:
        for network in networks:
            daemon.command("add", network.name, models / f"{network.name}.onnx", "--variant", "ort")
            sizes.append(daemon.command("status")["prepared_bytes"] - sum(sizes))
    return sizes


def budget(sizes, percent):
    """That part of what all models take; never less than the largest needs, with its pages' ends."""
    return max(sum(sizes) * percent // 100, max(sizes) + (4 << 20))


def against_cold(rows):
    """Each row with its requests per second beside the framework's cold starts by the same schedule."""
    place = lambda row: (row["distribution"], row["concurrency"], row["share"])
    cold = {place(row): row["per_second"] for row in rows if row["how"] == FRAMEWORK_COLD and row["per_second"]}
    return [row | {"against_cold": round(row["per_second"] / cold[place(row)], 3) if place(row) in cold else None} for row in rows]
