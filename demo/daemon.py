"""A private trimsd in a temporary folder, and what is asked of it."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path


class Daemon:
    """Serves from entering to leaving a `with`; nothing of it stays behind."""

    def __init__(self, build, onnxruntime_library, preparer=None, flags=(), data=None):
        """`flags`: more of trimsd's; `data`: a folder for its models that stays, instead of one that goes with it."""
        self._flags, self._data = flags, data
        self._tools = Path(build) / "src/tools"
        self._library = onnxruntime_library
        self._preparer = preparer or self._tools / "prepare/trims-prepare"

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="trims-demo-"))
        self.folder.chmod(0o755)  # functions run as other users
        self.run_folder = self.folder / "run"
        self.run_folder.mkdir(mode=0o755)
        self.socket = self.run_folder / "trimsd.sock"
        self.data = self._data or self.folder / "data"
        try:
            self._start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self

    def _start(self):
        ready, write_end = os.pipe()
        log = (self.folder / "trimsd.log").open("w")
        self._process = subprocess.Popen(
            [self._tools / "trimsd/trimsd", "--socket", self.socket, "--socket-mode", "0666",
             "--data", self.data, "--preparer", self._preparer,
             "--onnxruntime-library", self._library, "--ready-fd", str(write_end), *self._flags],
            pass_fds=(write_end,), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
        )
        log.close()
        os.close(write_end)
        with os.fdopen(ready) as pipe:
            if not pipe.read(1):
                self._process.wait()
                raise RuntimeError("trimsd did not start: " + (self.folder / "trimsd.log").read_text()[-2000:])

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self):
        return self._process.pid

    def command(self, *arguments):
        """`trims … --json` of this daemon."""
        done = subprocess.run(
            [self._tools / "trims/trims", *arguments, "--json"], text=True, capture_output=True,
            env={**os.environ, "TRIMS_SOCKET": str(self.socket)},
        )
        if done.returncode != 0:
            raise RuntimeError(f"trims {' '.join(map(str, arguments))}: {(done.stderr or done.stdout).strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else {}
