"""trims-http as an operator, a browser and a stranger meet it: a real daemon, real HTTP."""
import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from prometheus_client.parser import text_string_to_metric_families  # noqa: E402
from servers import PATIENCE, TOKEN, UnixConnection, program, servers  # noqa: E402


class Served(unittest.TestCase):
    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.both = cls.stack.enter_context(servers(*cls.flags))


class Documents(Served):
    def test_documents_are_those_of_the_command_line(self):
        both = self.both
        added = both.add_file("shown", 4096)
        self.assertEqual(both.unix("GET", "/v1/models").json(), both.trims("ls"))
        self.assertEqual(both.unix("GET", f"/v1/models/{added['reference']}").json(), both.trims("show", "shown"))
        self.assertEqual(both.unix("GET", "/v1/status").json().keys(), both.trims("status").keys())
        self.assertEqual(both.unix("GET", "/v1/policy").json(), both.trims("policy"))

    def test_a_model_is_removed(self):
        self.both.add_file("gone", 4096)
        removed = self.both.unix("DELETE", "/v1/models/gone")
        self.assertEqual((removed.status, len(removed.json()["removed"])), (200, 1))
        again = self.both.unix("DELETE", "/v1/models/gone")
        self.assertEqual((again.status, again.code()), (404, "NOT_FOUND"))

    def test_the_policy_is_changed(self):
        changed = self.both.send_json("PUT", "/v1/policy", {"eviction_policy": "lru"})
        self.assertEqual((changed.status, changed.json()["eviction_policy"]), (200, "lru"))
        self.assertEqual(self.both.trims("policy")["eviction_policy"], "lru")
        changed = self.both.send_json("PUT", "/v1/policy", {"budget": "123MiB"})
        self.assertEqual((changed.status, changed.json()["budget_bytes"]), (200, 123 << 20))
        disk = self.both.send_json("PUT", "/v1/policy", {"budget": "7GiB", "tier": "disk"})
        self.assertEqual((disk.status, disk.json()["budget_bytes"]), (200, 7 << 30))
        unknown = self.both.send_json("PUT", "/v1/policy", {"eviction_policy": "lur"})
        self.assertEqual((unknown.status, unknown.code()), (400, "INVALID_ARGUMENT"))

    def test_triton_loads_what_its_index_lists(self):
        self.both.add_file("triton", 4096)

        def state():
            index = self.both.unix("POST", "/v2/repository/index").json()
            return [one["state"] for one in index if one["name"] == "default/triton"]
        self.assertEqual(state(), ["UNAVAILABLE"])
        self.assertEqual(self.both.unix("POST", "/v2/repository/models/triton/load").status, 200)
        self.assertEqual(state(), ["READY"])
        unload = self.both.unix("POST", "/v2/repository/models/triton/unload")
        self.assertEqual(unload.status, 200)
        self.assertEqual(state(), ["UNAVAILABLE"], "it is in the catalog, and in no tier")

    def test_a_model_larger_than_the_tier_is_said_as_such(self):
        self.both.add_file("huge", 80_000_000)
        refused = self.both.unix("POST", "/v2/repository/models/huge/load")
        self.assertEqual((refused.status, refused.json()["code"]), (507, "TOO_LARGE"))

    def test_metrics_are_what_prometheus_reads(self):
        self.both.add_file("metered", 4096)
        self.both.unix("POST", "/v2/repository/models/metered/load")
        page = self.both.unix("GET", "/metrics")
        self.assertEqual(page.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        families = list(text_string_to_metric_families(page.text))
        self.assertEqual(len({family.name for family in families}), len(families))
        for family in families:
            check_family(self, family)
        samples = {(sample.name, sample.labels.get("outcome")): sample.value for family in families for sample in family.samples}
        self.assertEqual(samples["trims_up", None], 1)
        self.assertGreaterEqual(samples["trims_open_duration_seconds_count", "miss"], 1)
        self.assertGreaterEqual(samples["trims_loaded_bytes_total", None], 4096)
        self.assertIn("default/metered", page.text)

    def test_an_open_is_explained(self):
        self.both.add_file("explained", 4096)
        explained = self.both.unix("GET", "/v1/explain?reference=explained&variant=files")
        self.assertEqual(explained.status, 200)
        self.assertEqual(explained.json()["served_from"], "disk")
        self.assertEqual(self.both.unix("GET", "/v1/explain?reference=nothing-like-it").status, 404)
        self.assertEqual(self.both.unix("GET", "/v1/explain").code(), "INVALID_ARGUMENT")

    def test_head_has_the_headers_alone(self):
        head = self.both.unix("HEAD", "/v1/openapi.json")
        self.assertEqual((head.status, head.text), (200, ""))
        self.assertGreater(int(head.headers["Content-Length"]), 1000)

    def test_the_page_may_load_nothing_but_its_own_files(self):
        page = self.both.unix("GET", "/")
        policy = page.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertNotIn("http://", page.text)
        self.assertNotIn("https://", page.text)
        for header in ("X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Resource-Policy"):
            self.assertIn(header, page.headers)


def check_family(test, family):
    """Prometheus' conventions: a prefix, base units, counters that end in _total, help, buckets that only grow."""
    test.assertTrue(family.name.startswith("trims_"), family.name)
    test.assertTrue(family.documentation, family.name)
    test.assertIn(family.type, ("gauge", "counter", "histogram"), family.name)
    test.assertNotRegex(family.name, "_(ms|us|milliseconds|kilobytes|mb)(_|$)")
    seen = set()
    last = {}
    for sample in family.samples:
        key = (sample.name, *sorted(sample.labels.items()))
        test.assertNotIn(key, seen)
        seen.add(key)
        if family.type == "counter":
            test.assertTrue(sample.name.endswith("_total"), sample.name)
        if sample.name.endswith("_bucket"):
            series = (sample.labels["tier"], sample.labels["outcome"])
            test.assertGreaterEqual(sample.value, last.get(series, 0))
            last[series] = sample.value
    test.assertTrue(family.samples, family.name)


class Strangers(Served):
    def test_tcp_takes_the_token(self):
        self.assertEqual(self.both.tcp("GET", "/v1/status", TOKEN).status, 200)
        for token in (None, "wrong-token-wrong-token", TOKEN[:-1], TOKEN + "x"):
            for method, path in (("GET", "/v1/status"), ("GET", "/metrics"), ("DELETE", "/v1/models/a"), ("PUT", "/v1/policy"),
                                 ("POST", "/v2/repository/models/a/load"), ("GET", "/nothing")):
                refused = self.both.tcp(method, path, token)
                self.assertEqual((refused.status, refused.code()), (401, "UNAUTHENTICATED"), (token, path))
                self.assertIn("Bearer", refused.headers["WWW-Authenticate"])
        self.assertEqual(self.both.tcp("GET", "/healthz").status, 200)
        self.assertEqual(self.both.tcp("GET", "/").status, 200)

    def test_the_token_is_in_no_log_and_on_no_command_line(self):
        self.both.tcp("GET", "/v1/status", TOKEN)
        self.assertNotIn(TOKEN, self.both.http.log.read_text())
        self.assertNotIn(TOKEN.encode(), Path(f"/proc/{self.both.http.process.pid}/cmdline").read_bytes())

    def test_the_socket_is_its_users_alone(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.both.http_socket).st_mode), 0o600)

    def test_pages_of_others_and_other_names_are_refused(self):
        foreign = self.both.unix("GET", "/v1/status", headers={"Origin": "http://evil.example"})
        self.assertEqual((foreign.status, foreign.code()), (403, "PERMISSION_DENIED"))
        rebound = self.both.unix("GET", "/v1/status", headers={"Host": "evil.example"})
        self.assertEqual((rebound.status, rebound.code()), (421, "PERMISSION_DENIED"))
        own = self.both.unix("GET", "/v1/status", headers={"Origin": "http://localhost"})
        self.assertEqual(own.status, 200)
        form = self.both.unix("PUT", "/v1/policy", '{"reclaim":"eager"}', {"Content-Type": "text/plain"})
        self.assertEqual((form.status, form.code()), (415, "INVALID_ARGUMENT"))

    def test_path_tricks_are_refused(self):
        for path in ("/v1/../v1/status", "//v1/status", "/v1/%2e%2e/status", "/v1/models/a%2Fb", "/v1/models/..%5c", "/v1/models/%00",
                     "/v1/status/", "/v1/models/" + "a" * 2000):
            answer = self.both.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            self.assertEqual((answer.status, answer.code()), (400, "INVALID_ARGUMENT"), path)
        answer = self.both.raw("GET http://evil.example/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        self.assertEqual(answer.status, 400)

    def test_a_huge_body_is_refused_before_it_is_read(self):
        answer = self.both.raw("PUT /v1/policy HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                               "Content-Length: 1000000000000\r\n\r\n")
        self.assertEqual((answer.status, answer.code()), (413, "TOO_LARGE"))
        answer = self.both.raw("PUT /v1/policy HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                               "Content-Length: 99999999999999999999999999\r\n\r\n")
        self.assertEqual(answer.status, 413)

    def test_a_body_that_does_not_say_how_long_it_is_is_bounded(self):
        chunks = b"".join(b"8000\r\n" + b"[" * 0x8000 + b"\r\n" for _ in range(4)) + b"0\r\n\r\n"
        answer = self.both.raw(b"PUT /v1/policy HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                               b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        self.assertEqual((answer.status, answer.code()), (413, "TOO_LARGE"))

    def test_requests_that_may_mean_two_things_are_refused(self):
        for headers in ("Host: localhost\r\nHost: evil.example", "Host: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked",
                        "Host: localhost\r\nContent-Length: 2\r\nContent-Length: 3",
                        "Host: localhost\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b", "Host: localhost\0evil.example",
                        "Host: localhost\r\nTransfer-Encoding: xchunked"):
            answer = self.both.raw(f"PUT /v1/policy HTTP/1.1\r\n{headers}\r\n\r\n{{}}")
            self.assertEqual(answer.status, 400, headers)

    def test_queries_that_may_mean_two_things_are_refused(self):
        for path in ("/v1/explain?reference=a&reference=b", "/v1/events?since=1&since=2"):
            self.assertEqual(self.both.unix("GET", path).status, 400, path)

    def test_long_headers_are_refused(self):
        answer = self.both.raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + "a" * 100_000 + "\r\n\r\n")
        self.assertEqual(answer.status, 431)

    def test_slow_clients_keep_nobody_out(self):
        with contextlib.ExitStack() as stack:
            slow = []
            for _ in range(300):
                client = stack.enter_context(socket.socket(socket.AF_UNIX))
                client.connect(str(self.both.http_socket))  # waits where the backlog is full
                client.settimeout(PATIENCE)
                slow.append(client)
                with contextlib.suppress(BrokenPipeError):
                    client.sendall(b"GET /healthz HTTP/1.1\r\nHost: local")
            self.assertEqual(self.both.unix("GET", "/v1/status").status, 200)
            # Connections are accepted in order, so the first gave their places by now: no silence had to be waited for.
            for client in slow[:200]:
                with contextlib.suppress(ConnectionResetError):
                    self.assertEqual(client.recv(1, socket.MSG_DONTWAIT), b"")
            held = len(os.listdir(f"/proc/{self.both.http.process.pid}/fd"))
            self.assertLess(held, 200)

    def test_nonsense_is_answered_and_forgotten(self):
        for nonsense in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", os.urandom(4096)):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(PATIENCE)
                client.connect(str(self.both.http_socket))
                client.sendall(nonsense)
        self.assertEqual(self.both.unix("GET", "/healthz").status, 200)


class ReadOnly(Served):
    flags = ("--read-only",)

    def test_shows_and_changes_nothing(self):
        self.assertEqual(self.both.unix("GET", "/v1/status").status, 200)
        self.assertEqual(self.both.unix("POST", "/v2/repository/index").status, 200)
        for method, path in (("DELETE", "/v1/models/a"), ("PUT", "/v1/policy"), ("POST", "/v2/repository/models/a/load")):
            self.assertEqual(self.both.unix(method, path).status, 403)


class DaemonsThatComeAndGo(unittest.TestCase):
    def test_a_daemon_that_is_killed_and_back(self):
        with servers() as both:
            self.assertEqual(both.unix("GET", "/readyz").json(), {"ready": True})
            both.daemon.end(signal.SIGKILL)
            self.assertEqual(both.unix("GET", "/healthz").json(), {"alive": True})
            away = both.unix("GET", "/readyz")
            self.assertEqual((away.status, away.code()), (503, "UNAVAILABLE"))
            self.assertIn("trimsd", away.json()["error"]["hint"])
            self.assertEqual(both.unix("GET", "/v1/models").status, 503)
            self.assertIn("\ntrims_up 0\n", both.unix("GET", "/metrics").text)
            both.start_daemon()
            for _ in range(4):  # each of the threads that ask finds the new one
                self.assertEqual(both.unix("GET", "/readyz").status, 200)

    def test_a_daemon_that_hangs_keeps_nobody_but_those_who_ask_it(self):
        with servers("--daemon-timeout", "5") as both:
            both.daemon.process.send_signal(signal.SIGSTOP)
            hangs = both.unix("GET", "/readyz")
            self.assertEqual((hangs.status, hangs.code()), (504, "DEADLINE_EXCEEDED"))
            self.assertEqual(both.unix("GET", "/healthz").status, 200)
            both.daemon.process.send_signal(signal.SIGCONT)
            self.assertEqual(both.unix("GET", "/readyz").status, 200)

    def test_requests_beyond_the_queue_are_told_so(self):
        with servers("--daemon-timeout", "2") as both, contextlib.ExitStack() as stack:
            both.daemon.process.send_signal(signal.SIGSTOP)
            waiting = []
            for _ in range(40):
                client = stack.enter_context(socket.socket(socket.AF_UNIX))
                client.settimeout(PATIENCE)
                client.connect(str(both.http_socket))
                client.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                waiting.append(client)
            self.assertEqual(both.unix("GET", "/healthz").status, 200)
            both.daemon.process.send_signal(signal.SIGCONT)
            first_lines = []
            for client in waiting:
                answer = b""
                while piece := client.recv(4096):
                    answer += piece
                first_lines.append(answer.split(b"\r\n")[0])
            for line in first_lines:
                self.assertRegex(line, rb"^HTTP/1.1 (200|503|504) ")
            self.assertTrue(any(b" 503 " in line for line in first_lines))


class Events(unittest.TestCase):
    def listen(self, both, path="/v1/events", headers=None):
        connection = UnixConnection(both.http_socket)
        self.addCleanup(connection.close)
        connection.request("GET", path, headers=headers or {})
        return connection.getresponse()

    def next(self, response):
        """The next message that is no comment, as a dictionary."""
        message = {}
        while line := response.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                message[name] = value
            elif "data" in message:
                return message
        raise AssertionError("the stream has ended")

    def test_tells_what_is_done_as_it_is_done(self):
        with servers() as both:
            coming = self.listen(both)
            self.assertEqual((coming.status, coming.headers["Content-Type"]), (200, "text/event-stream; charset=utf-8"))
            both.add_file("told", 100_000)
            message = self.next(coming)
            self.assertEqual(message["event"], "model.added")
            self.assertTrue(json.loads(message["data"])["model"].startswith("default/told:"))
            both.trims("alias", "prod=told")
            self.assertEqual(self.next(coming)["event"], "alias.moved")
            again = self.listen(both, headers={"Last-Event-ID": message["id"]})
            self.assertEqual(self.next(again)["event"], "alias.moved")
            chosen = self.listen(both, "/v1/events?since=0&kind=alias")
            self.assertEqual(self.next(chosen)["event"], "alias.moved")

    def test_a_mistake_in_the_query_is_said(self):
        with servers() as both:
            for query in ("since=x", "nothing=1", "kind=%41", "opens=1", "since=-1"):
                self.assertEqual(both.unix("GET", f"/v1/events?{query}").code(), "INVALID_ARGUMENT", query)
            self.assertEqual(both.unix("GET", "/v1/events?kind=nothing").status, 400)
            self.assertEqual(both.unix("POST", "/v1/events").status, 405)
            self.assertEqual(both.tcp("GET", "/v1/events").status, 401)

    def test_only_so_many_listen_and_the_server_ends_with_them(self):
        with servers() as both:
            listeners = [self.listen(both) for _ in range(8)]
            self.assertEqual({response.status for response in listeners}, {200})
            self.assertEqual(both.unix("GET", "/v1/events").status, 503)
            self.assertEqual(both.unix("GET", "/v1/status").status, 200)
            self.assertEqual(both.http.end(), 0)
            for response in listeners:
                response.read()  # its end

    def test_says_that_the_daemon_is_away(self):
        with servers() as both:
            coming = self.listen(both)
            both.daemon.end(signal.SIGKILL)
            coming.read()  # its end
            self.assertEqual(both.unix("GET", "/v1/events").status, 503)


class Programs(unittest.TestCase):
    def run_http(self, *words):
        done = subprocess.run([program("trims-http"), *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=PATIENCE)
        return done.returncode, done.stderr

    def test_mistakes_are_said_with_what_to_do(self):
        with tempfile.TemporaryDirectory() as folder:
            token = Path(folder, "token")
            token.write_text(TOKEN)
            token.chmod(0o644)
            self.assertEqual(self.run_http("--listen", "127.0.0.1:0")[0], 2)  # without a token
            self.assertIn("--token-file", self.run_http("--listen", "127.0.0.1:0")[1])
            self.assertEqual(self.run_http("--lissten", "x")[0], 2)
            code, said = self.run_http("--listen", "127.0.0.1:0", "--token-file", token)
            self.assertEqual(code, 1)
            self.assertIn(f"chmod 600 {token}", said)
            self.assertNotIn(TOKEN, said)
            token.chmod(0o600)
            code, said = self.run_http("--listen", "localhost:9090", "--token-file", token)
            self.assertEqual(code, 1)
            self.assertIn("127.0.0.1:9090", said)
            code, said = self.run_http("--http-socket", Path(folder, "none", "x.sock"))
            self.assertEqual(code, 1)
            self.assertIn("--http-socket", said)

    def test_stops_as_asked_and_takes_its_socket_along(self):
        with servers() as both:
            self.assertEqual(self.run_http("--socket", both.socket, "--http-socket", both.http_socket)[0], 1)
            self.assertEqual(both.http.end(), 0)
            self.assertFalse(both.http_socket.exists())
            self.assertIn("http.stopped", both.http.log.read_text())
            both.start_http()
            self.assertEqual(both.http.end(signal.SIGKILL), -signal.SIGKILL)
            both.start_http()  # what a killed one left is replaced
            self.assertEqual(both.unix("GET", "/healthz").status, 200)

    def test_serves_before_there_is_a_daemon(self):
        with servers() as both:
            both.stop()
            both.socket.unlink(missing_ok=True)
            both.start_http()
            self.assertEqual(both.unix("GET", "/readyz").status, 503)
            both.start_daemon()
            self.assertEqual(both.unix("GET", "/readyz").status, 200)


if __name__ == "__main__":
    unittest.main()
