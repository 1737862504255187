"""restart: a model that is resident is opened as fast after a restart of the daemon as before it, and nothing is read again."""
import os
import signal
import statistics
import time
from pathlib import Path

from harness.daemon import serving
from harness.models import write_random_safetensors
from harness.processes import json_of, say
from harness.report import Row
from harness.session import scratch
from harness.stats import median

RATE = 500  # opens a second, at times drawn beforehand
KEEPER = ("--keeper", "process", "--keep-for", "30s")
SIGNALS = {"killed (SIGKILL)": signal.SIGKILL, "stopped (SIGTERM)": signal.SIGTERM}


def opens(bench, server, model_bytes):
    """Nanoseconds of the opens of the next second, of one client."""
    return json_of([bench.build.program("bench_opens"), "trims", server.socket, "model", 1, bench.choose(1, 0.3), RATE, 64, 64,
                    model_bytes])["latency_ns"]


def drop_from_page_cache(path):
    """So that what is read of it comes from the disk."""
    with open(path, "rb") as file:
        os.fdatasync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_from_disk(process):
    """Bytes, since the process began, as the kernel counts them."""
    for line in Path(f"/proc/{process.pid}/io").read_text().splitlines():
        if line.startswith("read_bytes:"):
            return int(line.split()[1])
    return None


def restart(bench, folder, number, source, model_bytes):
    """(opens before, opens in the first second after, bytes of loads, bytes from the disk, milliseconds without a daemon)."""
    with serving(bench.build, folder, *KEEPER) as server:
        opens(bench, server, model_bytes)
        before = opens(bench, server, model_bytes)
        drop_from_page_cache(source)
        began = time.monotonic()
        server.process.send_signal(number)
        server.process.wait()
    with serving(bench.build, folder, *KEEPER) as server:
        away = (time.monotonic() - began) * 1e3
        after = opens(bench, server, model_bytes)
        loaded = server.trims("status")["counters"]["bytes_loaded"]
        read = read_from_disk(server.process)
        server.process.send_signal(signal.SIGINT)  # the keeper ends with it
        server.process.wait()
    return before, after, loaded, read, away


def rows_of(case, samples, model_bytes):
    before, after, loaded, read, away = ([one[i] for one in samples] for i in range(5))
    count = sum(map(len, after))
    yield Row("restart", case, "open", "µs", statistics.median(median(one) for one in after) / 1e3,
              statistics.median(median(one) for one in before) / 1e3, count)
    yield Row("restart", case, "read", "B", max(loaded), None, len(loaded), "what the new daemon's loads have read")
    yield Row("restart", case, "disk", "B", max(read), model_bytes, len(read), "all that the new daemon has had read, its catalog included; beside the model")
    yield Row("restart", case, "away", "ms", statistics.median(away), None, len(away), "from the signal until the next daemon serves")


def run(bench):
    model_bytes = bench.choose(1_000_000_000, 64_000_000)
    rows = []
    with scratch() as folder:
        source = write_random_safetensors(folder / "model.safetensors", model_bytes)
        with serving(bench.build, folder) as server:
            server.add("model", source, ["files"])
        for case, number in SIGNALS.items():
            say(f"restart: {case}")
            samples = [restart(bench, folder, number, source, model_bytes) for _ in range(bench.choose(5, 1))]
            rows += rows_of(case, samples, model_bytes)
    return rows
