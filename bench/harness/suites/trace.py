"""trace: what traces cost the opens that leave them: written by each client (TRIMS_TRACE), and recorded by trims trace."""
import contextlib
import os
import subprocess
from pathlib import Path

from harness.daemon import serving
from harness.models import write_safetensors
from harness.processes import BenchError, json_of, running, say
from harness.report import Row
from harness.session import rounds, scratch
from harness.stats import median

CLIENTS = 4
MODEL_BYTES = 16_000_000


def opens_a_second(bench, server, folder=None):
    """Of clients that write their spans into `folder`, if that is named."""
    environment = {name: value for name, value in os.environ.items() if name not in ("TRIMS_TRACE", "TRACEPARENT")}
    if folder is not None:
        environment["TRIMS_TRACE"] = str(folder)
    answer = json_of([bench.build.program("bench_opens"), "trims", server.socket, "model", CLIENTS, bench.choose(2, 0.3), 0, 64, 256,
                      MODEL_BYTES], env=environment)
    return answer["opens"] / answer["seconds"]


def written(bench, server, files):
    with scratch() as folder:
        rate = opens_a_second(bench, server, folder / "traces")
        files.append(sum(path.stat().st_size for path in Path(folder, "traces").iterdir()))
    return rate


@contextlib.contextmanager
def recording(bench, server, folder):
    """trims trace record, from when opens are recorded on."""
    argv = [bench.build.program("trims"), "--socket", server.socket, "trace", "record", "--out", folder / "recorded.json"]
    with running(argv, stderr=subprocess.PIPE) as process, process.stderr:
        if not process.stderr.readline():
            raise BenchError("trims trace record did not start")
        yield


def recorded(bench, server):
    with scratch() as folder, recording(bench, server, folder):
        return opens_a_second(bench, server)


def run(bench):
    with scratch() as folder:
        os.chmod(folder, 0o700)
        with serving(bench.build, folder) as server:
            server.add("model", write_safetensors(folder / "model.safetensors", MODEL_BYTES), ["files"])
            say(f"trace: {CLIENTS} clients as fast as they can, with and without traces")
            files = []
            per_second = rounds(bench, 9, "trace", {"alone": lambda: opens_a_second(bench, server),
                                                    "written": lambda: written(bench, server, files),
                                                    "recorded": lambda: recorded(bench, server)})
    alone, times = median(per_second["alone"]), len(per_second["alone"])
    return [Row("trace", f"{CLIENTS} clients that write their spans", "opens", "1/s", median(per_second["written"]), alone, times,
                f"{sum(files) // 1_000_000} MB written"),
            Row("trace", f"{CLIENTS} clients, trims trace record", "opens-recorded", "1/s", median(per_second["recorded"]), alone, times,
                held=False)]
