"""A real trimsd and a real trims-http of a test's own, and connections to them. Waiting is for events: a byte of --ready-fd, a line, an end."""
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

TOKEN = "0123456789abcdef-test-token"
PATIENCE = 120  # seconds: only what hangs is given up


def program(name):
    return os.environ[f"{name.upper().replace('-', '_')}_PROGRAM"]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)  # waits where the backlog is full, which it would not with a timeout
        self.sock.settimeout(PATIENCE)


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.text = response.status, response.headers, response.read().decode()

    def json(self):
        return json.loads(self.text)

    def code(self):
        return self.json()["error"]["code"]


def ask(connection, method, path, body=None, headers=None):
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers or {})
        return Answer(connection.getresponse())


class Process:
    """A program that says by --ready-fd that it serves; its standard error goes to a file."""

    def __init__(self, argv, log):
        self.log = Path(log)
        read_end, write_end = os.pipe()
        with open(log, "ab") as out, os.fdopen(read_end, "rb") as ready:
            self.process = subprocess.Popen([*map(str, argv), "--ready-fd", str(write_end)], stdout=out, stderr=out, pass_fds=[write_end])
            os.close(write_end)
            if ready.read(1) != b"1":
                self.process.wait(PATIENCE)
                raise AssertionError(f"{argv[0]} did not start: {self.log.read_text()}")

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)


class Servers:
    """A daemon and the HTTP server beside it, in a folder of their own."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.socket = self.folder / "trimsd.sock"
        self.http_socket = self.folder / "trims-http.sock"
        self.token_file = self.folder / "token"
        self.token_file.write_text(TOKEN + "\n")
        self.token_file.chmod(0o600)
        self.daemon = self.http = None

    def start_daemon(self, *flags):
        self.daemon = Process([program("trimsd"), "--socket", self.socket, "--data", self.folder / "data", "--preparer",
                               program("trims-prepare"), "--host-budget", "64MB", *flags], self.folder / "trimsd.log")

    def start_http(self, *flags):
        self.http = Process([program("trims-http"), "--socket", self.socket, "--http-socket", self.http_socket, "--listen", "127.0.0.1:0",
                             "--token-file", self.token_file, *flags], self.folder / "http.log")
        self.port = int(re.findall(r"address=127\.0\.0\.1:(\d+)", self.http.log.read_text())[-1])

    def stop(self):
        for process in (self.http, self.daemon):
            if process:
                process.process.send_signal(signal.SIGCONT)
                process.end()

    def unix(self, method, path, body=None, headers=None):
        return ask(UnixConnection(self.http_socket), method, path, body, headers)

    def send_json(self, method, path, value):
        return self.unix(method, path, json.dumps(value), {"Content-Type": "application/json"})

    def tcp(self, method, path, token=None, body=None, headers=None):
        with_token = {"Authorization": f"Bearer {token}"} if token else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        return ask(connection, method, path, body, with_token | (headers or {}))

    def raw(self, text, family=socket.AF_UNIX):
        """What comes back for these bytes, until the server ends the connection or has answered once."""
        with socket.socket(family) as client:
            client.settimeout(PATIENCE)
            client.connect(str(self.http_socket))
            client.sendall(text if isinstance(text, bytes) else text.encode())
            return answer_of(client)

    def trims(self, *words):
        done = subprocess.run([program("trims"), "--json", "--no-autostart", "--socket", self.socket, *map(str, words)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)

    def add_file(self, name, size):
        path = self.folder / f"{name}.bin"
        path.write_bytes(os.urandom(size))
        return self.trims("add", name, path, "--variant", "files")


def answer_of(client):
    response = http.client.HTTPResponse(client)
    response.begin()
    return Answer(response)


@contextlib.contextmanager
def servers(*http_flags):
    with tempfile.TemporaryDirectory(prefix="trims-http-") as folder:
        os.chmod(folder, 0o700)
        both = Servers(folder)
        try:
            both.start_daemon()
            both.start_http(*http_flags)
            yield both
        finally:
            both.stop()
