"""What the daemon does, from Python."""

import numpy
import pytest

import trims
from conftest import write_safetensors


@pytest.fixture(scope="module")
def model(daemon, tmp_path_factory):
    path = tmp_path_factory.mktemp("told") / "told.safetensors"
    write_safetensors(path, {"number": ("I64", (), numpy.int64(7).tobytes())})
    trims.add("told", path, variants="tensors")
    return "told"


def test_what_is_kept_is_told_and_then_it_ends(model):
    trims.prefetch(model)
    told = [event for event in trims.events(follow=False, model=model)]
    assert [event["kind"] for event in told][:3] == ["model.added", "segment.loading", "segment.resident"]
    assert told[0]["model"].startswith("default/told:")
    assert [event["sequence"] for event in told] == sorted(event["sequence"] for event in told)
    since = told[0]["sequence"]
    assert [event["kind"] for event in trims.events(follow=False, model=model, since=since, kinds="segment.loading")] == ["segment.loading"]


def test_what_comes_is_told_as_it_comes(model):
    last = list(trims.events(follow=False))[-1]["sequence"]
    coming = trims.events(since=last, kinds=("segment.evicted",), model=model)
    trims.prefetch(model)
    trims.evict(model)
    event = next(coming)
    assert (event["kind"], event["reason"]) == ("segment.evicted", "operator")
    coming.close()


def test_a_kind_that_there_is_not(model):
    with pytest.raises(trims.InvalidArgument, match="nothing"):
        next(trims.events(kinds="nothing"))


def test_what_an_open_would_come_to(model):
    trims.prefetch(model)
    there = trims.explain(model)
    assert (there["served_from"], there["estimate_us"], there["moves_bytes"], there["kind"]) == ("host", 0, 0, "tensors")
    trims.evict(model)
    gone = trims.explain(model, variant="tensors", tier="host")
    assert gone["served_from"] in ("disk", "host") and gone["tiers"][0]["evicts"] == []
    with pytest.raises(trims.NotFound):
        trims.explain("none")
