"""A private trimsd in a temporary folder, the bare reference server, and where both run."""
import contextlib
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from harness.processes import BenchError, json_of, running, say


PUBLISHED = re.compile(r"(files|tensors|ort)-[0-9a-f]{32}")
UNFINISHED = ".unfinished-"  # how the name of a file begins that is still being written


class Build:
    """Where the release preset put its programs."""

    def __init__(self, root):
        self.root = Path(root)
        self.folder = self.root / "build/release"

    def program(self, name):
        for place in (f"bench/{name}", f"src/tools/{name}/{name}", f"src/tools/prepare/{name}", f"src/tools/http/{name}"):
            if (self.folder / place).exists():
                return self.folder / place
        raise BenchError(f"no program {name} in {self.folder}: did the build succeed?")


class Daemon:
    def __init__(self, build, folder, process):
        self.build = build
        self.folder = Path(folder)
        self.socket = self.folder / "trimsd.sock"
        self.data = self.folder / "data"
        self.process = process

    def trims(self, *arguments):
        """The document that `trims --json …` prints."""
        return json_of([self.build.program("trims"), "--json", "--no-autostart", "--socket", self.socket, *arguments])

    def add(self, name, source, variants=(), *flags):
        wanted = ["--variant", ",".join(variants)] if variants else []
        say(f"adding {name}")
        return self.trims("add", name, str(source), *wanted, *flags)

    def wait_until_empty(self, seconds=30):
        """Until what nobody has open any more has left the memory; for daemons that reclaim eagerly."""
        deadline = time.monotonic() + seconds
        while self.trims("status")["segments"]:
            if time.monotonic() > deadline:
                raise BenchError(f"models are still resident {seconds} s after the last was closed")
            time.sleep(0.01)

    def stored_copy(self, size):
        """The file of at least `size` bytes that is finished, in a published folder; None: not yet."""
        for folder in self.data.rglob("*"):
            if PUBLISHED.fullmatch(folder.name) and folder.is_dir():
                for path in folder.rglob("*"):
                    if not path.name.startswith(UNFINISHED) and path.is_file() and path.stat().st_size >= size:
                        return path
        return None

    def wait_for_copy(self, size, seconds=300):
        """Until a model's large file is on the disk; nothing to wait for where it is before an `add` ends."""
        deadline = time.monotonic() + seconds
        while True:
            # What is looked at may get another name meanwhile.
            with contextlib.suppress(FileNotFoundError):
                if path := self.stored_copy(size):
                    return path
            if time.monotonic() > deadline:
                raise BenchError(f"no copy of {size} bytes is on the disk {seconds} s after the model was opened")
            time.sleep(0.02)

    def prepared_files(self):
        """Every file under the data folder that a load may read."""
        return [str(path) for path in sorted(self.data.rglob("*"))
                if path.is_file() and path.stat().st_size > 0 and ".sqlite" not in path.name and ".db" not in path.name]


def pin(pid, cpus):
    """All threads of a process onto `cpus`."""
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), cpus)


def all_cpus():
    return os.sched_getaffinity(0)


@contextlib.contextmanager
def serving(build, folder, *flags, preparer=None, environment=None, within=()):
    """Runs trimsd with data and socket in `folder` until the block is left. `preparer`: another program than the build's
    trims-prepare; `within`: the words before its command (harness/line.py)."""
    read_end, write_end = os.pipe()
    argv = [*within, build.program("trimsd"), "--socket", f"{folder}/trimsd.sock", "--data", f"{folder}/data",
            "--preparer", preparer or build.program("trims-prepare"), "--ready-fd", write_end, *flags]
    with open(f"{folder}/log", "wb") as log, os.fdopen(read_end, "rb") as ready, \
            running(argv, stderr=log, stdout=log, pass_fds=[write_end], env=environment) as process:
        os.close(write_end)
        if not ready.read(1):  # the end of the pipe: the daemon has ended
            text = Path(folder, "log").read_text(errors="replace")
            raise BenchError(f"trimsd did not start: {text.strip()[-2000:]}")
        yield Daemon(build, folder, process)


@contextlib.contextmanager
def daemon(build, *flags, **options):
    """The same in a folder of its own, all of which goes when the block is left."""
    with tempfile.TemporaryDirectory(prefix="trims-bench-") as folder:
        os.chmod(folder, 0o700)
        with serving(build, folder, *flags, **options) as server:
            yield server


@contextlib.contextmanager
def bare_server(build, index_bytes=4096, extent_bytes=2 << 20):
    with tempfile.TemporaryDirectory(prefix="trims-bench-") as folder:
        socket = f"{folder}/bare.sock"
        argv = [build.program("bench_bare_server"), socket, index_bytes, extent_bytes]
        with running(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            if process.stdout.readline() != "ready\n":
                raise BenchError("the bare server did not start")
            yield socket, process
