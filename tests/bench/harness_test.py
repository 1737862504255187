"""The harness of scripts/bench: its arithmetic, its documents and its measuring programs. No timing is asserted.

BENCH_PROGRAMS names the folder of the built programs (ctest sets it).
"""
import contextlib
import io
import json
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = Path(os.environ["BENCH_PROGRAMS"])
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "bench"))

from harness import machine, main, models, report, stats  # noqa: E402
from harness.processes import BenchError, json_of, output_of, running  # noqa: E402
from harness.report import Row  # noqa: E402
from harness.suites import attach, hit, memory  # noqa: E402


class Statistics(unittest.TestCase):
    def test_median_is_the_middle_and_never_the_best(self):
        self.assertEqual(stats.median([9, 1, 5]), 5)
        self.assertEqual(stats.median([4, 1, 2, 3]), 2.5)

    def test_percentile_is_the_smallest_sample_that_covers_the_share(self):
        samples = list(range(100, 0, -1))
        self.assertEqual(stats.percentile(samples, 0.99), 99)
        self.assertEqual(stats.percentile(samples, 1), 100)
        self.assertEqual(stats.percentile([7], 0.99), 7)

    def test_geometric_mean_of_ratios(self):
        self.assertAlmostEqual(stats.geometric_mean([0.5, 2]), 1)
        self.assertAlmostEqual(stats.geometric_mean([1, 10, 100]), 10)

    def test_no_samples_and_bad_shares_are_refused(self):
        for call in (lambda: stats.median([]), lambda: stats.percentile([], 0.5), lambda: stats.geometric_mean([]),
                     lambda: stats.percentile([1], 0), lambda: stats.percentile([1], 1.1),
                     lambda: stats.geometric_mean([1, 0])):
            with self.assertRaises(ValueError):
                call()


class Reports(unittest.TestCase):
    def test_ratio_is_value_over_reference(self):
        self.assertEqual(Row("attach", "c", "p50", "µs", 30, 20).ratio, 1.5)
        self.assertIsNone(Row("opens", "c", "p99", "µs", 30).ratio)
        self.assertIsNone(Row("memory", "c", "cgroup", "MiB", None, 1).ratio)

    def test_verdicts(self):
        for row, outcome in ((Row("attach", "c", "p50", "µs", 25, 10), "ok"), (Row("attach", "c", "p50", "µs", 26, 10), "MISS"),
                             (Row("attach", "c", "p50", "µs", 99, 1, held=False), ""),
                             (Row("opens", "c", "rate", "1/s", 4, 8), "ok"), (Row("opens", "c", "rate", "1/s", 3, 8), "MISS"),
                             (Row("opens", "c", "p99", "µs", 1000), "MISS"), (Row("opens", "c", "p99", "µs", 999), "ok"),
                             (Row("memory", "c", "cgroup", "MiB", None), "skipped"),
                             (Row("hit", "c", "framework-cold", "ms", 9, 1), "")):
            with self.subTest(row=row):
                self.assertEqual(report.verdict(row)[1], outcome)

    def test_every_bar_names_a_suite(self):
        self.assertEqual({suite for suite, _ in report.BARS}, {*main.SUITES, "against"})

    def test_document_has_the_fields_that_readers_rely_on(self):
        rows = [Row("attach", "files 1MB", "p50", "µs", 30.0, 20.0, 500), Row("memory", "c", "cgroup", "MiB", None, note="why")]
        read = json.loads(report.document(machine.describe(ROOT), rows))
        self.assertEqual(set(read), {"machine", "rows"})
        self.assertEqual(read["rows"][0], {"suite": "attach", "case": "files 1MB", "metric": "p50", "unit": "µs",
                                           "value": 30.0, "reference": 20.0, "ratio": 1.5, "n": 500})
        self.assertIsNone(read["rows"][1]["value"])
        self.assertEqual(read["rows"][1]["note"], "why")
        for field in ("kernel", "cpu", "cores", "memory_bytes", "transparent_huge_pages", "onnxruntime", "commit"):
            self.assertIn(field, read["machine"])

    def test_table_lines_up_and_names_misses(self):
        lines = report.table([Row("attach", "a", "p50", "µs", 30, 10), Row("hit", "a longer case", "ideal", "ms", 1234, 1233)])
        header, rule, first, second = lines.split("\n")
        self.assertTrue(set(rule) == {"─"})
        self.assertTrue(first.endswith("MISS") and second.endswith("ok"))
        self.assertEqual(first.index("<= 2.5×"), header.index("bar"))
        self.assertIn("1,234", second)

    def test_geometric_mean_row_holds_the_mean_of_the_ratios(self):
        rows = [Row("hit", "a", metric, "ms", value, 10) for metric in hit.METRICS for value in (5, 20)]
        for row in hit.geometric_means(rows):
            self.assertAlmostEqual(row.ratio, 1)
            self.assertEqual(row.case, "geomean")

    def test_flatness_is_the_largest_beside_the_smallest(self):
        row = attach.flatness("files", [{"label": "files 1MB", "trims_ns": [10_000]}, {"label": "tensors 1", "trims_ns": [1]},
                                        {"label": "files 8GB", "trims_ns": [11_000]}])
        self.assertAlmostEqual(row.ratio, 1.1)


class CommandLine(unittest.TestCase):
    def refused(self, *arguments):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), self.assertRaises(SystemExit) as stopped:
            main.parse(arguments)
        self.assertEqual(stopped.exception.code, 2)
        return errors.getvalue()

    def test_unknown_suite_gets_a_suggestion(self):
        self.assertIn("did you mean 'attach'?", self.refused("atach"))
        self.assertIn("There are accept, attach, hit", self.refused("zzz"))

    def test_a_suite_is_needed(self):
        self.assertIn("SUITE", self.refused())

    def test_all_means_every_suite(self):
        self.assertEqual(main.parse(["all", "--quick"]).suites, list(main.SUITES))

    def test_a_suite_or_another_tree(self):
        self.assertIn("expected a SUITE or --against", self.refused())
        self.assertIn("no release build in", self.refused("--against", "/nonexistent"))


class Models(unittest.TestCase):
    def test_safetensors_are_contiguous_and_end_with_the_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = models.write_safetensors(Path(folder) / "m.safetensors", 1_000_000, 100)
            with open(path, "rb") as file:
                length, = struct.unpack("<Q", file.read(8))
                header = json.loads(file.read(length))
            ends = [tensor["data_offsets"] for tensor in header.values()]
            self.assertEqual(len(header), 100)
            self.assertEqual([begin for begin, _ in ends], [0] + [end for _, end in ends[:-1]])
            self.assertEqual(8 + length + ends[-1][1], path.stat().st_size)
            self.assertEqual((8 + length) % 4096, 0)


class Programs(unittest.TestCase):
    def spawn(self, plan):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(plan, file)
            file.flush()
            return json_of([PROGRAMS / "bench_spawn", file.name])

    def test_spawn_runs_each_command_in_each_round_and_keeps_what_it_printed(self):
        commands = [{"label": word, "argv": ["/bin/echo", word], "drop": [str(ROOT / "LICENSE")]} for word in ("a", "b")]
        measured = self.spawn({"repetitions": 3, "warm_up": 1, "commands": commands})["commands"]
        self.assertEqual(measured["a"]["out"], ["a"] * 3)
        self.assertEqual(len(measured["b"]["ns"]), 3)
        self.assertGreater(min(measured["a"]["ns"] + measured["b"]["ns"]), 0)

    def test_a_command_that_fails_fails_the_measurement(self):
        with self.assertRaisesRegex(BenchError, "broken failed"):
            self.spawn({"repetitions": 1, "warm_up": 0, "commands": [{"label": "broken", "argv": ["/bin/false"]}]})

    def test_the_bare_server_serves_both_loads(self):
        with tempfile.TemporaryDirectory() as folder:
            socket = f"{folder}/s"
            with running([PROGRAMS / "bench_bare_server", socket, 4096, 1 << 20], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True) as server:
                self.assertEqual(server.stdout.readline(), "ready\n")
                ask = lambda seconds, rate: json_of([PROGRAMS / "bench_opens", "bare", socket, "-", 3, seconds, rate, 96, 240, 1 << 20])
                self.assertGreater(ask(0.05, 0)["opens"], 0)
                paced = ask(0.2, 300)
                self.assertEqual(len(paced["latency_ns"]), paced["opens"])

    def test_a_server_that_is_not_there_is_an_error(self):
        with self.assertRaisesRegex(BenchError, "connect"):
            output_of([PROGRAMS / "bench_opens", "bare", "/nowhere", "-", 2, 0.1, 0, 96, 240, 4096])


class Processes(unittest.TestCase):
    def test_nothing_outlives_a_driver_that_is_killed(self):
        script = ("import sys; sys.path.insert(0, sys.argv[1])\n"
                  "from harness.processes import running\n"
                  "with running(['/bin/sleep', '600']) as process:\n"
                  "    print(process.pid, flush=True); sys.stdin.read()\n")
        driver = subprocess.Popen([sys.executable, "-c", script, str(ROOT / "bench")], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        with driver:
            pidfd = os.pidfd_open(int(driver.stdout.readline()))
            driver.send_signal(signal.SIGKILL)
            ended, _, _ = select.select([pidfd], [], [], 30)  # readable once the process has ended
            self.assertTrue(ended)
            os.close(pidfd)

    def test_rollup_reads_this_process(self):
        fields = memory.rollup(os.getpid())
        self.assertGreater(fields["Pss"], 0)
        self.assertIn("Private_Dirty", fields)


if __name__ == "__main__":
    unittest.main()
