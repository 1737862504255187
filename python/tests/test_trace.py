"""What a process leaves where TRIMS_TRACE names a folder."""

import json
import os
import subprocess
import sys

import trims

FUNCTION = """
import sys, trims
with trims.trace.span("function"):
    with trims.open(sys.argv[1]) as model, trims.trace.span("compute"):
        sum(model.tensors["matrix"].ravel())
try:
    with trims.trace.span("fails"):
        raise RuntimeError
except RuntimeError:
    pass
"""


def run(model, folder):
    environment = dict(os.environ) | ({"TRIMS_TRACE": str(folder)} if folder else {})
    subprocess.run([sys.executable, "-c", FUNCTION, model], env=environment, check=True)


def test_a_functions_phases_stand_beside_its_opens(small, tmp_path):
    run(small[0], tmp_path / "traces")
    [path] = (tmp_path / "traces").iterdir()
    spans = {event["name"]: event for event in json.loads(path.read_text()) if event["ph"] == "X"}
    assert {"connect", "open", "request", "attach", "close", "function", "compute", "fails"} <= set(spans)

    def within(inner, outer):
        begin, end = spans[outer]["ts"], spans[outer]["ts"] + spans[outer]["dur"]
        return begin <= spans[inner]["ts"] and spans[inner]["ts"] + spans[inner]["dur"] <= end
    assert within("open", "function") and within("compute", "function") and within("request", "open")
    assert spans["open"]["args"]["model"].startswith("default/small:")


def test_nothing_is_written_unasked(small, tmp_path):
    run(small[0], None)
    assert not trims.trace.enabled()
    with trims.trace.span("nobody's"):
        pass


def test_a_malformed_traceparent_is_refused(small):
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    try:
        trims.open(small[0], traceparent="00-nonsense")
        raise AssertionError("it was taken")
    except trims.InvalidArgument as error:
        assert "traceparent" in str(error)
    trims.open(small[0], traceparent=parent).close()
