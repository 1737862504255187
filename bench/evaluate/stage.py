"""Where functions run: each in a process and a sandbox of its own (demo/sandbox.py), with the framework alone or over the daemon."""
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "demo"))

from daemon import Daemon  # noqa: E402
from networks import onnx_file  # noqa: E402
from page_cache import drop  # noqa: E402
from sandbox import Plain, choose  # noqa: E402

RUNTIME = ROOT / ".cache/deps/onnxruntime/lib"
NO_MODEL = "no model"  # as the daemon says it
PHASES = ("process", "runtime", "load", "inference")


def private_daemon(build, *flags, data=None):
    return Daemon(build, RUNTIME / "libonnxruntime.so", flags=flags, data=data)


def choose_sandbox(options, daemon, models):
    if options.plain:
        return Plain("asked for with --plain")
    if not shutil.which("bwrap"):
        return Plain("there is no bwrap (try: scripts/setup)")

    def works(sandbox):
        """There is no such model. That the function itself says so is what has to work: bubblewrap fails with a 1, too."""
        running = Stage(sandbox, options.build, daemon, models).start("trims", "none-of-that-name", "x=1")
        try:
            running.answer()
        except RuntimeError as error:
            return NO_MODEL in str(error)
        finally:
            running.kill()
        return False

    return choose(works)


class Stage:
    def __init__(self, sandbox, build, daemon, models):
        """`models`: the folder of the networks' files, NAME.onnx."""
        self.sandbox, self.build, self.daemon, self.models = sandbox, Path(build), daemon, Path(models)

    def path(self, network):
        return self.models / f"{network}.onnx"

    def start(self, mode, network, inputs, lease=None, uid_offset=0):
        """A function in the mode "file" (the framework alone), "trims" or "ideal" (over `lease`'s bytes)."""
        see = self.sandbox.path
        program = "bench_function_trims" if mode == "trims" else "bench_function_plain"
        binds = [(RUNTIME, "/onnxruntime"), (self.build / "bench", "/function")]
        environment = {"LD_LIBRARY_PATH": see(str(RUNTIME), "/onnxruntime"), "HOME": "/tmp", "LANG": "C.UTF-8"}
        fds = ()
        if mode == "trims":
            # The socket's folder is all that a function needs of the node; there is no model in its world.
            binds.append((self.daemon.run_folder, "/tmp/trims"))
            words = [see(str(self.daemon.socket), "/tmp/trims/trimsd.sock"), network]
        elif mode == "ideal":
            words, fds = [str(lease.fd), str(lease.bytes)], (lease.fd,)
        else:
            binds.append((self.models, "/models"))
            words = [see(str(self.path(network)), f"/models/{network}.onnx")]
        argv = [see(str(self.build / "bench" / program), f"/function/{program}"), mode, *words, inputs]
        return self.sandbox.start(argv, binds, environment, uid_offset, pass_fds=fds)

    def run(self, mode, network, inputs, lease=None, uid_offset=0):
        """One whole function, from nothing to its end: what it said, and "whole_ms" to its end."""
        before = time.monotonic()
        running = self.start(mode, network, inputs, lease, uid_offset)
        try:
            answer = running.answer()
            running.end()
        except BaseException:
            running.kill()
            raise
        return answer | {"whole_ms": (time.monotonic() - before) * 1000}

    def drop_source(self, network):
        drop(onnx_file.files(self.path(network)))

    def drop_prepared(self):
        """Everything that a load may read."""
        drop(path for path in Path(self.daemon.data).rglob("*") if path.is_file() and ".sqlite" not in path.name and ".db" not in path.name)

    def wait_until_empty(self, seconds=60):
        """Until what nobody has open has left the memory; of a daemon that reclaims eagerly."""
        deadline = time.monotonic() + seconds
        while self.daemon.command("status")["segments"]:
            if time.monotonic() > deadline:
                raise RuntimeError(f"models are still resident {seconds} s after the last was closed")
            time.sleep(0.01)


def inputs_of(network):
    """As bench_function takes them."""
    return f"{onnx_file.INPUT}=" + "x".join(map(str, (1, *network.input_shape)))
