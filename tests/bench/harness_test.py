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
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = Path(os.environ["BENCH_PROGRAMS"])
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "bench"))

from harness import answers, machine, main, models, report, stats  # noqa: E402
from harness.processes import BenchError, json_of, output_of, running  # noqa: E402
from harness.report import Row  # noqa: E402
from harness.session import Bench  # noqa: E402
from harness.suites import attach, disk, hit, memory, restart, steady, switch  # noqa: E402
from harness.worker import interleaved, plan, turns, worker  # noqa: E402


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
    def test_what_was_predicted_may_be_missed_on_either_side(self):
        verdicts = [report.verdict(Row("live", "c", "loads", "1", value, 100))[1] for value in (84, 86, 114, 116)]
        self.assertEqual(verdicts, ["MISS", "ok", "ok", "MISS"])

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


ECHO = """
import json, pathlib, sys
print("ready", flush=True)
for line in sys.stdin:
    verb, object = line.split()
    if verb == "answer":
        pathlib.Path(object).write_bytes(bytes.fromhex(sys.argv[1]))
        answer = [{"type": "float", "bytes": len(sys.argv[1]) // 2}]
    else:
        answer = [int(2e6)] * int(object)
    print(json.dumps(answer), flush=True)
"""


def echo(*elements):
    """The command of a function whose answers are these, and whose loads and runs all take 2 ms."""
    return [sys.executable, "-c", ECHO, struct.pack(f"<{len(elements)}f", *elements).hex()]


class Steady(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def quick(self):
        return Bench(ROOT, True)

    def added(self, trims, framework):
        """What added() gives, with functions that need no model."""
        subject = steady.Subject("net", self.folder / "net.onnx", "x=1x3", "x={n}x3", True)
        subject.source.write_bytes(bytes(2_000_000))
        one = mock.Mock(bench=self.quick(), subject=subject)
        one.pair.side_effect = lambda inputs=None: {"trims": trims, "framework": framework}
        one.trims.side_effect = lambda inputs=None, server=None: trims
        one.alone.side_effect = lambda mode, path, inputs=None: framework
        return one

    def measured(self, one):
        spawned = {"commands": {label: {"ns": [5_000_000]} for label in ("trims", "framework")}}

        def spawn(*_arguments, save=None, **_options):
            if save:
                save.write_bytes(b"")
            return spawned
        with mock.patch.object(steady, "spawn", spawn):
            return steady.measure(one, self.folder)

    def test_a_subject_has_a_row_of_each_metric_beside_its_reference(self):
        rows, error = self.measured(self.added(echo(1, 2), echo(1, 2)))
        self.assertEqual(error, 0)
        cases = {(row.metric, row.case) for row in rows}
        self.assertEqual(cases, {("inference", "net"), ("inference-2-threads", "net"), ("batch", "net, 8"), ("batch", "net, 64"),
                                 ("total-100", "net"), ("private", "net, loaded"), ("private", "net, after an inference"),
                                 ("load", "net")})
        for row in rows:
            self.assertEqual(row.suite, "steady")
            self.assertIn(row.metric, steady.METRICS)
            if row.metric in ("inference", "batch", "load"):
                self.assertEqual((row.value, row.reference), (2, 2))

    def test_answers_that_differ_end_the_suite(self):
        with self.assertRaisesRegex(BenchError, "net: the answers differ"):
            self.measured(self.added(echo(1, 2), echo(1, 2.001)))

    def test_errors_are_relative_to_the_largest_element_of_an_output(self):
        self.assertAlmostEqual(answers.relative_error([1, -8], [1.5, -10]), 0.2)
        self.assertEqual(answers.relative_error([0, 0], [0, 0]), 0)
        for found, wanted in (([1], [0]), ([1], [1, 1]), ([float("nan")], [float("nan")]), ([float("inf")], [1.0])):
            self.assertEqual(answers.relative_error(found, wanted), float("inf"))
        self.assertEqual(answers.compare([("int64", [1])], [("int64", [2])]), float("inf"))
        self.assertEqual(answers.compare([("int64", [1]), ("float", [1.0])], [("int64", [1]), ("float", [1.0])]), 0)
        self.assertEqual(answers.compare([("float", [1.0])], []), float("inf"))

    def test_the_private_reference_is_a_share_of_the_model_and_the_runtimes_own(self):
        row = steady.private_row("net", 100, {"trims": 20, "own": 5, "framework": 130}, 3)
        self.assertEqual((row.value, row.reference, report.verdict(row)[1]), (20, 20, "ok"))
        over = steady.private_row("net", 100, {"trims": 20.1, "own": 5, "framework": 130}, 3)
        self.assertEqual(report.verdict(over)[1], "MISS")

    def test_the_bar_on_the_mean_is_for_real_networks(self):
        rows = [Row("steady", case, metric, "ms", value, 10) for metric in ("inference", "batch")
                for case, value in (("a", 5), ("b, 8", 20), ("synthetic-128", 1000))]
        means = list(steady.geometric_means(rows, {"a", "b"}))
        self.assertEqual([(row.metric, row.held) for row in means], [("inference-geomean", True), ("inference-geomean", False),
                                                                     ("batch-geomean", True), ("batch-geomean", False)])
        self.assertAlmostEqual(means[0].ratio, 1)
        self.assertGreater(means[1].ratio, 1)

    def test_the_other_form_is_made_by_a_preparer_that_changes_no_weight(self):
        subject, server, plain = steady.Subject("net", Path("net.onnx"), "x=1", "", True), mock.Mock(), mock.Mock()
        bench = mock.Mock()  # whose programs need not be built
        with steady.added(bench, server, plain, subject) as one:
            self.assertIn(str(plain.socket), one.trims(server=plain))
        for each in (server, plain):
            each.add.assert_called_once_with("net", Path("net.onnx"), ["ort"])
            each.trims.assert_called_once_with("rm", "net")
        with tempfile.TemporaryDirectory() as folder:
            build = mock.Mock(program=lambda name: "/bin/echo")
            said = subprocess.run([steady.plain_preparer(build, Path(folder)), "--x"], capture_output=True, text=True, check=True)
        self.assertEqual(said.stdout, f"--x --steady-min-bytes {1 << 60}\n")

    def test_rounds_fill_the_time_and_short_runs_come_several_at_a_time(self):
        self.assertEqual(plan(200_000_000, 8, 40), (40, 1))
        self.assertEqual(plan(100_000_000, 8, 40), (80, 1))
        self.assertEqual(plan(200_000, 8, 40), (200, 50))
        self.assertEqual(plan(3_000_000_000, 6, 5), (5, 1))

    def test_sides_take_turns(self):
        self.assertEqual([label for label, _ in turns({"a": 1, "b": 2}, 3)], ["a", "b", "b", "a", "a", "b"])
        with worker(echo(1), os.sched_getaffinity(0)) as one:
            self.assertEqual(interleaved({"a": one}, 0.01, 2), {"a": [2_000_000] * 10})

    def test_a_function_that_ends_is_an_error(self):
        with self.assertRaisesRegex(BenchError, "ended before it answered"), worker(["/bin/true"], os.sched_getaffinity(0)):
            pass

    def test_batches_of_real_models_are_their_inputs_for_one(self):
        for model in models.REAL:
            if model.batched:
                self.assertEqual(model.batched.format(n=1), model.inputs)
        self.assertEqual(models.SYNTHETIC_BATCHED.format(n=1), models.SYNTHETIC_INPUTS)


class CommandLine(unittest.TestCase):
    def refused(self, *arguments):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), self.assertRaises(SystemExit) as stopped:
            main.parse(arguments)
        self.assertEqual(stopped.exception.code, 2)
        return errors.getvalue()

    def test_unknown_suite_gets_a_suggestion(self):
        self.assertIn("did you mean 'attach'?", self.refused("atach"))
        self.assertIn("There are accept, admin, attach", self.refused("zzz"))

    def test_a_suite_is_needed(self):
        self.assertIn("SUITE", self.refused())

    def test_all_means_every_suite(self):
        self.assertEqual(main.parse(["all", "--quick"]).suites, list(main.SUITES))

    def test_sizes_are_gigabytes(self):
        self.assertEqual(main.parse(["disk", "--gigabytes", "0.5,8"]).gigabytes, (0.5, 8))
        for wrong in ("", "8GB", "0", "1,,2", "-1", "nan"):
            self.assertIn("is no list of gigabytes", self.refused("disk", f"--gigabytes={wrong}"))

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


class Switch(unittest.TestCase):
    def test_failed_and_wrong_opens_are_held_to_none(self):
        answer = {"opens": 200, "failed": 0, "wrong": 1, "settled": 150, "moves": 3, "move_ns": [1000, 3000, 2000]}
        rows = switch.rows_of(answer)
        self.assertEqual([report.verdict(row)[1] for row in rows], ["ok", "MISS", ""])
        self.assertIn("75%", rows[0].note)
        self.assertEqual(rows[2].value, 2)


class Restart(unittest.TestCase):
    def test_a_slower_open_and_a_byte_that_is_read_are_misses(self):
        rows = list(restart.rows_of("killed", [([1000, 1000], [1100, 1100], 0, 0, 20), ([1000], [1100], 0, 4096, 30)], 10**9))
        self.assertEqual([report.verdict(row)[1] for row in rows], ["ok", "ok", "ok", ""])
        self.assertEqual((rows[0].n, rows[3].value), (3, 25))
        rows = list(restart.rows_of("killed", [([1000], [1300], 1, 10**9, 20)], 10**9))
        self.assertEqual([report.verdict(row)[1] for row in rows[:3]], ["MISS", "MISS", "MISS"])


class DiskPrograms(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = models.write_random_safetensors(Path(folder.name) / "m.safetensors", 5_000_001)

    def test_a_random_model_is_one_tensor_as_large_as_asked(self):
        with open(self.path, "rb") as file:
            length, = struct.unpack("<Q", file.read(8))
        self.assertEqual(self.path.stat().st_size, 8 + length + 5_000_000)

    def test_files_are_read_on_as_many_threads_as_asked(self):
        for threads in (1, 3):
            self.assertGreater(json_of([PROGRAMS / "bench_disk", "read", threads, self.path, self.path])["ns"], 0)
        with self.assertRaises(BenchError):
            json_of([PROGRAMS / "bench_disk", "read", 1, self.path.parent / "none"])

    def test_touching_and_hashing_take_time(self):
        took = json_of([PROGRAMS / "bench_disk", "touch", 8 << 20])
        self.assertGreater(min(took["touch_ns"], took["hash_ns"]), 0)

    def test_loads_with_and_without_hashing_and_by_either_engine(self):
        for program in ("bench_fill", "bench_fill_unhashed"):
            for engine in ("uring", "pread"):
                took = json_of([PROGRAMS / program, self.path, engine, "cold", 2])
                self.assertEqual((len(took["ns"]), len(took["cpu_ns"])), (2, 2))

    def test_processor_time_of_another_process(self):
        with running([sys.executable, "-c", "import sys\nprint(sum(range(10**6)), flush=True)\nsys.stdin.read()"],
                     stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            self.assertGreater(disk.cpu_seconds(process.pid), 0.001)


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
