"""s3: models come out of a bucket into the host's memory: over loopback, over a line of 4 Gbit/s, over a long line."""
import contextlib
import json
import subprocess
import sys
import tempfile
import time

from harness import bucket
from harness.fetched import GB, fetch, middle, random_remotes, warm
from harness.line import FAST_BITS, line, why_none
from harness.processes import BenchError, output_of, running, say
from harness.report import Row
from harness.session import rounds, scratch
from harness.stats import median
from harness.suites.disk import cpu_seconds

SIZE, QUICK_SIZE = 2 * GB, GB // 10
WAN_BITS, WAN_DELAY = 1_000_000_000, 0.05
RESET_EVERY, FIRST_RESET, QUICK_FIRST_RESET = 100, 10, 3
PROXY_MARGIN = 2  # times the line's capacity: less than that without limits, and the proxy may be one
PATIENCE = 5  # of curl with a range that breaks off


@contextlib.contextmanager
def parts_in_memory():
    """What names the file of the range that begins at a byte."""
    with tempfile.TemporaryDirectory(prefix="trims-bench-", dir="/dev/shm") as folder:
        yield lambda first: f"{folder}/{first:014d}"


def by_tools(url, remote, folder):
    """Seconds of ranged GETs into memory, SHA-256, and a direct write to the disk, one after another."""
    written = folder / "written"
    with parts_in_memory() as part:
        parts = " ".join(part(first) for first, _ in bucket.ranges(remote.bytes))
        began = time.monotonic()
        bucket.fetch(f"{url}/{bucket.BUCKET}/{remote.key}", remote.bytes, folder, part)
        found = output_of(["sh", "-c", f"cat {parts} | sha256sum"]).split()[0]
        if found != remote.sha256:
            raise BenchError("curl fetched other bytes than were uploaded")
        output_of(["sh", "-c", f"cat {parts} | dd of={written} bs=4M iflag=fullblock oflag=direct conv=fsync status=none"])
        took = time.monotonic() - began
    written.unlink()
    return took


def timed(what):
    began = time.monotonic()
    what()
    return time.monotonic() - began


def case(remote):
    return f"{remote.label}, {remote.bytes / GB:.1f} GB"


def loopback(bench, url, remotes, folder):
    def tools():
        warm(bench, remotes[0].bytes)
        return by_tools(url, remotes[0], folder)
    sides = {remote.label: lambda remote=remote: fetch(bench, url, remote) for remote in remotes}
    samples = rounds(bench, 5, "s3: loopback", {**sides, "tools": tools})
    theirs = median(samples["tools"])
    for remote in remotes:
        took = middle(samples[remote.label])
        yield Row("s3", case(remote), "loopback", "GB/s", remote.bytes / GB / took.stored, remotes[0].bytes / GB / theirs,
                  len(samples["tools"]), f"of {took.stored:.2f} s add {took.added:.2f}, until open {took.opened:.2f}; curl, sha256sum "
                  f"and dd one after another {theirs:.2f} s")


def bandwidth(bench, program, remotes, folder):
    if reason := why_none(FAST_BITS):
        yield from (Row("s3", case(remote), "bandwidth", "GB/s", None, note=reason) for remote in remotes)
        return
    with line(FAST_BITS) as limited, bucket.minio(program, folder, f"{limited.address}:9000", limited.server, limited.client) as url:
        key, size = remotes[0].key, remotes[0].bytes
        sides = {remote.label: lambda remote=remote: fetch(bench, url, remote, limited.client) for remote in remotes}
        curl = lambda: timed(lambda: bucket.fetch(f"{url}/{bucket.BUCKET}/{key}", size, folder, within=limited.client))
        samples = rounds(bench, 5, "s3: 4 Gbit/s", {**sides, "curl": curl})
    theirs = size / GB / median(samples["curl"])
    for remote in remotes:
        took = middle(samples[remote.label])
        yield Row("s3", case(remote), "bandwidth", "GB/s", remote.bytes / GB / took.opened, theirs, len(samples["curl"]),
                  f"of {took.opened:.2f} s add {took.added:.2f}; on the disk after {took.stored:.2f} s; the line is one of "
                  f"{FAST_BITS / 8 / GB:g} GB/s")


class Proxy:
    """bench/wan_proxy.py in front of a server."""

    def __init__(self, process):
        self.process = process
        if not (port := process.stdout.readline().strip()):
            raise BenchError("bench/wan_proxy.py did not start")
        self.url = f"http://127.0.0.1:{port}"

    def counters(self):
        """{"ranges", "resets", "bytes"} since the last call."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextlib.contextmanager
def proxy(bench, url, *flags):
    argv = [sys.executable, bench.root / "bench/wan_proxy.py", url.removeprefix("http://"), *flags]
    with running(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Proxy(process)


def proxy_alone(bench, url, remote, folder):
    """GB/s of curl through a proxy that limits nothing, the median of three."""
    with proxy(bench, url) as free:
        fetched = lambda: bucket.fetch(f"{free.url}/{bucket.BUCKET}/{remote.key}", remote.bytes, folder)
        return remote.bytes / GB / median([timed(fetched) for _ in range(3)])


def over_long_line(bench, long, remote):
    """(what it took, the proxy's counters, the part of the time that its one thread was busy)."""
    cpu = cpu_seconds(long.process.pid)
    took = fetch(bench, long.url, remote)
    return took, long.counters(), (cpu_seconds(long.process.pid) - cpu) / took.opened


def curl_over_long_line(long, remote, folder):
    with parts_in_memory() as part:  # what breaks off is fetched again in its place
        took = timed(lambda: bucket.fetch(f"{long.url}/{bucket.BUCKET}/{remote.key}", remote.bytes, folder, part, retries=PATIENCE))
    long.counters()
    return took


def wan(bench, url, remote, folder):
    capacity, alone = WAN_BITS / 8 / GB, proxy_alone(bench, url, remote, folder)
    flags = ("--bits", WAN_BITS, "--delay", WAN_DELAY, "--reset-every", RESET_EVERY,
             "--first-reset", bench.choose(FIRST_RESET, QUICK_FIRST_RESET))
    with proxy(bench, url, *flags) as long:
        samples = rounds(bench, 3, "s3: 1 Gbit/s, 50 ms", {"trims": lambda: over_long_line(bench, long, remote),
                                                           "curl": lambda: curl_over_long_line(long, remote, folder)})
    fetches, counted, busy = zip(*samples["trims"])
    took, curl = middle(fetches), remote.bytes / GB / median(samples["curl"])
    resets, ranges = (sum(one[what] for one in counted) for what in ("resets", "ranges"))
    limits = "" if alone >= PROXY_MARGIN * capacity else ", and may be what limits: is the machine busy?"
    return Row("s3", case(remote), "wan", "GB/s", remote.bytes / GB / took.opened, capacity, len(fetches),
               f"of {took.opened:.2f} s add {took.added:.2f}; {resets} of {ranges} ranges reset; curl {curl:.3f} GB/s; the proxy is busy "
               f"{median(busy):.0%} of the time and passes {alone:.2f} GB/s without limits{limits}")


def run(bench):
    program = bucket.program(bench)
    if not program:
        reason = "no MinIO: scripts/fetch-minio builds it"
        return [Row("s3", "2 GB", metric, "GB/s", None, note=reason) for metric in ("loopback", "bandwidth", "wan")]
    with scratch() as folder:
        with bucket.minio(program, folder) as url:
            bucket.make_bucket(url)
            say("s3: uploading")
            remotes = random_remotes(bench, bench.choose(SIZE, QUICK_SIZE), folder, url)
            rows = [*loopback(bench, url, remotes, folder), wan(bench, url, remotes[0], folder)]
        return rows + list(bandwidth(bench, program, remotes, folder))
