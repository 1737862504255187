"""A memory cgroup of its own for each function, where this machine lets us make one: what it was charged with at most is read there.

Pages that a process of the node holds already, as the daemon's, are charged to that one and not again: so the difference between a function
that loads its weights and one that maps them is what sharing saves.

Version 1 moves the thread that starts a function into the group, before its time begins: what it starts is born there. Version 2 moves whole
processes only, so there the function itself goes in just before its program is started, which is part of its time.
"""
import contextlib
import itertools
import os
import threading
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
FOLDER = f"trims-evaluate-{os.getpid()}"


class NotAllowed(RuntimeError):
    """The text says why there can't be cgroups here."""


def home(text, version):
    """Our own group beneath the hierarchy's root, of /proc/self/cgroup's text."""
    for line in text.splitlines():
        number, controllers, path = line.split(":", 2)
        if (version == 1 and "memory" in controllers.split(",")) or (version == 2 and number == "0"):
            return path.lstrip("/")
    return None


class Group:
    """One function's. `prepare` is called in the child, between fork and exec; None: there is nothing to do."""

    prepare = None

    def __init__(self, path, peak):
        self.path, self._peak = path, peak
        path.mkdir()

    @contextlib.contextmanager
    def entered(self):
        """What is started within is born in the group."""
        yield

    def peak_bytes(self):
        return int((self.path / self._peak).read_text())

    def close(self):
        """Once nothing runs in it."""
        self.path.rmdir()


class ThreadsGroup(Group):
    """Of version 1. `outside`: where the thread goes back to."""

    def __init__(self, path, outside):
        super().__init__(path, "memory.max_usage_in_bytes")
        self._outside = outside

    @contextlib.contextmanager
    def entered(self):
        thread = str(threading.get_native_id())
        (self.path / "tasks").write_text(thread)
        try:
            yield
        finally:
            (self._outside / "tasks").write_text(thread)


class ProcessesGroup(Group):
    """Of version 2."""

    def __init__(self, path):
        super().__init__(path, "memory.peak")

    @contextlib.contextmanager
    def entered(self):
        door = os.open(self.path / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)  # while we are who may
        self.prepare = lambda: os.write(door, b"0")
        try:
            yield
        finally:
            self.prepare = None
            os.close(door)


class Groups:
    """A folder of groups, gone at the end of the block."""

    def __init__(self, version, parent, outside):
        self.name = f"a memory cgroup each (version {version})"
        self._version, self._parent, self._outside, self._numbers = version, parent, outside, itertools.count()

    @contextlib.contextmanager
    def one(self):
        """A group for a function that ends within the block."""
        path = self._parent / f"function-{next(self._numbers)}"
        made = ThreadsGroup(path, self._outside) if self._version == 1 else ProcessesGroup(path)
        try:
            yield made
        except BaseException:
            with contextlib.suppress(OSError):  # what was killed may still be in it: it goes with the folder
                made.close()
            raise
        made.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for path in self._parent.glob("function-*"):  # of one that was killed
            with contextlib.suppress(OSError):
                path.rmdir()
        with contextlib.suppress(OSError):
            self._parent.rmdir()


def _version1(root, text):
    outside = root / "memory" / (home(text, 1) or "")
    parent = outside / FOLDER
    parent.mkdir()
    return Groups(1, parent, outside)


def _version2(root, text):
    """Beneath our own group, or the root's: only groups without processes, and the root, may hand on a controller."""
    own = root / (home(text, 2) or "")
    for outside in dict.fromkeys([own, root]):
        try:
            (outside / "cgroup.subtree_control").write_text("+memory")
            break
        except OSError as error:
            why = error
    else:
        raise why
    parent = outside / FOLDER
    parent.mkdir()
    try:
        (parent / "cgroup.subtree_control").write_text("+memory")
    except OSError:
        parent.rmdir()
        raise
    return Groups(2, parent, outside)


def find(root=ROOT, text=None):
    """Groups, or NotAllowed."""
    text = Path("/proc/self/cgroup").read_text() if text is None else text
    try:
        if (root / "memory").is_dir():
            return _version1(root, text)
        if "memory" in (root / "cgroup.controllers").read_text().split():
            return _version2(root, text)
    except OSError as error:
        where = str(error.filename).replace(f"/{FOLDER}", "")  # the same in every run: results are told apart by it
        raise NotAllowed(f"no memory cgroups: {error.strerror or error} ({where}); they take root, or a scope that was delegated") from None
    raise NotAllowed("no memory cgroups: this kernel's hierarchy has no memory controller")
