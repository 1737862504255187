"""What stays, comes and goes, and what names mean, from Python."""

import datetime

import numpy
import pytest

import trims
from conftest import write_safetensors


@pytest.fixture(scope="module")
def versions(daemon, tmp_path_factory):
    """Two versions of a model, which tell themselves apart."""
    folder = tmp_path_factory.mktemp("versions")
    for number in (1, 2):
        path = folder / f"{number}.safetensors"
        write_safetensors(path, {"number": ("I64", (), numpy.int64(number).tobytes())})
        trims.add(f"switched:{number}", path)
    return "switched"


def number_of(reference):
    with trims.open(reference) as model:
        return int(model.tensors["number"])


def segment_of(reference):
    return [segment for segment in trims.status()["segments"] if segment["reference"] == f"default/{reference}"]


def test_a_pinned_model_stays_and_an_unpinned_one_goes(versions):
    pinned = trims.pin("switched:1")
    try:
        (variant,) = pinned["variants"]
        assert (pinned["tier"], variant["kind"], variant["state"], variant["pinned"]) == ("host", "tensors", "resident", True)
        assert trims.status()["host"]["pinned_bytes"] == variant["bytes"]
        with pytest.raises(trims.FailedPrecondition, match="pinned"):
            trims.evict("switched:1")
    finally:
        trims.unpin("switched:1")
    assert trims.evict("switched:1", variants="tensors")["variants"][0]["state"] == "draining"


def test_who_has_a_model_open_is_named_and_keeps_it(versions):
    told = []
    trims.prefetch("switched:2", variants=["tensors"], progress=lambda *report: told.append(report))
    with trims.open("switched:2"):
        with pytest.raises(trims.FailedPrecondition, match="held by python"):
            trims.evict("switched:2")
        assert trims.evict("switched:2", when_idle=True)["variants"][0]["leaving"]
        assert segment_of("switched:2")[0]["state"] == "resident"
    with pytest.raises(trims.NotFound, match="moon"):
        trims.prefetch("switched:2", tier="moon")


def test_a_drain_turns_opens_away_until_it_is_over(versions):
    with trims.open("switched:1") as held:
        assert trims.drain()["holders"]
        try:
            with pytest.raises(trims.Unavailable, match="drains"):
                trims.open("switched:1", "tensors")
            assert int(held.tensors["number"]) == 1
            with pytest.raises(trims.DeadlineExceeded):
                trims.drain(wait=True, timeout=0.05)
        finally:
            trims.drain(False)
    assert number_of("switched:1") == 1


def test_an_alias_is_moved_back_and_forth(versions):
    assert trims.set_alias("prod", "switched:1")["reference"] == "default/switched:1"
    with trims.open("prod") as old:
        moved = trims.set_alias("prod", "switched:2")
        assert [before["reference"] for before in moved["before"]] == ["default/switched:1"]
        assert number_of("prod") == 2
        assert int(old.tensors["number"]) == 1
    assert trims.show("prod")["aliases"] == ["default/prod"]
    with pytest.raises(trims.FailedPrecondition, match="prod"):
        trims.rm("switched:2")
    trims.rollback("prod")
    assert number_of("prod") == 1
    with pytest.raises(trims.FailedPrecondition):
        trims.rollback("prod")
    assert [alias["alias"] for alias in trims.aliases()["aliases"]] == ["default/prod"]
    trims.delete_alias("prod")
    assert trims.aliases()["aliases"] == []
    with pytest.raises(trims.NotFound):
        trims.open("prod")


def test_old_versions_go_when_a_new_one_comes(daemon, tmp_path):
    for number in (1, 2, 3):
        path = tmp_path / f"{number}.safetensors"
        write_safetensors(path, {"number": ("I64", (), numpy.int64(100 + number).tobytes())})
        added = trims.add(f"kept:{number}", path, variants="tensors", keep_versions=2)
    assert added["retired"] == ["default/kept:1"]
    assert [model["version"] for model in trims.ls()["models"] if model["name"] == "default/kept"] == ["3", "2"]
    again = trims.add("kept:3", path, variants="tensors", keep_versions=1, keep_for=datetime.timedelta(days=30))
    assert "retired" not in again, "it was added less than a month ago"
    for wrong in (-1, 400 * 24 * 3600, float("nan")):
        with pytest.raises(trims.InvalidArgument, match="keep_for"):
            trims.add("kept:3", path, keep_for=wrong)
