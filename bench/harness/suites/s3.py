"""s3: a model that another node has prepared comes out of a bucket: fetched, verified, on the disk and resident, beside tools
that do the same one after another."""
import contextlib
import os
import shutil
import socket
import subprocess
import time

from harness.daemon import daemon
from harness.models import write_random_safetensors
from harness.processes import BenchError, output_of, running, say
from harness.report import Row
from harness.session import scratch
from harness.stats import median
from harness.suites.disk import GB, opened, Stored

SIZE, QUICK_SIZE = 2 * GB, GB // 10
RANGE, PARALLEL = 16 << 20, 8
KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench-secret"}
SIGNED = ["--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{KEYS['AWS_ACCESS_KEY_ID']}:{KEYS['AWS_SECRET_ACCESS_KEY']}"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def minio(program, folder):
    """Its URL, once it answers."""
    url = f"http://127.0.0.1:{free_port()}"
    secrets = {**os.environ, "MINIO_ROOT_USER": KEYS["AWS_ACCESS_KEY_ID"], "MINIO_ROOT_PASSWORD": KEYS["AWS_SECRET_ACCESS_KEY"]}
    with open(folder / "minio.log", "wb") as log, running(
            [program, "server", "--quiet", "--address", url.removeprefix("http://"), folder / "minio"], env=secrets, stdout=log, stderr=log):
        # curl waits for it: refused connections are tried again.
        output_of(["curl", "--silent", "--fail", "--retry", "60", "--retry-delay", "1", "--retry-all-errors", f"{url}/minio/health/ready"])
        output_of(["curl", "--silent", "--fail", "--request", "PUT", *SIGNED, f"{url}/bucket"])
        yield url


def upload(folder, url):
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            output_of(["curl", "--silent", "--fail", "--upload-file", path, *SIGNED, "--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD",
                       f"{url}/{path.relative_to(folder)}"])


def pushed_model(bench, folder):
    """A folder as `trims push` writes it, and its one large file."""
    with daemon(bench.build) as server:
        source = write_random_safetensors(folder / "model.safetensors", bench.choose(SIZE, QUICK_SIZE))
        server.add("model", source, ["tensors"])
        source.unlink()
        server.trims("push", "model", str(folder / "pushed"))
    largest = max((folder / "pushed").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
    return folder / "pushed", largest


def by_trims(bench, url, size):
    """Seconds from `trims add` to the first byte of the resident model, in a daemon that has nothing."""
    environment = {**KEYS, "AWS_ENDPOINT_URL": url}
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        with daemon(bench.build, "--host-budget", "80%") as server:
            began = time.monotonic()
            server.trims("add", "model", "s3://bucket/pushed/")
            files = [path for path in server.prepared_files() if os.stat(path).st_size >= size]
            added = time.monotonic()
            resident = opened(bench, server, [Stored("model", files[0])], drop=False)
            return added - began, resident.seconds
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def by_tools(url, name, size, digest, folder):
    """Seconds of ranged GETs into memory, SHA-256, and a direct write to the disk, one after another."""
    memory = f"/dev/shm/trims-bench-{os.getpid()}"
    os.mkdir(memory)
    try:
        ranges = [(at, min(at + RANGE, size) - 1) for at in range(0, size, RANGE)]
        config = folder / "ranges"
        config.write_text("\nnext\n".join(f'url = "{url}/{name}"\nrange = "{first}-{last}"\noutput = "{memory}/{first:014d}"\nsilent\nfail\n'
                                          f'aws-sigv4 = "aws:amz:us-east-1:s3"\nuser = "{SIGNED[-1]}"' for first, last in ranges))
        began = time.monotonic()
        output_of(["curl", "--parallel", "--parallel-max", PARALLEL, "--silent", "--config", config])
        parts = " ".join(f"{memory}/{first:014d}" for first, _ in ranges)
        found = output_of(["sh", "-c", f"cat {parts} | sha256sum"]).split()[0]
        if found != digest:
            raise BenchError("curl fetched other bytes than were uploaded")
        output_of(["sh", "-c", f"cat {parts} | dd of={folder}/written bs=4M iflag=fullblock oflag=direct conv=fsync status=none"])
        return time.monotonic() - began
    finally:
        shutil.rmtree(memory)
        (folder / "written").unlink(missing_ok=True)


def run(bench):
    program = bench.root / ".cache/minio/minio"
    if not program.exists():
        return [Row("s3", "2 GB", "loopback", "GB/s", None, note="no MinIO: scripts/fetch-minio builds it")]
    with scratch() as folder:
        pushed, large = pushed_model(bench, folder)
        size = large.stat().st_size
        digest = output_of(["sha256sum", large]).split()[0]
        with minio(program, folder) as url:
            say("s3: uploading")
            upload(pushed, f"{url}/bucket/pushed")
            ours, opens, theirs = [], [], []
            for i in range(bench.choose(5, 2)):
                say(f"s3: round {i + 1}")
                sides = [lambda: ours.append(by_trims(bench, url, size)),
                         lambda: theirs.append(by_tools(f"{url}/bucket/pushed", large.relative_to(pushed), size, digest, folder))]
                for side in sides if i % 2 == 0 else reversed(sides):
                    side()
    whole = median([added + resident for added, resident in ours])
    opens = median([resident for _, resident in ours])
    return [Row("s3", f"{size / GB:.1f} GB", "loopback", "GB/s", size / GB / whole, size / GB / median(theirs), len(ours),
                f"of {whole:.2f} s the open took {opens:.2f} s; curl, sha256sum and dd one after another {median(theirs):.2f} s")]
