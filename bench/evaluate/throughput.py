"""Throughput: functions that draw their model from a distribution, several at a time, with less memory than the models take.

Each request is a whole function, in a process and a sandbox of its own, answers checked. Beside TrIMS: the framework alone by the
same schedule, once with the page cache as the kernel keeps it and once cold, each function's model dropped from it before (the
paper's baseline).
"""
import collections
import contextlib
import os
import resource
import threading
import time
from pathlib import Path

from evaluate import answers, plan
from evaluate.frameworks import FRAMEWORKS
from evaluate.latency import LATENCY, LINK
from evaluate.lease import HOST
from evaluate.plan import DEFAULT_POLICY, FRAMEWORK, FRAMEWORK_COLD, OTHER_POLICY, POLICIES
from evaluate.schedule import schedule
from evaluate.stage import Stage, inputs_of, private_daemon
from evaluate.traces import MOST_FUNCTIONS, Trace
from harness.stats import percentile

NO_ROOM = "RESOURCE_EXHAUSTED"  # as the daemon says it
ATTEMPTS = 20  # of one request that finds no room
COLUMNS = ("distribution", "concurrency", "budget_percent", "share", "how", "requests", "errors", "refused", "per_second", "against_cold", "p50_ms",
           "p99_ms", "hit_ratio", "loaded_mb", "functions_cpu_s", "daemon_cpu_s", "driver_cpu_s", "busy", "peak_mb", "charged_mb", "seconds", "load_average")


class Crew:
    """`concurrency` threads that take requests off one schedule.

    Models that are in use can't go for another: a request that finds no room is made again when another has ended, or none is under
    way. `latencies`: of those that answered, waiting included, and without what `run` returns: milliseconds that were the measuring's own.
    """

    def __init__(self, run, names, concurrency):
        self._run, self._queue, self._concurrency = run, iter(names), concurrency
        self._changed, self._running, self._ended = threading.Condition(), 0, 0
        self.latencies, self.errors, self.refused, self.own_ms = [], [], 0, 0.0

    def _next(self):
        with self._changed:
            return next(self._queue, None)

    def _attempt(self, name, number):
        """The error, or None; how many had ended when it began; milliseconds that don't count."""
        with self._changed:
            self._running += 1
            ended = self._ended
        try:
            return None, ended, self._run(name, number) or 0.0
        except Exception as error:  # whatever it is, the request has an end
            return error, ended, 0.0
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
            error, ended, own = self._attempt(name, number)
            if error is None:
                self.own_ms += own
                return self.latencies.append((time.monotonic() - began) * 1000 - own)
            if NO_ROOM not in str(error):
                break
            self._wait_for_room(ended)
        self.errors.append(f"{name}: {error}")

    def _work(self, number):
        while (name := self._next()) is not None:
            self._answer(name, number)
            self._end()

    def work(self):
        """Seconds until all is done, without the measuring's own, which the threads share."""
        threads = [threading.Thread(target=self._work, args=(i,)) for i in range(self._concurrency)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            self._queue = iter(())  # interrupted, only what is under way ends; nothing it needs may go before that
            for thread in threads:
                thread.join()
        return time.monotonic() - began - self.own_ms / 1000 / self._concurrency


class Readers:
    """Who reads which file: one that another function is reading is not cold, and dropping it would slow that one down."""

    def __init__(self):
        self._lock, self._counts = threading.Lock(), collections.Counter()

    @contextlib.contextmanager
    def of(self, name):
        """Whether there is no other."""
        with self._lock:
            self._counts[name] += 1
            alone = self._counts[name] == 1
        try:
            yield alone
        finally:
            with self._lock:
                self._counts[name] -= 1


class Load:
    """All models added to one daemon."""

    def __init__(self, stage, networks, wanted):
        self.stage, self.networks, self.wanted, self._used = stage, {one.name: one for one in networks}, wanted, []
        self.readers = Readers()

    def request(self, how):
        """What a Crew runs."""
        mode = "file" if how in (FRAMEWORK, FRAMEWORK_COLD) else "trims"

        def run(name, number):
            with self.readers.of(name) as alone:
                began = time.monotonic()
                if how == FRAMEWORK_COLD and alone:
                    self.stage.drop_source(name)
                own_ms = (time.monotonic() - began) * 1000
                said = self.stage.run(mode, name, inputs_of(self.networks[name]), uid_offset=number, label=name)
            answers.check(f"{name} ({how})", said, self.wanted[name])
            self._used.append((said["peak_bytes"], said.get("charged_bytes")))
            return own_ms

        return run

    def used(self, cpu_before):
        """Processor time of all functions, their sandboxes included, and of the daemon; the most that one function had resident, shared pages
        included, and on average was charged with. `cpu_before`: children_seconds() when the first began."""
        charged = [one for _, one in self._used if one is not None]
        return {"functions_cpu_s": round(children_seconds() - cpu_before, 2), "daemon_cpu_s": round(processor_seconds(self.stage.daemon.pid), 2),
                "peak_mb": round(max((peak for peak, _ in self._used), default=0) / 1e6, 1),
                "charged_mb": round(sum(charged) / len(charged) / 1e6, 1) if charged else None}

    def measure(self, one, size, seed):
        names = schedule(one["distribution"], self.networks, plan.length(size), seed, one["share"])
        if one["how"] in POLICIES:
            for tier in {HOST, self.stage.tier}:
                self.stage.daemon.command("policy", "--eviction", one["how"], "--tier", tier)
            self.stage.drop_prepared()  # a miss is one of the disk, as the framework's cold start is
        before = self.stage.daemon.command("status")["counters"]
        crew, cpu, own, machine = Crew(self.request(one["how"]), names, one["concurrency"]), children_seconds(), time.process_time(), Processors()
        seconds = crew.work()
        used = self.used(cpu) | {"driver_cpu_s": round(time.process_time() - own, 2), "busy": machine.busy()}
        after = self.stage.daemon.command("status")["counters"]
        if len(crew.latencies) + len(crew.errors) != len(names):
            raise RuntimeError(f"{len(names)} requests had {len(crew.latencies)} answers and {len(crew.errors)} errors")
        at = lambda share: round(percentile(crew.latencies, share), 1) if crew.latencies else None
        return one | {"requests": len(names), "seconds": round(seconds, 3), "per_second": round(len(crew.latencies) / seconds, 3),
                      "p50_ms": at(0.5), "p99_ms": at(0.99), "errors": len(crew.errors), "refused": crew.refused,
                      "first_error": crew.errors[0] if crew.errors else "", **counted(one["how"], before, after), **used}


def children_seconds():
    """What our children that have ended used of the processors, and theirs: sandboxes and what ran in them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Processors:
    """What the machine's processors have done since this was made."""

    def __init__(self, file=Path("/proc/stat")):
        self._file, self._before = file, self._read(file)

    @staticmethod
    def _read(file):
        """Busy and idle ticks. What a virtual machine's host took away is neither."""
        user, nice, system, idle, waiting, hard, soft = (int(word) for word in file.read_text().split()[1:8])
        return user + nice + system + hard + soft, idle + waiting

    def busy(self):
        """The share of the time, 0 to 1."""
        busy, idle = (after - before for before, after in zip(self._before, self._read(self._file)))
        return round(busy / (busy + idle), 4) if busy + idle > 0 else 0.0


def processor_seconds(pid):
    """What a process has used of the processors so far, and its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[i]) for i in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")


def counted(how, before, after):
    """Of opens that were granted: one that found no room is made again, and would count twice."""
    grown = {name: after[name] - before[name] for name in ("opens", "hits", "refused", "bytes_loaded")}
    granted = grown["opens"] - grown["refused"]
    if how not in POLICIES or not granted:
        return {"hit_ratio": None, "loaded_mb": None}
    return {"hit_ratio": round(grown["hits"] / granted, 4), "loaded_mb": round(grown["bytes_loaded"] / 1e6, 1)}


def trace_path(options):
    return options.out / "throughput" / "requests.trace.json"


class NotPrepared(RuntimeError):
    """The models can't be had: no cell can be measured."""


class Bench:
    """All cells of one evaluation, over models that are written and added once something has to be measured."""

    def __init__(self, options, networks, sandbox, models, groups, say):
        self.options, self.networks, self.sandbox, self.models, self.groups, self.say = options, networks, sandbox, models, groups, say
        self._framework, self._wanted, self._sizes = FRAMEWORKS[options.framework], {}, []
        self._load_average = round(os.getloadavg()[0], 2)  # later it is our own

    def _prepare(self):
        """Writes all networks, has their right answers, and adds them to the data folder of the daemons to come."""
        for network in self.networks:
            self.say(f"writing {network.name}")
            self._wanted[network.name] = answers.of_onnxruntime(self.models, network)
            self._framework.write(self.models, network)
            for path in self._framework.files(self.models, network.name):
                path.chmod(0o644)
        sizes = []
        with private_daemon(self.options.build, data=self.models / "data") as daemon:
            for network in self.networks:
                daemon.command("add", network.name, self._framework.path(self.models, network.name), "--variant", self._framework.variant)
                sizes.append(daemon.command("status")["prepared_bytes"] - sum(sizes))
        self._sizes = sizes

    @contextlib.contextmanager
    def _load(self, one):
        """Over a daemon that holds nothing."""
        if not self._sizes:
            try:
                self._prepare()
            except (RuntimeError, OSError, ValueError, MemoryError) as error:
                raise NotPrepared(str(error) or type(error).__name__) from error
        flags = daemon_flags(self.options.on_device, budget(self._sizes, one["budget_percent"]))
        with private_daemon(self.options.build, *flags, data=self.models / "data") as daemon:
            stage = Stage(self.sandbox, self.options.build, daemon, self.models, self._framework, self.options.tier, self.groups)
            yield Load(stage, self.networks, self._wanted)

    def measure(self, one):
        with self._load(one) as load:
            return load.measure(one, self.options.size, self.options.seed) | {"load_average": self._load_average}

    def trace(self, out):
        """The first requests of the headline once more, into a Chrome trace, and not measured."""
        one, size = plan.traced(self.options.size), self.options.size
        names = schedule(one["distribution"], [network.name for network in self.networks], plan.length(size), self.options.seed)[:MOST_FUNCTIONS]
        with self._load(one) as load, Trace(load.stage, out):
            crew = Crew(load.request(one["how"]), names, one["concurrency"])
            crew.work()
        if crew.errors:
            raise RuntimeError(f"a request that was traced failed: {crew.errors[0]}")


def daemon_flags(on_device, most):
    """A budget of `most` bytes for each tier that takes part."""
    device = ["--device", f"sim:0,capacity={most},link={LINK},latency={LATENCY}", "--device-budget", "100%"] if on_device else []
    return ["--host-budget", str(most), *device]


def budget(sizes, percent):
    """That part of what all models take; never less than the largest needs, with its pages' ends."""
    return max(sum(sizes) * percent // 100, max(sizes) + (4 << 20))


def against_cold(rows):
    """Each row with its requests per second beside the framework's cold starts by the same schedule; None where a request of either failed."""
    place = lambda row: (row["distribution"], row["concurrency"], row["share"])
    cold = {place(row): row["per_second"] for row in rows if row["how"] == FRAMEWORK_COLD and row["per_second"] and not row["errors"]}
    return [row | {"against_cold": round(row["per_second"] / cold[place(row)], 3) if place(row) in cold and not row["errors"] else None}
            for row in rows]


def hit_ratios(rows):
    """(distribution, that of the default policy, that of the other) of the schedules that both had, the headline's."""
    found = {(row["distribution"], row["how"]): row["hit_ratio"] for row in rows
             if (row["concurrency"], row["budget_percent"], row["share"]) == (5, 40, 1) and row["hit_ratio"] is not None and not row["errors"]}
    for distribution in dict.fromkeys(name for name, _ in found):
        if (distribution, DEFAULT_POLICY) in found and (distribution, OTHER_POLICY) in found:
            yield distribution, found[distribution, DEFAULT_POLICY], found[distribution, OTHER_POLICY]
