"""An S3 server of the bench's own (MinIO), and what curl does with the objects in it."""
import contextlib
import os
import socket

from harness.processes import BenchError, output_of, running

BUCKET = "bucket"
RANGE, PARALLEL = 16 << 20, 8
KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench-secret"}
USER = f"{KEYS['AWS_ACCESS_KEY_ID']}:{KEYS['AWS_SECRET_ACCESS_KEY']}"
SIGNING = "aws:amz:us-east-1:s3"
CURL = ["curl", "--silent", "--show-error", "--fail", "--noproxy", "*", "--aws-sigv4", SIGNING, "--user", USER]
DIRECT = {"NO_PROXY": "*", "no_proxy": "*"}  # this machine's own proxy has no part in it


def program(bench):
    """MinIO's, or None."""
    built = bench.root / ".cache/minio/minio"
    return built if built.exists() else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(url):
    """What a daemon that reads from it has in its environment."""
    return {**os.environ, **KEYS, **DIRECT, "AWS_ENDPOINT_URL": url}


@contextlib.contextmanager
def minio(server, folder, address=None, within=(), asked_within=()):
    """Its URL, once it answers; `folder` is what it keeps, also for the next one. `within`: the words before its command,
    `asked_within`: before that of its clients (harness/line.py)."""
    url = f"http://{address or f'127.0.0.1:{free_port()}'}"
    secrets = {**os.environ, "MINIO_ROOT_USER": KEYS["AWS_ACCESS_KEY_ID"], "MINIO_ROOT_PASSWORD": KEYS["AWS_SECRET_ACCESS_KEY"]}
    argv = [*within, server, "server", "--quiet", "--address", url.removeprefix("http://"), folder / "minio"]
    with open(folder / "minio.log", "wb") as log, running(argv, env=secrets, stdout=log, stderr=log):
        # curl waits for it: refused connections are tried again.
        output_of([*asked_within, *CURL, "--retry", "60", "--retry-delay", "1", "--retry-all-errors", f"{url}/minio/health/ready"])
        yield url


def make_bucket(url):
    output_of([*CURL, "--request", "PUT", f"{url}/{BUCKET}"])


def upload(path, url):
    """A file, or all files of a folder under their names in it."""
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    for one in files:
        name = one.relative_to(path) if path.is_dir() else one.name
        output_of([*CURL, "--upload-file", one, "--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD", f"{url}/{name}"])


def ranges(size, step=RANGE):
    """(first byte, last byte) of each."""
    return [(at, min(at + step, size) - 1) for at in range(0, size, step)]


def transfers(url, size, output, retries=0):
    """curl's configuration for all ranges of an object; `output` names the file of the range that begins at a byte."""
    again = f"\nretry = {retries}\nretry-all-errors\nretry-delay = 1" if retries else ""
    return "\nnext\n".join(
        f'url = "{url}"\nrange = "{first}-{last}"\noutput = "{output(first)}"\nsilent\nfail\nnoproxy = "*"\n'
        f'write-out = "%{{size_download}}\\n"\naws-sigv4 = "{SIGNING}"\nuser = "{USER}"{again}' for first, last in ranges(size))


def fetch(url, size, folder, output=lambda first: "/dev/null", within=(), retries=0):
    """All of an object by one curl, PARALLEL ranges at a time."""
    config = folder / "ranges"
    config.write_text(transfers(url, size, output, retries))
    said = output_of([*within, "curl", "--parallel", "--parallel-max", PARALLEL, "--parallel-immediate", "--config", config])
    found = sum(map(int, said.split()))
    if found != size:
        raise BenchError(f"curl fetched {found} bytes of {size}")


def download(url, size, path, within=()):
    """An object into one file: PARALLEL curls, each writing a range to its place."""
    with contextlib.ExitStack() as stack:
        started = []
        for first, last in ranges(size, -(-size // PARALLEL)):
            place = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            stack.callback(os.close, place)
            os.lseek(place, first, os.SEEK_SET)
            started.append(stack.enter_context(running([*within, *CURL, "--range", f"{first}-{last}", url], stdout=place)))
        if any([one.wait() for one in started]) or os.stat(path).st_size != size:
            raise BenchError(f"curl did not fetch {url}")
