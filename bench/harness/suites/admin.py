"""admin: what it costs the opens that somebody looks on: metrics and status ten times a second, and events, ten thousand models in the catalog."""
import contextlib
import http.client
import os
import socket
import sqlite3
import threading

from harness.daemon import serving
from harness.models import write_safetensors
from harness.processes import BenchError, json_of, running, say
from harness.report import Row
from harness.session import rounds, scratch
from harness.stats import median

CLIENTS = 64
MODELS = 10_000
MODEL_BYTES = 16_000_000
A_SECOND = 10
PATHS = ("/metrics", "/v1/status")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Scraper:
    """Asks for one path ten times a second while its block runs. `done`: how often it was answered."""

    def __init__(self, path, target):
        self.connection, self.target, self.done, self.failed = UnixConnection(path), target, 0, None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            while not self.ended.wait(1 / A_SECOND):
                self.connection.request("GET", self.target)
                response = self.connection.getresponse()
                response.read()
                if response.status != 200:
                    raise BenchError(f"{self.target} was answered with {response.status}")
                self.done += 1
        except (OSError, http.client.HTTPException, BenchError) as error:
            self.failed = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.connection.close()


class Listener:
    """Reads /v1/events while its block runs. `done`: how many lines of data came."""

    def __init__(self, path, target):
        self.connection, self.target, self.done = UnixConnection(path), target, 0
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            while line := self.response.readline():
                self.done += line.startswith(b"data:")
        except (OSError, http.client.HTTPException):
            pass  # its block has ended

    def __enter__(self):
        self.connection.request("GET", self.target)
        self.response = self.connection.getresponse()
        if self.response.status != 200:
            raise BenchError(f"{self.target} was answered with {self.response.status}")
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.connection.close()


def multiply(catalog, times):
    """The one model of a catalog under so many more names. Its content is there once; what it costs to list names is not."""
    with contextlib.closing(sqlite3.connect(catalog)) as database, database:
        row = database.execute("SELECT name, version, digest, manifest, added, sequence FROM models").fetchone()
        database.executemany("INSERT INTO models (name, version, digest, manifest, added, sequence) VALUES (?, ?, ?, ?, ?, ?)",
                             ((f"default/m{i}", *row[1:5], row[5] + 1 + i) for i in range(times - 1)))


@contextlib.contextmanager
def http(bench, server):
    """trims-http beside a daemon; its socket."""
    path = server.folder / "trims-http.sock"
    read_end, write_end = os.pipe()
    argv = [bench.build.program("trims-http"), "--socket", server.socket, "--http-socket", path, "--ready-fd", write_end,
            "--log-level", "off"]
    with os.fdopen(read_end, "rb") as ready, running(argv, pass_fds=[write_end]):
        os.close(write_end)
        if not ready.read(1):
            raise BenchError("trims-http did not start")
        yield path


def opens_a_second(bench, server):
    answer = json_of([bench.build.program("bench_opens"), "trims", server.socket, "model", CLIENTS, bench.choose(3, 0.5), 0, 64, 256,
                      MODEL_BYTES])
    return answer["opens"] / answer["seconds"]


def scraped(bench, server, path, counts):
    with contextlib.ExitStack() as stack:
        stack.enter_context(Listener(path, "/v1/events"))
        scrapers = [stack.enter_context(Scraper(path, target)) for target in PATHS]
        rate = opens_a_second(bench, server)
    for scraper in scrapers:
        if scraper.failed:
            raise BenchError(f"{scraper.target}: {scraper.failed}")
        counts.append(scraper.done)
    return rate


def told(bench, server, path, counts):
    with Listener(path, "/v1/events?opens=true") as listener:
        rate = opens_a_second(bench, server)
    counts.append(listener.done)
    return rate


def run(bench):
    with scratch() as folder:
        os.chmod(folder, 0o700)
        with serving(bench.build, folder) as server:
            server.add("model", write_safetensors(folder / "model.safetensors", MODEL_BYTES), ["files"])
        multiply(folder / "data/catalog.db", MODELS)
        with serving(bench.build, folder) as server, http(bench, server) as path:
            known = server.trims("status")["models"]
            if known != MODELS:
                raise BenchError(f"the catalog has {known} models, expected {MODELS}")
            say(f"admin: {CLIENTS} clients as fast as they can, with and without somebody who looks on")
            answers, events = [], []
            per_second = rounds(bench, 9, "admin", {"alone": lambda: opens_a_second(bench, server),
                                                    "scraped": lambda: scraped(bench, server, path, answers),
                                                    "told": lambda: told(bench, server, path, events)})
    alone, times = median(per_second["alone"]), len(per_second["alone"])
    return [Row("admin", f"{MODELS} models", "opens", "1/s", median(per_second["scraped"]), alone, times,
                f"{sum(answers)} answers of {' and '.join(PATHS)}, and a reader of /v1/events"),
            Row("admin", f"{MODELS} models, one reader of each open", "opens-told", "1/s", median(per_second["told"]), alone, times,
                f"{sum(events)} events read")]
