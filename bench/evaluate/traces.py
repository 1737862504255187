"""One Chrome trace of a run: functions that are started once more in every way, and not measured, beside the daemon's side of them.

libtrims writes a function's opens and phases where TRIMS_TRACE names a folder, `trims trace record` the daemon's; of a function without
libtrims (the framework alone, the ideal) its phases are written here, by its own clock. `trims trace combine` puts all of it together. In
the viewer each function is one process, called by its network and the way in which it was started.
"""
import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path

from harness.processes import running

LARGEST = 1 << 20  # bytes that one process may bring in: a few hundred opens
MOST_FUNCTIONS = 40  # of throughput
GAP_US = 100_000  # between what was not one after the other
PHASES = ("process", "runtime", "load", "inference")


class TraceError(RuntimeError):
    pass


def program(build):
    return Path(build) / "src/tools/trims/trims"


def command(build, *words):
    """`trims trace …`'s document; no daemon is asked."""
    done = subprocess.run([program(build), "--json", "trace", *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise TraceError(f"trims trace {words[0]}: {(done.stderr or done.stdout).strip()[-1000:]}")
    return json.loads(done.stdout)


def metadata(kind, pid, /, **arguments):
    return {"name": kind, "ph": "M", "pid": pid, "tid": 0, "args": arguments}


def phases(said):
    """Spans of a function that wrote none, of what it said at its end."""
    pid, begin = said["pid"], said["spawned_ns"] / 1000
    for phase in PHASES:
        took = said["phases_ms"][phase] * 1000
        yield {"name": phase, "cat": "trims.function", "ph": "X", "ts": round(begin, 3), "dur": round(took, 3), "pid": pid, "tid": pid, "args": {}}
        begin += took


def read(path):
    """The events of a file that a process left."""
    if path.stat().st_size > LARGEST:
        raise TraceError(f"{path.name} has {path.stat().st_size} bytes: expected at most {LARGEST} of one process")
    try:
        found = json.loads(path.read_text())
        events = found["traceEvents"] if isinstance(found, dict) else found
        if all(isinstance(one, dict) for one in events):
            return events
    except (ValueError, KeyError, TypeError):
        pass
    raise TraceError(f"{path.name} is no Chrome trace")


def named(events, names):
    """With what the functions are called in place of what their programs are; `names`: {pid: name}, in their order."""
    kept = [one for one in events if one.get("name") != "process_name" or one.get("pid") not in names]
    pids = {one.get("pid") for one in kept}
    for order, (pid, name) in enumerate(names.items()):
        if pid in pids:
            kept += [metadata("process_name", pid, name=name), metadata("process_sort_index", pid, sort_index=order)]
    return kept


class Trace:
    """Of the functions that a stage runs from entering to leaving; `out` is written at the end of the block, unless that raised."""

    def __init__(self, stage, out):
        self.stage, self.out, self._numbers, self._functions = stage, Path(out), itertools.count(), []
        self._folder = self.out.with_suffix(".parts")

    def __enter__(self):
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._stage_folder = self.stage.models / f"traces-{os.getpid()}"  # where functions, as other users, have a way to
        self._stage_folder.mkdir()
        try:
            self._record()
        except BaseException:
            self._clear()
            raise
        self.stage.trace = self
        return self

    def _clear(self):
        shutil.rmtree(self._folder)
        shutil.rmtree(self._stage_folder)

    def _record(self):
        environment = {**os.environ, "TRIMS_SOCKET": str(self.stage.daemon.socket)}
        argv = [program(self.stage.build), "trace", "record", "--out", self._folder / "daemon.json"]
        self._recorder = running(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
        self._errors = self._recorder.__enter__().stderr
        said = self._errors.readline()  # from here on opens are recorded
        if not said.startswith("recording"):
            said += self._errors.read()
            self._end_recorder()
            raise TraceError(f"trims trace record: {said.strip()[-1000:]}")

    def _end_recorder(self):
        self._recorder.__exit__(None, None, None)  # SIGTERM: it writes what was done until then
        self._errors.close()

    def folder(self):
        """A new one, for one function's spans."""
        made = self._stage_folder / str(next(self._numbers))
        made.mkdir(mode=0o700)
        return made

    def add(self, label, said, folder):
        self._functions.append((label, said, folder))

    def __exit__(self, kind, *_):
        self.stage.trace = None
        self._end_recorder()
        try:
            if kind is None:
                self._write()
        finally:
            self._clear()

    def _write(self):
        self._functions.sort(key=lambda one: one[1]["spawned_ns"])
        names = {said["pid"]: label for label, said, _ in self._functions}
        parts = []
        for label, said, folder in self._functions:
            parts.append(self._folder / f"{len(parts)}.json")
            parts[-1].write_text(json.dumps(named(self._spans(said, folder), names)))
        daemon = self._folder / "daemon.json"
        daemon.write_text(json.dumps(named(read(daemon), names)))
        command(self.stage.build, "combine", *parts, daemon, "--out", self.out)

    @staticmethod
    def _spans(said, folder):
        """What the function left, under the number that the daemon knows it by: in a container it has another."""
        files = list(folder.glob("*.json"))
        if not files:
            return [*phases(said)]
        return [one | {"pid": said["pid"]} for path in files for one in read(path)]


def shifted(events, begin_us):
    """The same, beginning at that time; and the time at which they end."""
    timed = [one for one in events if one.get("ph") == "X"]
    by = begin_us - min((one["ts"] for one in timed), default=begin_us)
    moved = [one | {"ts": round(one["ts"] + by, 3)} if "ts" in one else one for one in events]
    for one in moved:
        if "monotonic_us" in one.get("args", {}):
            one["args"] = one["args"] | {"monotonic_us": round(one["args"]["monotonic_us"] + by, 3)}
    return moved, max((one["ts"] + one["dur"] for one in moved if one.get("ph") == "X"), default=begin_us)


def together(build, paths, out):
    """The traces of several networks as one, each after the one before, without the time between; what is said of it in the report."""
    folder, begin, parts = out.with_name(out.name.replace(".json", ".parts")), 0.0, []
    folder.mkdir(exist_ok=True)
    try:
        for path in paths:
            events, end = shifted(json.loads(path.read_text()), begin)
            begin = end + GAP_US
            parts.append(folder / path.name)
            parts[-1].write_text(json.dumps(events))
        combined = command(build, "combine", *parts, "--out", out)
        compact(out)
        return {"file": out.name, "events": combined["events"], "bytes": out.stat().st_size, "spans": command(build, "summarise", out)["spans"]}
    finally:
        shutil.rmtree(folder)


def compact(path):
    """Without the room for more that a file which grows has."""
    text = path.read_text()
    path.write_text(text.rstrip().removesuffix("]").rstrip() + "\n]\n")
    path.chmod(0o644)
