"""scripts/evaluate: its arithmetic, schedules, resuming and report. What it runs is tried by the test evaluate.smoke."""

import collections
import contextlib
import io
import json
import os
import subprocess
import time
import types
from pathlib import Path

import numpy
import onnxmodels
import pytest
from evaluate import answers, code, figures, latency, main, options, plan, plots, report, report_throughput, throughput
from evaluate.frameworks import FRAMEWORKS
from evaluate.latency import WAYS, summary
from evaluate.lease import Client, LeaseError
from evaluate.store import Progress, Store, duration
from harness import free_memory
from networks import onnx_file
from test_networks import Tiny


def sample(process=10.0, runtime=20.0, load=100.0, inference=50.0, peak_mb=100.0):
    total = process + runtime + load + inference
    return {"process": process, "runtime": runtime, "load": load, "inference": inference, "total": total, "whole": total + 1, "cpu": total,
            "peak_mb": peak_mb}


def result(name="alexnet", megabytes=244.0, **changed):
    loads = {"cold": 400, "warm": 300, "unfused": None, "worst": 80, "host": None, "plain": None, "hit": 6, "ideal": 5} | changed
    ways = summary({way: [sample(load=loads[way])] * 3 for way in WAYS if loads[way] is not None})
    return {"megabytes": megabytes, "resident_mb": megabytes, "parameters": 1, "pixels": 227, "load_average": 0.5, "ways": ways}


def test_figure_8_is_ratios_of_medians():
    row = figures.figure8("alexnet", result())
    assert row["cold_ms"] == 480 and row["hit_ms"] == 86 and row["n"] == 3
    assert row["speedup"] == pytest.approx(480 / 86, abs=1e-4)
    assert row["over_ideal"] == pytest.approx(86 / 85, abs=1e-4)
    assert figures.figure8("vgg16-896", result(ideal=None))["over_ideal"] is None


def test_figure_9_adds_up_to_the_whole():
    row = figures.figure9("alexnet", result())
    without = [row[f"without_{part}_ms"] for part in figures.PARTS]
    shared = [row[f"with_{part}_ms"] for part in figures.PARTS]
    assert without == [10, 20, 100, 0, 300, 0, 50] and shared == [10, 20, 0, 0, 5, 1, 50]
    assert row["load_share"] == pytest.approx(400 / 480, abs=1e-4) and "worst_copy_ms" not in row


def test_figure_9_of_the_device_has_a_copy():
    row = figures.figure9("alexnet", result(worst=95, host=26))
    assert [row[f"worst_{part}_ms"] for part in figures.PARTS] == [10, 20, 69, 20, 5, 1, 50]
    assert figures.figure8("alexnet", result(host=26))["speedup_host"] == pytest.approx(480 / 106, abs=1e-4)
    assert figures.figure8("alexnet", result(unfused=200))["speedup_unfused"] == pytest.approx(280 / 86, abs=1e-4)


@pytest.mark.parametrize("changed", [{"cold": 290}, {"ideal": 7}, {"ideal": None}, {"host": 5}, {"host": 90}, {"worst": 2, "host": 4}, {"worst": 20, "host": 18, "ideal": 1}])
def test_noise_makes_no_part_negative_and_loses_nothing(changed):
    ways = result(**changed)["ways"]
    for side, found in figures.parts(ways).items():
        assert min(found.values()) >= 0
        assert sum(found.values()) == pytest.approx(ways[{"without": "cold", "with": "hit", "worst": "worst"}[side]]["total"])


def test_means_leave_out_what_was_not_measured():
    assert figures.mean([{"x": 2.0}, {"x": 8.0}, {"x": None}], "x") == pytest.approx(4)
    assert figures.mean([{"x": None}], "x") is None


def test_results_are_found_again_only_under_the_same_settings(tmp_path):
    Store(tmp_path / "a", {"repetitions": 3}).put("alexnet", {"x": 1})
    assert Store(tmp_path / "a", {"repetitions": 3}).get("alexnet") == {"x": 1}
    assert Store(tmp_path / "a", {"repetitions": 7}).get("alexnet") is None
    assert Store(tmp_path / "a", {"repetitions": 3}).get("vgg16") is None


def test_another_program_or_machine_is_measured_anew(tmp_path, monkeypatch):
    found = []
    for program, cpu in (("a", "x"), ("a", "x"), ("b", "x"), ("a", "y")):
        monkeypatch.setattr(main.machine, "describe", lambda _, here={"cpu": cpu}: collections.defaultdict(str, here))
        monkeypatch.setattr(main.code, "digest", lambda _, program=program: program)
        settings = main.Run(parsed(), type("Sandbox", (), {"name": "none"}), tmp_path).settings()
        found.append(settings)
    assert found[0] == found[1] and found[0] not in found[2:] and found[2] != found[3]


def test_what_measures_and_what_is_measured_is_in_the_digest_and_what_only_draws_is_not(tmp_path):
    build, root = tmp_path / "build", tmp_path / "root"
    for path in (build / "src/tools/trimsd/trimsd", root / "bench/evaluate/latency.py", root / "bench/evaluate/plots.py"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    found = [code.digest(build, root)]
    for changed in (root / "bench/evaluate/plots.py", root / "bench/evaluate/latency.py", build / "src/tools/trimsd/trimsd"):
        changed.write_text("2")
        found.append(code.digest(build, root))
    assert found[0] == found[1] and len(set(found)) == 3


def test_own_memory_is_shown_of_functions_that_say_it():
    row = figures.figure8("alexnet", result())
    assert list(report.own_memory([row])) == []
    assert "| alexnet | 244.0 | 300 | 20 |" in "".join(report.own_memory([row | {"cold_own_mb": 300.0, "hit_own_mb": 20.0}]))


@pytest.mark.parametrize("where", ["folder", "worktree"])
def test_the_commit_is_found_in_a_worktree_too(tmp_path, where):
    git = tmp_path / "one/.git"
    (git / "refs/heads").mkdir(parents=True)
    (git / "refs/heads/main").write_text("1" * 40 + "\n")
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "worktrees/two").mkdir(parents=True)
    (git / "worktrees/two/HEAD").write_text("ref: refs/heads/other\n")
    (git / "worktrees/two/commondir").write_text("../..\n")
    (git / "refs/heads/other").write_text("2" * 40 + "\n")
    (tmp_path / "two").mkdir()
    (tmp_path / "two/.git").write_text(f"gitdir: {git / 'worktrees/two'}\n")
    root, wanted = (tmp_path / "one", "1" * 40) if where == "folder" else (tmp_path / "two", "2" * 40)
    assert main.machine.git_commit(root) == wanted


def test_a_file_leaves_the_page_cache_or_it_is_said(tmp_path, monkeypatch):
    import page_cache

    path = tmp_path / "file"
    path.write_bytes(bytes(1 << 20))
    with open(path, "rb") as file:
        assert page_cache.cached_pages(file) == (256, 256)
    monkeypatch.setattr(page_cache.os, "posix_fadvise", lambda *_: None)
    with pytest.raises(page_cache.StillCached, match="256 of 256 pages stay"):
        page_cache.drop([path])


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"settings": {}}'])
def test_a_damaged_result_is_measured_again(tmp_path, text):
    (tmp_path / "alexnet.json").write_text(text)
    assert Store(tmp_path, {}).get("alexnet") is None


def test_progress_learns_from_what_was_measured():
    now, out = [0.0], io.StringIO()
    progress = Progress("small networks", {"a": 10, "b": 30, "c": 60}, clock=lambda: now[0], out=out)
    progress.known("a")
    progress.begin("b")
    now[0] = 60.0
    progress.end("b")
    progress.begin("c")
    assert progress.remaining() == pytest.approx(120)
    assert out.getvalue().splitlines() == ["evaluate: small networks [2/3] b", "evaluate: small networks [3/3] c, about 2 min left"]


def test_durations():
    assert [duration(seconds) for seconds in (5, 59.4, 61, 3599, 7260)] == ["5 s", "59 s", "1 min", "1 h 0 min", "2 h 1 min"]


def test_inputs_are_those_of_bench_function():
    state, wanted = 2019, []
    for _ in range(12):
        state = (state * 1664525 + 1013904223) % 2**32
        wanted.append(numpy.float32(state >> 8) / numpy.float32(16777216))
    numpy.testing.assert_array_equal(answers.inputs((3, 2, 2)).ravel(), wanted)


def said(*elements):
    return {"answer": [numpy.array(elements, "<f4").tobytes().hex()]}


def test_answers_are_compared():
    wanted = numpy.array([0.25, 0.75], "f4")
    assert answers.check("x", said(0.25, 0.75), wanted) == 0
    for wrong in ([0.25, 0.7501], [0.25], [0.25, float("nan")]):
        with pytest.raises(answers.WrongAnswer):
            answers.check("x", said(*wrong), wanted)


def cell_row(how, per_second, **changed):
    return plan.cell("pareto-1-1", 2, 40, how) | {
        "requests": 24, "seconds": 1.0, "per_second": per_second, "p50_ms": 5.0, "p99_ms": 9.0, "errors": 0, "refused": 0, "first_error": "",
        "hit_ratio": 0.9 if how == "worth" else None, "loaded_mb": 3.0 if how == "worth" else None,
        "functions_cpu_s": 12.0, "daemon_cpu_s": 0.5, "driver_cpu_s": 0.25, "busy": 0.9, "peak_mb": 300.0} | changed


def run_of(tmp_path, monkeypatch, *words):
    monkeypatch.setattr(main.machine, "describe", lambda _: collections.defaultdict(str))
    return main.Run(parsed(*words, "--out", str(tmp_path)), type("Sandbox", (), {"name": "none"}), tmp_path)


def test_networks_are_left_too_and_what_is_there_is_reported(tmp_path, monkeypatch):
    run = run_of(tmp_path, monkeypatch, "--minutes", "0", "--quick")
    kept = Store(tmp_path / "results", run.settings() | {"repetitions": 3})
    kept.put("alexnet", result())
    assert list(run.latencies("small networks", run.chosen.networks(options.SMALL))) == ["alexnet"]
    assert run.left == ["squeezenet-1.1", "googlenet", "resnet18-v2"] and run.failures == {}


MACHINE = {"cpu": "a processor", "cores": 2, "memory_bytes": 8e9, "os": "Debian", "kernel": "6", "onnxruntime": "1", "framework": "ONNX Runtime", "framework_version": "1", "commit": "0123456789abcdef", "isolation": "bubblewrap",
           "load_averages": [0.1]}


def test_report_pictures_and_tables_are_written(tmp_path):
    found = {"alexnet": result(), "squeezenet-1.1": result(megabytes=5.0)}
    large = [figures.table4("vgg16-896", result(megabytes=6719.0, ideal=None))]
    rows = throughput.against_cold([cell_row("worth", 30.0), cell_row("framework-cold", 10.0)])
    written = [*main.latency_sections(("8", "9"), found, tmp_path, MACHINE), report.table4(large), report_throughput.throughput(rows, 1, 24, 2)]
    plots.save(plots.speedups(large, "Figure 10."), tmp_path, "figure10")
    plots.save(plots.throughput(rows), tmp_path, "throughput")
    text = "\n".join(report.document(written, MACHINE, {"vgg19": "no room"}, parsed("--figure", "8,9")))
    for words in ("Repetitions of each way to start a function: 7", "Commit 0123456789ab.", "`fig8/best`: 1.012× the ideal; asked for at most 1.02×: met", "Not asked for: Table 4, Figure 10, throughput.", "86 %", "**The host tier.**", "| alexnet |", "| vgg16-896 |", "- vgg19: no room", "5.58×"):
        assert words in text
    assert "machine was shared" not in text
    for name in ("figure8", "figure9", "figure10", "throughput"):
        assert (tmp_path / f"{name}.svg").stat().st_size < 200_000 and (tmp_path / f"{name}.png").stat().st_size > 5000
    assert (tmp_path / "figure8.csv").read_text().splitlines()[0].startswith("network,mb,cold_ms")
    assert json.loads((tmp_path / "figure9.json").read_text())["rows"][0]["network"] == "alexnet"


def test_the_bars_of_latency_are_shown_met_and_missed():
    rows = [figures.figure8("alexnet", result()), figures.figure8("squeezenet-1.1", result(megabytes=5.0, worst=415))]
    assert "at most 1.03× the time" in "".join(report.worst_bar(rows)) and "for all: met." in "".join(report.worst_bar(rows))
    slow = figures.figure8("vgg16", result(worst=400))
    assert "**missed** by vgg16 1.00×." in "".join(report.worst_bar([*rows, slow]))
    assert "`fig10/large`: 1.012× the ideal; asked for at most 1.02×: met" in "".join(report.bar(rows, report.LARGE_BAR))


def test_what_isolation_costs_is_shown_where_it_was_measured():
    rows = [figures.figure8("alexnet", result(plain=2)), figures.figure8("vgg16", result(plain=4))]
    text = "".join(report.isolation([*rows, figures.figure8("nin", result())]))
    assert "takes 1.04× the time of one in a plain process (geometric mean; 1.02–1.05×), 4.0 ms more" in text
    assert list(report.isolation([figures.figure8("nin", result())])) == []


def test_table_4_says_where_computing_is_most_of_a_hit():
    rows = [figures.table4("alexnet-227", result()), figures.table4("vgg16-224", result(hit=300))]
    text = "".join(report.table4(rows))
    assert "more than half of a hit is computing: alexnet-227." in text and "| 244 | 58 % |" in text and "| 244 | 13 % |" in text


def test_a_report_of_the_device_says_that_it_is_simulated(tmp_path):
    found = {"alexnet": result(worst=95, host=26)}
    written = [*main.latency_sections(("8", "9"), found, tmp_path, MACHINE)]
    chosen = parsed("--tier", "device:0")
    text = "\n".join(report.document(written, MACHINE, {}, chosen))
    for words in ("scripts/evaluate --tier device:0", "**The device is simulated** (`sim:0`)", "a model of 12GB/s and 10us a copy", "| TrIMS, host hit |",
                  "host hit, copied to the device", "with, nothing resident: copy to the device"):
        assert words in text
    assert "Not asked for" not in text and "throughput" not in text.lower()
    header = (tmp_path / "figure9.csv").read_text().splitlines()[0]
    assert "worst_copy_ms" in header and "host_ms" in (tmp_path / "figure8.csv").read_text()
    main.latency_sections(("8",), {"alexnet": result()}, tmp_path, MACHINE).__next__()
    assert "host_ms" not in (tmp_path / "figure8.csv").read_text()


def test_a_shared_machine_is_said_to_be_one():
    assert "machine was shared" in "\n".join(report.machine_lines(MACHINE | {"load_averages": [0.9, 2.9]}))


def parsed(*words):
    return options.parse(list(words))


def test_options():
    assert parsed().figures == options.FIGURES and parsed().repetitions == 7
    assert parsed("--framework", "mxnet", "--figure", "all").figures == parsed("--framework", "mxnet").figures == options.FIGURES
    assert parsed("--framework", "mxnet").out.name == "evaluation-mxnet" and parsed().out.name == "evaluation"
    assert parsed("--quick").figures == ("8", "9", "throughput")
    assert parsed("--quick", "--figure", "table4").figures == ("table4",)
    assert parsed("--figure", "8,table4").figures == ("8", "table4")
    mixed = parsed("--models", "small,vgg16-448")
    assert len(mixed.networks(options.SMALL)) == 31 and [one.name for one in mixed.networks(options.LARGE)] == ["vgg16-448"]
    assert [one.name for one in parsed("--models", "vgg16-448").networks(options.SMALL)] == ["vgg16-448"]
    assert parsed("--models", "small").models[0] == "alexnet" and len(parsed("--models", "small,vgg16").models) == 31
    assert [one.name for one in parsed("--smoke").networks(options.SMALL)] == list(options.SMOKE)
    assert len(parsed("--smoke").networks(options.LARGE)) == 8


def test_the_report_says_what_was_left_out():
    assert list(report.left_out(parsed())) == [] and list(report.left_out(parsed("--quick"))) == []
    said = list(report.left_out(parsed("--figure", "8,table4", "--models", "small,vgg16-224")))
    assert said[0] == "Not asked for: Figure 9, throughput.\n"
    assert said[1].startswith("Large networks that were not asked for: alexnet-227, ") and len(said) == 2


@pytest.mark.parametrize(("words", "error"), [
    (("--figure", "7"), "unknown figure '7'"), (("--figure", "8,"), "unknown figure ''"), (("--models", "resnet5"), "did you mean 'resnet50'"), (("--models", ""), "unknown network ''"),
    (("--framework", "x"), "unknown framework"), (("--tier", "gpu"), "expected host or device:0"),
    (("--tier", "device:0", "--framework", "mxnet"), "not measured with MXNet: the tier"), (("--repetitions", "0"), "from 1 to 1000"), (("--minutes", "-1"), "expected"), (("--minutes", "x"), "whole minutes from 0 to 100000"),
    (("--quick", "--smoke"), "not allowed with")])
def test_mistakes_on_the_command_line_are_named(words, error, capsys):
    with pytest.raises(SystemExit) as ended:
        parsed(*words)
    assert ended.value.code == 2 and error in capsys.readouterr().err


def test_a_lease_gives_a_descriptor_of_the_prepared_file_where_there_is_one(daemon, named_daemon, tmp_path):
    path = onnxmodels.save(onnxmodels.mlp(), tmp_path / "mlp.onnx")
    library = Path(os.environ["TRIMS_TEST_BUILD"]) / "src/client/libtrims.so"
    for running, is_file in ((daemon, True), (named_daemon, False)):
        running.command("add", "evaluated", path, "--variant", "ort")
        with Client(library, running.socket) as client, client.open("evaluated") as lease:
            assert (lease.bytes is not None) is is_file
            assert os.pread(lease.fd, 8, 0)[4:8] == b"ORTM" or not is_file
        running.command("rm", "evaluated")


def answered(program, words, fds, given):
    """What bench_function said, started as a stage starts it."""
    runtime = str(Path(os.environ["TRIMS_TEST_BUILD"]).resolve().parents[1] / ".cache/deps/onnxruntime/lib")
    done = subprocess.run([program, "ideal", *words, given, "--spawned", str(time.monotonic_ns())], pass_fds=fds, text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, env=os.environ | {"LD_LIBRARY_PATH": runtime})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_ideal_of_both_forms_answers_right(daemon, named_daemon, tmp_path):
    build, network = Path(os.environ["TRIMS_TEST_BUILD"]), Tiny()
    onnx_file.write(network, tmp_path / "tiny.onnx")
    wanted = answers.expected(tmp_path / "tiny.onnx", network.input_shape)
    for running, form in ((daemon, "bytes"), (named_daemon, "named")):
        running.command("add", "tiny", tmp_path / "tiny.onnx", "--variant", "ort")
        with Client(build / "src/client/libtrims.so", running.socket) as client, client.open("tiny") as lease:
            words, fds = FRAMEWORKS["onnxruntime"].ideal(lease)
            assert (words[0] == "named") is (form == "named")
            answers.check("ideal", answered(build / "bench/bench_function_plain", words, fds, "data=1x3x8x8"), wanted)
        running.command("rm", "tiny")


def test_a_lease_that_can_not_be_had_says_why(daemon):
    library = Path(os.environ["TRIMS_TEST_BUILD"]) / "src/client/libtrims.so"
    with Client(library, daemon.socket) as client, pytest.raises(LeaseError, match="no model 'nobody'"), client.open("nobody"):
        pass


def own_pages():
    return int(Path("/proc/self/statm").read_text().split()[1])


@pytest.mark.parametrize("size", [-1, 0, 1, 4 << 20])
def test_memory_that_is_lent_is_held_between_and_in_the_end_by_nobody(size):
    held = max(size, 0) // os.sysconf("SC_PAGE_SIZE")
    before = own_pages()
    with free_memory.Reserve(size) as reserve:
        for _ in range(2):
            with reserve.lent():
                assert own_pages() - before < 256
            assert held <= own_pages() - before < held + 256
    assert own_pages() - before < 256


def test_memory_is_held_again_after_what_failed():
    before = own_pages()
    with free_memory.Reserve(4 << 20) as reserve:
        with pytest.raises(ZeroDivisionError), reserve.lent():
            raise ZeroDivisionError
        assert own_pages() - before >= 1024


def test_a_load_has_the_memory_that_is_held_between_functions():
    before, seen = own_pages(), []

    class OneClient:
        @contextlib.contextmanager
        def open(self, *_):
            seen.append(own_pages() - before)
            yield "lease"
            seen.append("ended")

    with free_memory.Reserve(4 << 20) as reserve:
        stage = types.SimpleNamespace(framework=FRAMEWORKS["onnxruntime"])
        bench = latency.Bench(stage, Tiny(), None, OneClient(), reserve)
        with bench.held("host") as lease:
            assert lease == "lease" and own_pages() - before >= 1024 and seen[0] < 256 and len(seen) == 1
        assert seen[1] == "ended"


def test_no_more_memory_is_backed_than_is_free(monkeypatch):
    monkeypatch.setattr(free_memory, "free_bytes", lambda: free_memory.SPARED + 4096)
    sizes = []
    real = free_memory.mmap.mmap
    monkeypatch.setattr(free_memory.mmap, "mmap", lambda fd, size, **more: sizes.append(size) or real(fd, size, **more))
    with free_memory.backed(1 << 50):
        assert sizes == [4096]


def test_memory_that_a_cgroup_does_not_allow_is_not_backed(tmp_path):
    inner = tmp_path / "memory/outer/inner"
    inner.mkdir(parents=True)
    for folder, limit, used in ((tmp_path / "memory", 1 << 60, 0), (inner.parent, 5000, 1000), (inner, 9000, 500)):
        (folder / "memory.limit_in_bytes").write_text(str(limit))
        (folder / "memory.usage_in_bytes").write_text(str(used))
    assert free_memory.allowed_bytes(tmp_path, "3:cpu:/\n7:memory:/outer/inner\n") == 4000
    (tmp_path / "own").mkdir()
    (tmp_path / "own/memory.max").write_text("max\n")
    (tmp_path / "own/memory.current").write_text("7\n")
    assert free_memory.allowed_bytes(tmp_path, "0::/own\n") is None
    (tmp_path / "own/memory.max").write_text("10\n")
    assert free_memory.allowed_bytes(tmp_path, "0::/own\n") == 3
