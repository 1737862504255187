"""Where functions run: each in a process and a sandbox of its own (demo/sandbox.py), with the framework alone or over the daemon."""
import contextlib
import shutil
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "demo"))

from daemon import Daemon  # noqa: E402
from evaluate.frameworks import FRAMEWORKS, RUNTIME, SOCKET_FOLDER  # noqa: E402
from evaluate.lease import HOST  # noqa: E402
from networks.onnx_file import INPUT  # noqa: E402
from page_cache import drop  # noqa: E402
from sandbox import NO_GROUP, Plain, choose  # noqa: E402

PATIENCE = 900  # seconds of one function, the largest cold from a slow disk
NO_MODEL = "no model"  # as the daemon says it


def private_daemon(build, *flags, data=None):
    return Daemon(build, RUNTIME / "libonnxruntime.so", flags=flags, data=data)


def choose_sandbox(options, daemon, models):
    if options.plain:
        return Plain("asked for with --plain")
    if not shutil.which("bwrap"):
        return Plain("there is no bwrap (try: scripts/setup)")

    def works(sandbox):
        """There is no such model. That the function itself says so is what has to work: bubblewrap fails with a 1, too."""
        running = Stage(sandbox, options.build, daemon, models, FRAMEWORKS[options.framework]).start("trims", "none-of-that-name", "x=1")
        try:
            running.answer()
        except RuntimeError as error:
            return NO_MODEL in str(error)
        finally:
            running.kill()
        return False

    return choose(works)


class Stage:
    def __init__(self, sandbox, build, daemon, models, framework=FRAMEWORKS["onnxruntime"], tier=HOST, groups=None):
        """`models`: the folder of the networks' files; `tier`: where functions want their models; `groups`: cgroups.Groups, or None."""
        self.sandbox, self.build, self.daemon, self.models = sandbox, Path(build), daemon, Path(models)
        self.framework, self.tier, self.groups = framework, tier, groups
        self.trace = None  # a traces.Trace, while functions are traced

    def start(self, mode, network, inputs, lease=None, uid_offset=0, spans=None, group=NO_GROUP):
        """A function in the mode "file" (the framework alone; "unfused": as it computes with TrIMS), "trims" or "ideal" (over `lease`'s bytes). `spans`: a folder for them."""
        words, fds = self.framework.ideal(lease) if mode == "ideal" else ([], ())
        argv, binds, environment = self.framework.function(self, mode, network, words)
        if mode == "trims":
            # The socket's folder is all that a function needs of the node; there is no model in its world.
            binds.append((self.daemon.run_folder, SOCKET_FOLDER))
        elif mode in ("file", "unfused"):
            binds.append((self.models, "/models"))
        writable = [(spans, "/spans")] if spans else []
        if spans and mode == "trims":
            self.sandbox.give(spans, uid_offset)
            environment |= {"TRIMS_TRACE": self.sandbox.path(str(spans), "/spans")}
        return self.sandbox.start([*argv, inputs], binds, environment, uid_offset, pass_fds=fds, writable=writable, group=group)

    def run(self, mode, network, inputs, lease=None, uid_offset=0, label=""):
        """One whole function, from nothing to its end: what it said, "whole_ms" to its end, "pid" and "spawned_ns"; where it had a memory cgroup
        of its own also "charged_bytes", at most. `label`: in a trace."""
        spans = self.trace.folder() if self.trace else None
        with self.groups.one() if self.groups else contextlib.nullcontext(NO_GROUP) as group:
            answer = self._whole(lambda: self.start(mode, network, inputs, lease, uid_offset, spans, group))
            if self.groups:
                answer["charged_bytes"] = group.peak_bytes()
        if self.trace:
            self.trace.add(label, answer, spans)
        return answer

    @staticmethod
    def _whole(start):
        before = time.monotonic()
        running = start()
        patience = threading.Timer(PATIENCE, running.process.kill)  # whoever waits for its answer finds its end
        patience.daemon = True
        patience.start()
        try:
            answer = running.answer()
            running.end()
        except BaseException:
            running.kill()
            raise
        finally:
            patience.cancel()
        return answer | {"whole_ms": (time.monotonic() - before) * 1000, "pid": running.pid, "spawned_ns": running.spawned_ns}

    def drop_source(self, network):
        drop(self.framework.files(self.models, network))

    def drop_prepared(self):
        """Everything that a load may read."""
        drop(path for path in Path(self.daemon.data).rglob("*") if path.is_file() and ".sqlite" not in path.name and ".db" not in path.name)

    def wait_until_empty(self, tier=None, seconds=60):
        """Until what nobody has open has left the memory, or only that tier's; of a daemon that reclaims eagerly."""
        deadline = time.monotonic() + seconds
        while any(tier in (None, one["tier"]) for one in self.daemon.command("status")["segments"]):
            if time.monotonic() > deadline:
                raise RuntimeError(f"models are still resident {seconds} s after the last was closed")
            time.sleep(0.01)


def inputs_of(network):
    """As bench_function takes them."""
    return f"{INPUT}=" + "x".join(map(str, (1, *network.input_shape)))
