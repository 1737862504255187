"""The Chrome traces of scripts/evaluate."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import onnxmodels
import pytest
from evaluate import main, options, report, traces


def span(name, pid, begin, took):
    return {"name": name, "ph": "X", "ts": begin, "dur": took, "pid": pid, "tid": pid, "args": {}}


def test_phases_of_a_function_without_libtrims_become_spans():
    said = {"pid": 7, "spawned_ns": 5_000_000, "phases_ms": {"process": 1.0, "runtime": 2.0, "load": 3.0, "inference": 4.0}}
    assert [(one["name"], one["ts"], one["dur"], one["pid"]) for one in traces.phases(said)] == [
        ("process", 5000, 1000, 7), ("runtime", 6000, 2000, 7), ("load", 8000, 3000, 7), ("inference", 11000, 4000, 7)]


def test_functions_are_called_by_their_network_and_way():
    events = [traces.metadata("process_name", 7, name="bench_function"), traces.metadata("process_name", 8, name="trimsd"), span("open", 7, 1, 1)]
    found = [one for one in traces.named(events, {7: "alexnet: hit", 9: "nobody"}) if one["ph"] == "M"]
    assert [(one["pid"], *one["args"].values()) for one in found] == [(8, "trimsd"), (7, "alexnet: hit"), (7, 0)]


@pytest.mark.parametrize("text", ["", "{", "{}", "[1]", '{"traceEvents": 3}'])
def test_what_is_no_trace_is_named(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(traces.TraceError, match="x.json is no Chrome trace"):
        traces.read(tmp_path / "x.json")


def test_a_function_may_bring_in_so_much_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(traces, "LARGEST", 10)
    (tmp_path / "x.json").write_text("[" + " " * 10 + "]")
    with pytest.raises(traces.TraceError, match="12 bytes: expected at most 10"):
        traces.read(tmp_path / "x.json")


def test_networks_follow_each_other_in_one_trace(tmp_path):
    build = os.environ["TRIMS_TEST_BUILD"]
    for name, begin in (("a", 5e9), ("b", 9e9)):
        writer = traces.metadata("trims_writer", 7, program="f", monotonic_us=begin - 10)
        (tmp_path / name).write_text(json.dumps([writer, span("open", 7, begin, 50.0), span("load", 7, begin + 60, 40.0)]))
    made = traces.together(build, [tmp_path / "a", tmp_path / "b"], tmp_path / "small.trace.json")
    events = json.loads((tmp_path / "small.trace.json").read_text())
    assert (made["file"], made["events"], made["bytes"]) == ("small.trace.json", 6, (tmp_path / "small.trace.json").stat().st_size)
    assert made["bytes"] < 2000 and not (tmp_path / "small.trace.parts").exists()
    assert [(one["ts"], one["pid"]) for one in events if one["ph"] == "X"] == [
        (0, 7), (60, 7), (traces.GAP_US + 100, 6_000_000), (traces.GAP_US + 160, 6_000_000)]
    assert [one["args"]["monotonic_us"] for one in events if one["ph"] == "M"] == [-10, traces.GAP_US + 90]
    assert {one["name"]: one["count"] for one in made["spans"]} == {"open": 2, "load": 2}
    text = "".join(report.trace(made, "the small networks"))
    assert "[small.trace.json](small.trace.json) (6 events, " in text and "| open | 2 | 0.050 |" in text
    assert list(report.trace(None, "nothing")) == []


def test_a_trace_that_can_not_be_made_is_named_and_the_rest_goes_on(tmp_path):
    run = main.Run(options.parse(["--out", str(tmp_path), "--build", os.environ["TRIMS_TEST_BUILD"]]), None, tmp_path)
    (tmp_path / "bad").write_text("[")
    assert run.trace("small", [tmp_path / "nobody's"]) is None and run.failures == {}
    assert run.trace("small", [tmp_path / "bad"]) is None
    assert list(run.failures) == ["Chrome trace of the small"]


def test_an_open_of_a_traced_function_stands_beside_what_the_daemon_did(daemon, tmp_path):
    """The stage's own part: a function's folder, its number, its name."""
    daemon.command("add", "traced", onnxmodels.save(onnxmodels.mlp(), tmp_path / "mlp.onnx"), "--variant", "ort")
    stage = SimpleNamespace(models=tmp_path, build=os.environ["TRIMS_TEST_BUILD"], daemon=daemon, trace=None)
    program = "import os, trims; trims.open('traced', 'ort').close(); print(os.getpid())"
    with traces.Trace(stage, tmp_path / "out.json") as trace:
        assert stage.trace is trace
        folder = trace.folder()
        done = subprocess.run([sys.executable, "-c", program], env=os.environ | {"TRIMS_TRACE": str(folder)}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        said = {"pid": int(done.stdout), "spawned_ns": 1000, "phases_ms": dict.fromkeys(traces.PHASES, 1.0)}
        trace.add("mlp: hit", said, folder)
        trace.add("mlp: ideal", said | {"pid": 999, "spawned_ns": 2000}, trace.folder())
    assert stage.trace is None and sorted(path.name for path in tmp_path.iterdir()) == ["mlp.onnx", "out.json"]
    events = json.loads((tmp_path / "out.json").read_text())
    of = lambda pid: {one["name"] for one in events if one["pid"] == pid and one["ph"] == "X"}
    assert {"open", "request", "attach", "close", "serve"} <= of(said["pid"]) and set(traces.PHASES) == of(999)
    names = {one["pid"]: one["args"]["name"] for one in events if one["name"] == "process_name"}
    assert (names[said["pid"]], names[999]) == ("mlp: hit", "mlp: ideal") and "transfer" in {one["name"] for one in events}
    daemon.command("rm", "traced")


def test_a_recorder_that_does_not_start_says_why(tmp_path):
    daemon = SimpleNamespace(socket=tmp_path / "nobody.sock")
    stage = SimpleNamespace(models=tmp_path, build=os.environ["TRIMS_TEST_BUILD"], daemon=daemon, trace=None)
    with pytest.raises(traces.TraceError, match="nobody.sock"), traces.Trace(stage, tmp_path / "out.json"):
        pass
    assert list(tmp_path.iterdir()) == []
