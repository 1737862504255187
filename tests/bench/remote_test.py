"""What the suites s3 and pipeline measure with: ranges, lines, the long line's proxy, the wait for a copy. No timing is asserted."""
import contextlib
import http.server
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "bench"))

import wan_proxy  # noqa: E402
from harness import bucket, fetched, line, report  # noqa: E402
from harness.daemon import Daemon  # noqa: E402
from harness.processes import BenchError, output_of, running  # noqa: E402
from harness.session import Bench, rounds  # noqa: E402
from harness.suites import pipeline, s3  # noqa: E402


class Bucket(unittest.TestCase):
    def test_ranges_cover_every_byte_once(self):
        self.assertEqual(bucket.ranges(10, 4), [(0, 3), (4, 7), (8, 9)])
        self.assertEqual(bucket.ranges(8, 4), [(0, 3), (4, 7)])
        self.assertEqual(bucket.ranges(0, 4), [])

    def test_each_range_is_a_transfer_of_its_own(self):
        text = bucket.transfers("http://h/b/k", bucket.RANGE + 1, lambda first: f"/parts/{first}")
        transfers = text.split("\nnext\n")
        self.assertEqual([one.split("\n")[1] for one in transfers],
                         [f'range = "0-{bucket.RANGE - 1}"', f'range = "{bucket.RANGE}-{bucket.RANGE}"'])
        self.assertIn(f'output = "/parts/{bucket.RANGE}"', transfers[1])
        self.assertNotIn("retry", text)
        self.assertIn("\nretry = 5\nretry-all-errors", bucket.transfers("http://h/b/k", 1, str, 5))

    def test_a_daemon_is_told_of_the_bucket_and_of_no_proxy(self):
        variables = bucket.environment("http://h:1")
        self.assertEqual(variables["AWS_ENDPOINT_URL"], "http://h:1")
        self.assertEqual((variables["NO_PROXY"], variables["AWS_ACCESS_KEY_ID"]), ("*", "bench"))
        self.assertIn("PATH", variables)


class Copies(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.server = Daemon(None, folder.name, None)
        self.published = self.server.data / "models" / f"tensors-{'0' * 32}"

    def put(self, folder, name, size=100):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bytes(size))
        return folder / name

    def test_a_copy_is_a_whole_file_in_a_published_folder(self):
        self.put(self.server.data / "models" / ".incoming-abcdef" / "tensors", "tensors.bin")
        self.put(self.published, ".unfinished-tensors.bin")
        self.put(self.published, "index", 99)
        self.assertIsNone(self.server.stored_copy(100))
        whole = self.put(self.published, "tensors.bin")
        self.assertEqual(self.server.stored_copy(100), whole)
        self.assertEqual(self.server.wait_for_copy(100), whole)

    def test_a_copy_that_never_comes_is_an_error(self):
        with self.assertRaisesRegex(BenchError, "no copy of 100 bytes is on the disk"):
            self.server.wait_for_copy(100, seconds=0)

    def test_a_copy_of_other_bytes_is_an_error(self):
        path = self.put(self.published, "tensors.bin")
        remote = fetched.Remote("pushed", "s3://bucket/pushed/", "pushed/tensors.bin", 100, output_of(["sha256sum", path]).split()[0],
                                "tensors")
        fetched.check_copy(path, remote)
        path.write_bytes(b"1" * 100)
        with self.assertRaisesRegex(BenchError, "what was uploaded"):
            fetched.check_copy(path, remote)

    def test_medians_are_of_each_part(self):
        samples = [fetched.Fetched(*times) for times in ((1, 5, 9), (2, 4, 8), (3, 6, 7))]
        self.assertEqual(fetched.middle(samples), fetched.Fetched(2, 5, 8))


class Rounds(unittest.TestCase):
    def test_sides_take_turns_and_each_second_round_is_turned(self):
        calls = []
        side = lambda label: lambda: calls.append(label) or len(calls)
        samples = rounds(Bench(ROOT, True), 5, "case", {"a": side("a"), "b": side("b")})
        self.assertEqual((calls, samples), (["a", "b", "b", "a"], {"a": [1, 4], "b": [2, 3]}))


class Skipped(unittest.TestCase):
    """What can't be measured has a row that says why."""

    def rows(self, suite):
        with tempfile.TemporaryDirectory() as root:
            return suite.run(Bench(Path(root), True))

    def test_without_minio(self):
        for suite in (s3, pipeline):
            for row in self.rows(suite):
                self.assertEqual(report.verdict(row)[1], "skipped")
                self.assertIn("scripts/fetch-minio", row.note)
        self.assertEqual([row.metric for row in self.rows(s3)], ["loopback", "bandwidth", "wan"])

    def test_without_root_or_tools_or_namespaces(self):
        with mock.patch("os.geteuid", return_value=1000):
            self.assertIn("as root", line.why_none(8))
        with mock.patch("os.geteuid", return_value=0), mock.patch("shutil.which", return_value=None):
            self.assertIn("install iproute2", line.why_none(8))
        refused = mock.patch.object(line, "line", side_effect=BenchError("no network namespace: Operation not permitted"))
        with mock.patch("os.geteuid", return_value=0), mock.patch("shutil.which", return_value="/bin/x"), refused:
            self.assertIn("Operation not permitted", line.why_none(8))

    def test_bandwidth_has_a_row_of_each_model(self):
        remotes = [fetched.Remote(label, "", "", 10**8, "", "files") for label in ("pushed", "a safetensors file")]
        with mock.patch.object(s3, "why_none", return_value="no line"):
            found = list(s3.bandwidth(Bench(ROOT, True), "minio", remotes, Path()))
        self.assertEqual([(row.case, row.value, row.note) for row in found],
                         [("pushed, 0.1 GB", None, "no line"), ("a safetensors file, 0.1 GB", None, "no line")])


class Lines(unittest.TestCase):
    def setUp(self):
        if reason := line.why_none(10**9):
            self.skipTest(reason)

    def test_the_ends_reach_each_other_and_nothing_else(self):
        listen = ("import socket; s = socket.create_server(('192.0.2.2', 9000)); print('ready', flush=True)\n"
                  "c, peer = s.accept(); c.sendall(peer[0].encode())")
        ask = "import socket; print(socket.create_connection(('192.0.2.2', 9000), 10).recv(99).decode())"
        with line.line(10**9) as limited:
            with running([*limited.server, sys.executable, "-c", listen], stdout=subprocess.PIPE, text=True) as server:
                self.assertEqual(server.stdout.readline(), "ready\n")
                self.assertEqual(output_of([*limited.client, sys.executable, "-c", ask]), f"{line.CLIENT}\n")
            self.assertIn("rate 1Gbit", output_of([*limited.server, "tc", "qdisc", "show", "dev", "line"]))
            self.assertEqual(output_of([*limited.client, "ip", "route", "show", "default"]), "")

    def test_a_namespace_goes_with_its_holder(self):
        with line.namespace() as holder:
            pidfd = os.pidfd_open(holder.pid)
        with self.assertRaises(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, 0)
        os.close(pidfd)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class LongLine(unittest.TestCase):
    def test_bytes_pass_one_after_another(self):
        clock = Clock()
        capacity = wan_proxy.Capacity(10, clock)
        self.assertEqual([capacity.send(20), capacity.send(10)], [102, 103])
        self.assertEqual(capacity.backlog(), 3)
        clock.now = 110
        self.assertEqual((capacity.backlog(), capacity.send(10)), (0, 111))

    def test_without_a_limit_everything_passes_at_once(self):
        capacity = wan_proxy.Capacity(0, Clock())
        self.assertEqual((capacity.send(10**9), capacity.backlog()), (100, 0))

    def test_one_range_in_a_hundred_breaks_off_within_its_answer(self):
        resets = wan_proxy.Resets(100, 10)
        broken = {i: after for i in range(1, 1001) if (after := resets.next(1000)) is not None}
        self.assertEqual(list(broken), list(range(10, 1001, 100)))
        self.assertTrue(all(0 < after < 1000 for after in broken.values()))
        self.assertEqual(wan_proxy.Resets(100, 1).next(1), 1)
        self.assertIsNone(wan_proxy.Resets(0, 1).next(1000))

    def test_heads_are_found_in_whatever_pieces_they_come(self):
        sent = (b"GET /a HTTP/1.1\r\nRange: bytes=0-9\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n"
                b"GET /c HTTP/1.1\r\nrange:bytes=5-5\r\nA: b\r\n\r\n")
        for step in (1, 7, len(sent)):
            heads = wan_proxy.Requests()
            found = [length for at in range(0, len(sent), step) for length in heads.ranges(sent[at:at + step])]
            self.assertEqual(found, [10, 1])


class Origin(http.server.BaseHTTPRequestHandler):
    """Answers with as many bytes as the range asks for."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        body = bytes(i % 251 for i in range(first, last + 1))
        self.send_response(206)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):  # the proxy has broken it off
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Proxied(unittest.TestCase):
    def setUp(self):
        origin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
        threading.Thread(target=origin.serve_forever, daemon=True).start()
        self.addCleanup(origin.server_close)
        self.addCleanup(origin.shutdown)
        self.origin = f"http://127.0.0.1:{origin.server_address[1]}"

    def get(self, url, first, last):
        """The body, over a connection of its own; None: it was reset."""
        with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as client:
            client.sendall(f"GET / HTTP/1.1\r\nHost: h\r\nRange: bytes={first}-{last}\r\n\r\n".encode())
            found = b""
            with contextlib.suppress(ConnectionResetError):
                while b"\r\n\r\n" not in found or len(found.split(b"\r\n\r\n", 1)[1]) <= last - first:
                    if not (data := client.recv(1 << 20)):
                        self.fail("the connection ended without a reset")
                    found += data
                return found.split(b"\r\n\r\n", 1)[1]

    def test_bytes_come_as_they_were_sent_but_for_ranges_that_break_off(self):
        with s3.proxy(Bench(ROOT, True), self.origin, "--bits", 8e9, "--delay", 0.001, "--reset-every", 3, "--first-reset", 2) as long:
            bodies = [self.get(long.url, 1000 * i, 1000 * i + 99_999) for i in range(6)]
            for i, body in enumerate(bodies):
                self.assertEqual(body, None if i in (1, 4) else bytes(j % 251 for j in range(1000 * i, 1000 * i + 100_000)))
            counters = long.counters()
            self.assertEqual((counters["ranges"], counters["resets"]), (6, 2))
            self.assertGreater(counters["bytes"], 400_000)
            self.assertEqual(long.counters(), {"ranges": 0, "resets": 0, "bytes": 0})

    def test_it_ends_with_its_standard_input(self):
        argv = [sys.executable, ROOT / "bench/wan_proxy.py", self.origin.removeprefix("http://")]
        with running(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            self.assertGreater(int(process.stdout.readline()), 0)
            process.stdin.close()
            self.assertEqual(process.wait(30), 0)

    def test_one_that_does_not_start_is_an_error(self):
        with self.assertRaisesRegex(BenchError, "did not start"), s3.proxy(Bench(ROOT, True), self.origin, "--bits", "many"):
            pass


if __name__ == "__main__":
    unittest.main()
