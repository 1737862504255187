"""Starts a function the way a platform does: a fresh process with a world of its own, made by bubblewrap."""

import contextlib
import json
import os
import subprocess
import time

# Real users of their own, where the demo may take them (it runs as root); mapped ones in a user namespace otherwise.
FIRST_UID = 61000

SYSTEM = [
    "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
    "--symlink", "usr/bin", "/bin", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
]
NAMESPACES = [
    "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--as-pid-1",
    "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv",
]


class NoGroup:
    """A function in the control group that it is started from. Another one (bench/evaluate/cgroups.py) is born within `entered()`, or goes in by
    `prepare`, between fork and exec."""

    prepare = None

    def entered(self):
        return contextlib.nullcontext()


NO_GROUP = NoGroup()


class Running:
    """A function that was started: its line of JSON, its process, its end."""

    def __init__(self, process, info, spawned_ns):
        """`spawned_ns`: by CLOCK_MONOTONIC, just before it was started."""
        self.process, self._info, self.spawned_ns = process, info, spawned_ns
        self.pid = process.pid  # the function's own, once it has answered

    def answer(self):
        line = self.process.stdout.readline()
        if not line.strip():
            raise RuntimeError(f"a function said nothing: {self.process.stderr.read().strip()[-2000:]}")
        if self._info is not None:
            with os.fdopen(self._info) as info:
                self.pid, self._info = json.load(info)["child-pid"], None
        return json.loads(line)

    def end(self):
        """Ends its input, which is what it waits for, and waits for it."""
        self.process.stdin.close()
        self.process.stdout.read()
        errors = self.process.stderr.read()
        if self.process.wait() != 0:
            raise RuntimeError(f"a function failed: {errors.strip()[-2000:]}")
        self._close()

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self._close()

    def _close(self):
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()
        if self._info is not None:
            os.close(self._info)
            self._info = None


class Plain:
    """No isolation: where the machine forbids namespaces, or the user does."""

    def __init__(self, why):
        self.name = f"plain processes: {why}"

    def path(self, outside, inside):
        return outside

    def give(self, path, uid_offset=0):
        """Makes a folder one that the function may write to."""

    def start(self, argv, binds, environment, uid_offset=0, pass_fds=(), writable=(), group=NO_GROUP):
        with group.entered():
            spawned = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            process = subprocess.Popen(
                [*argv, "--spawned", str(spawned)], env=environment, text=True, pass_fds=pass_fds, preexec_fn=group.prepare,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
        return Running(process, None, spawned)


class Bubblewrap:
    """Own user, mount, pid, net, ipc and uts namespaces, a root of its own that is read-only, no capability."""

    def __init__(self, own_users):
        self.own_users = own_users
        self.name = "bubblewrap: own user, mount, pid, net, ipc, uts namespaces; read-only root; " + (
            "a real user each" if own_users else "a mapped user each"
        )

    def path(self, outside, inside):
        return inside

    def give(self, path, uid_offset=0):
        if self.own_users:
            os.chown(path, FIRST_UID + uid_offset, FIRST_UID + uid_offset)

    def start(self, argv, binds, environment, uid_offset=0, pass_fds=(), writable=(), group=NO_GROUP):
        uid = FIRST_UID + uid_offset
        read_end, write_end = os.pipe()
        # Not Popen's `user`: with it Python forks, and copies the page tables of a caller that may be large, where it would vfork.
        user = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups"] if self.own_users else []
        wrap = [*user, "bwrap", *NAMESPACES, *SYSTEM, "--uid", str(uid), "--gid", str(uid), "--info-fd", str(write_end)]
        for outside, inside in binds:
            wrap += ["--ro-bind", str(outside), str(inside)]
        for outside, inside in writable:
            wrap += ["--bind", str(outside), str(inside)]
        for key, value in environment.items():
            wrap += ["--setenv", key, value]
        try:
            with group.entered():
                spawned = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
                process = subprocess.Popen(
                    [*wrap, *argv, "--spawned", str(spawned)], text=True, pass_fds=(write_end, *pass_fds), preexec_fn=group.prepare,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                )
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        return Running(process, read_end, spawned)


def choose(probe):
    """The strongest isolation that `probe(sandbox)` says works here."""
    candidates = [Bubblewrap(True)] if os.geteuid() == 0 else []
    for sandbox in [*candidates, Bubblewrap(False)]:
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            if probe(sandbox):
                return sandbox
    return Plain("this machine forbids namespaces")
