"""A model out of a bucket by a daemon that has nothing: added, opened by a fresh process, copied to the disk."""
import contextlib
import dataclasses
import json
import os
import time

from harness import bucket
from harness.daemon import daemon
from harness.models import write_random_safetensors
from harness.processes import BenchError, json_of, output_of
from harness.session import scratch
from harness.stats import median

GB = 1_000_000_000
SPARE = GB // 2


@dataclasses.dataclass(frozen=True)
class Remote:
    label: str
    source: str  # as `trims add` takes it
    key: str  # of its large object, in the bucket
    bytes: int  # of that
    sha256: str
    variant: str
    flags: tuple = ()  # of the add


@dataclasses.dataclass(frozen=True)
class Fetched:
    """Seconds from the start of `trims add` to its end, to the end of a fresh process that opened the model, and to the time from
    which the copy lay on the disk."""
    added: float
    opened: float
    stored: float


def sha256_of(path):
    return output_of(["sha256sum", path]).split()[0]


def push(bench, source, variant, folder):
    """Prepares a model with one daemon, which pushes it to `folder`: its large file."""
    with daemon(bench.build) as server:
        server.add("model", source, [variant])
        server.trims("push", "model", str(folder))
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def pushed_remote(bench, source, variant, name, folder, url):
    """A model that another node has prepared, uploaded under the prefix `name`."""
    large = push(bench, source, variant, folder / name)
    made = Remote("pushed", f"s3://{bucket.BUCKET}/{name}/", f"{name}/{large.relative_to(folder / name)}", large.stat().st_size,
                  sha256_of(large), variant)
    bucket.upload(folder / name, f"{url}/{bucket.BUCKET}/{name}")
    return made


def raw_remote(source, url):
    """A file that nobody has prepared."""
    bucket.upload(source, f"{url}/{bucket.BUCKET}/raw")
    key = f"raw/{source.name}"
    return Remote(f"a {source.suffix[1:]} file", f"s3://{bucket.BUCKET}/{key}", key, source.stat().st_size, sha256_of(source),
                  "files", ("--variant", "files"))


def random_remotes(bench, size, folder, url):
    """A model of random bytes, as another node has pushed it and as a file. Nothing of it stays beside the server's."""
    source = write_random_safetensors(folder / "model.safetensors", size)
    made = [pushed_remote(bench, source, "tensors", "pushed", folder, url), raw_remote(source, url)]
    source.unlink()
    output_of(["rm", "-r", folder / "pushed"])
    os.sync()  # nobody's later writes wait for these
    return made


@contextlib.contextmanager
def empty_daemon(bench, url, within=()):
    flags = ("--host-budget", "80%", "--default-deadline", "600s")  # a slow line is no error
    with daemon(bench.build, *flags, environment=bucket.environment(url), within=within) as server:
        yield server


def warm(bench, size):
    """What a model takes of memory and page cache together is there, not with the hypervisor (docs/benchmarks.md, disk)."""
    json_of([bench.build.program("bench_disk"), "touch", 2 * size + SPARE])


def check_copy(path, remote):
    """Whether what was kept is what was sent: by other means than the daemon's."""
    if (found := sha256_of(path)) != remote.sha256:
        raise BenchError(f"the copy {path} has SHA-256 {found}, and what was uploaded {remote.sha256}")


def fetch(bench, url, remote, within=()):
    """A daemon within `within` that has nothing fetches it; the copy on its disk is checked."""
    warm(bench, remote.bytes)
    with scratch() as folder, empty_daemon(bench, url, within) as server:
        plan = folder / "plan.json"
        plan.write_text(json.dumps({"socket": str(server.socket), "threads": 1, "models": ["model"], "variant": remote.variant,
                                    "bytes": 0, "drop": []}))
        began = time.monotonic()
        server.trims("add", "model", remote.source, *remote.flags)
        added = time.monotonic()
        json_of([bench.build.program("bench_disk"), "open", plan])
        opened = time.monotonic()
        copy = server.wait_for_copy(remote.bytes)
        stored = time.monotonic()
        check_copy(copy, remote)
    return Fetched(added - began, opened - began, stored - began)


def middle(samples):
    """The median of each part."""
    return Fetched(*(median([getattr(one, field.name) for one in samples]) for field in dataclasses.fields(Fetched)))
