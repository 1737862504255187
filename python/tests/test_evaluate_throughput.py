"""Throughput of scripts/evaluate: schedules, the plan, requests that wait for room, and what the report says of it."""

import collections
import io
import os
import subprocess
import sys
import threading

import pytest
from evaluate import main, options, plan, plots, report, report_throughput, schedule, throughput
from evaluate.store import Progress, Store
from test_evaluate import MACHINE, cell_row, parsed, run_of


@pytest.mark.parametrize("distribution", schedule.DISTRIBUTIONS)
def test_a_schedule_is_its_seeds(distribution):
    names = [f"model-{i}" for i in range(20)]
    drawn = schedule.schedule(distribution, names, 300, seed=7)
    assert drawn == schedule.schedule(distribution, reversed(names), 300, seed=7)
    assert drawn != schedule.schedule(distribution, names, 300, seed=8)
    assert set(drawn) <= set(names) and len(drawn) == 300
    assert len(set(schedule.schedule(distribution, names, 300, share=0.1))) <= 2
    assert schedule.schedule(distribution, names[:1], 3) == ["model-0"] * 3


def test_skewed_schedules_are_skewed():
    names = [f"model-{i}" for i in range(20)]
    most = {kind: collections.Counter(schedule.schedule(kind, names, 2000)).most_common(1)[0][1] for kind in ("pareto-1-3", "pareto-1-1", "uniform")}
    assert most["pareto-1-3"] > most["pareto-1-1"] > 2 * most["uniform"] > 200


def test_a_crew_answers_every_request_once_and_keeps_errors():
    asked = collections.Counter()

    def run(name, _number):
        asked[name] += 1
        if name == "bad":
            raise RuntimeError("no")

    crew = throughput.Crew(run, ["a", "bad", "b", "a"], 3)
    crew.work()
    assert asked == {"a": 2, "b": 1, "bad": 1} and crew.errors == ["bad: no"] and len(crew.latencies) == 3


def test_a_request_without_room_is_made_again_when_another_has_ended():
    entered, seen = threading.Event(), []

    def run(name, _number):
        if name == "large":
            entered.set()
            assert refused.wait(20)
        elif not seen:
            assert entered.wait(20)
            seen.append(name)
            refused.set()
            raise RuntimeError("RESOURCE_EXHAUSTED: no room")

    refused = threading.Event()
    crew = throughput.Crew(run, ["large", "small"], 2)
    crew.work()
    assert (crew.refused, crew.errors, len(crew.latencies)) == (1, [], 2)


def test_a_request_that_never_finds_room_is_an_error():
    def run(_name, _number):
        raise RuntimeError("RESOURCE_EXHAUSTED: no room")

    crew = throughput.Crew(run, ["a", "b"], 2)
    crew.work()
    assert len(crew.errors) == 2 and crew.refused == 2 * throughput.ATTEMPTS


def test_processor_time_of_functions_is_that_of_ended_children():
    before = throughput.children_seconds()
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.3: pass"], check=True)
    assert 0.25 < throughput.children_seconds() - before < 5
    assert throughput.processor_seconds(os.getpid()) > 0.25


def test_processors_are_busy_with_what_is_neither_idle_nor_waiting(tmp_path):
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 50 1000 10 0 5 7 0 0\ncpu0 1 2 3\n")
    machine = throughput.Processors(stat)
    assert machine.busy() == 0.0
    stat.write_text("cpu  150 10 70 1020 25 3 7 99 0 0\ncpu0 1 2 3\n")
    assert machine.busy() == round(85 / 120, 4)
    assert 0 <= throughput.Processors().busy() <= 1


def test_a_budget_holds_the_largest_model():
    mib = 1 << 20
    assert throughput.budget([100 * mib] * 10, 40) == 400 * mib
    assert throughput.budget([5 * mib, 28 * mib], 40) == 32 * mib


def test_the_framework_alone_is_not_measured_once_a_budget():
    for size in ("full", "quick", "smoke"):
        cells = plan.cells(size)
        assert len({plan.key(one) for one in cells}) == len(cells)
        assert {one["budget_percent"] for one in cells if one["how"] not in plan.POLICIES} == {40}
    assert {one["distribution"] for one in plan.cells("full")} == set(schedule.DISTRIBUTIONS)


def test_the_plan_has_all_of_the_papers_and_the_most_worthy_first():
    cells = plan.cells("full")
    have = {tuple(one.values()) for one in cells}
    for distribution in schedule.DISTRIBUTIONS:
        for budget in (40, 80):
            assert {(distribution, at_a_time, budget, 1.0, "worth") for at_a_time in (1, 5, 10)} < have
            assert {(distribution, 5, budget, 1.0, policy) for policy in plan.POLICIES} < have
        assert {(distribution, at_a_time, 40, 1.0, "framework-cold") for at_a_time in (1, 5, 10)} < have
    assert {one["share"] for one in cells if one["distribution"] == "uniform"} == {0.1, 0.25, 0.5, 0.75, 1.0}
    places = {plan.key(one): i for i, one in enumerate(cells)}
    assert [one["how"] for one in cells[:4]] == ["worth", "framework-cold", "framework", "lru"] and plan.traced("full") == cells[0]
    ratios = [places[plan.key(plan.cell(name, 5, 40, how))] for name in schedule.DISTRIBUTIONS for how in ("worth", "lru", "framework-cold")]
    assert max(ratios) < 45 < places[plan.key(plan.cell("zipf", 5, 80, "fifo"))]


def test_throughput_stands_beside_cold_starts_of_the_same_schedule():
    rows = throughput.against_cold([cell_row("worth", 30.0), cell_row("framework-cold", 10.0), cell_row("worth", 1.0, concurrency=5)])
    assert [row["against_cold"] for row in rows] == [3.0, 1.0, None]


def test_the_bars_of_throughput_are_shown_met_and_missed():
    headline = [cell_row("worth", 90.0, concurrency=5), cell_row("framework-cold", 10.0, concurrency=5)]
    other = cell_row("lru", 80.0, concurrency=5, hit_ratio=0.8)
    bars = lambda *rows: "".join([*report_throughput.oversubscribed(throughput.against_cold(rows), 2), *report_throughput.ratios(rows)])
    text = bars(*headline, other)
    assert "`throughput/oversubscribed`: 9.00× the framework's cold starts" in text and "95 % of the time: met. They were it 90 % of the time; all of it would have been 10.00×" in text
    assert "takes 500 ms of processor for its function and the sandbox, 21 ms of the daemon's and 10 ms of this" in text
    assert "any distribution: met (1 distributions measured)" in text
    text = bars(headline[1], headline[0] | {"per_second": 3.0}, other | {"hit_ratio": 0.95})
    assert "95 % of the time: **missed**" in text and "any distribution: **missed** in pareto-1-1" in text
    busy = bars(headline[1], headline[0] | {"per_second": 30.0, "busy": 0.96})
    assert "cold starts (Pareto(1,1), budget 40 %" in busy and "95 % of the time: met. They were it 96 %" in busy
    assert bars() == ""


def whole_plan():
    """A row for each of the full plan's cells, without having been measured."""
    speed = {"framework-cold": 1.0, "framework": 1.5}
    rows = [cell_row(one["how"], speed.get(one["how"], 4.0 + one["budget_percent"] / 40 - one["share"])) | one
            | {"hit_ratio": 0.5 + len(one["how"]) / 50 if one["how"] in plan.POLICIES else None} for one in plan.cells("full")]
    return throughput.against_cold(rows)


def test_the_whole_plan_fits_a_report_and_a_picture(tmp_path):
    rows = whole_plan()
    text = "\n".join(report_throughput.throughput(rows, 1, 500, 2))
    for words in ("| over the framework's cold starts | 80 %, 1 at a time | 80 %, 5 at a time |", "| hits, budget 40 %, 5 at a time | worth | lru | fifo |",
                  "| models in use | 10 % | 25 % | 50 % | 75 % | 100 % |", f"all {len(rows)} schedules", "| weibull-5 |"):
        assert words in text
    assert len(text) < 12_000
    plots.save(plots.throughput(rows), tmp_path, "throughput")
    assert (tmp_path / "throughput.png").stat().st_size > 20_000


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


def test_what_there_is_no_time_for_is_left_and_said(tmp_path, monkeypatch):
    clock, asked = Clock(), []
    monkeypatch.setattr(main, "time", clock)
    run = run_of(tmp_path, monkeypatch, "--minutes", "5", "--quick")

    class Bench:
        def measure(self, one):
            asked.append(one)
            clock.now += 200
            return one | {"per_second": 1.0}

    cells = plan.cells("full")[:4]
    store, progress = Store(tmp_path / "throughput", {}), Progress("throughput", {plan.key(one): 1 for one in cells}, out=io.StringIO())
    rows = [run.cell(Bench(), one, store, progress) for one in cells]
    assert asked == cells[:2] and rows[2:] == [None, None] and run.left == [f"throughput {plan.key(one)}" for one in cells[2:]]
    again = run_of(tmp_path, monkeypatch, "--minutes", "0")
    progress = Progress("throughput", {plan.key(one): 1 for one in cells}, out=io.StringIO())
    assert [again.cell(Bench(), one, store, progress) for one in cells] == rows and len(asked) == 2
    text = "\n".join(report.document([], MACHINE, {}, again.chosen, again.left))
    assert "**There was no time for 2**" in text and "All that was begun ran" in text
    assert not run_of(tmp_path, monkeypatch).is_over()


class Failing:
    """A bench whose second schedule fails, and from the fourth on there are no models."""

    def __init__(self):
        self.asked = 0

    def measure(self, one):
        self.asked += 1
        if self.asked == 2:
            raise OSError(28, "No space left on device")
        if self.asked == 4:
            raise throughput.NotPrepared("squeezenet-1.1: no room")
        return one | {"per_second": 1.0}


def test_a_schedule_that_fails_is_named_and_the_rest_goes_on(tmp_path, monkeypatch):
    run, cells = run_of(tmp_path, monkeypatch), plan.cells("full")[:8]
    bench, progress = Failing(), Progress("throughput", {plan.key(one): 1 for one in cells}, out=io.StringIO())
    rows = run.rows(bench, cells, Store(tmp_path / "throughput", {}), progress)
    assert [plan.key(row) for row in rows] == [plan.key(one) for one in (cells[0], cells[2])] and bench.asked == 4
    assert run.failures == {f"throughput {plan.key(cells[1])}": "[Errno 28] No space left on device", "throughput": "squeezenet-1.1: no room"}


def test_models_that_can_not_be_written_end_throughput_alone(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(throughput.answers.onnx_file, "write", full)
    bench = throughput.Bench(parsed("--smoke"), options.SMALL[:1], None, tmp_path, None, lambda _: None)
    with pytest.raises(throughput.NotPrepared, match="No space left"):
        bench.measure(plan.cells("smoke")[0])


def test_a_row_with_failed_requests_is_held_to_no_bar():
    rows = [cell_row("worth", 30.0) | {"errors": 1}, cell_row("lru", 20.0), cell_row("framework-cold", 10.0)]
    assert [row["against_cold"] for row in throughput.against_cold(rows)] == [None, 2.0, 1.0]
    assert [row["against_cold"] for row in throughput.against_cold([rows[1], rows[2] | {"errors": 1}])] == [None, None]
    five = [cell_row(how, 30.0, concurrency=5) | {"errors": how == "lru"} for how in ("worth", "lru")]
    assert list(throughput.hit_ratios(five)) == []


def test_an_open_that_found_no_room_is_no_miss():
    before = dict.fromkeys(("opens", "hits", "refused", "bytes_loaded"), 10)
    after = {"opens": 30, "hits": 22, "refused": 14, "bytes_loaded": 2_000_010}
    assert throughput.counted("worth", before, after) == {"hit_ratio": 0.75, "loaded_mb": 2.0}
    assert throughput.counted("worth", before, before)["hit_ratio"] is None and throughput.counted("framework", before, after)["hit_ratio"] is None


def test_whatever_a_request_ends_with_it_is_counted():
    class Odd(Exception):
        pass

    def run(name, _):
        if name == "odd":
            raise Odd("no RuntimeError")
        return 5000.0  # the measuring's own, more than all of it took

    crew = throughput.Crew(run, ["a", "odd", "b"], 2)
    seconds = crew.work()
    assert crew.errors == ["odd: no RuntimeError"] and len(crew.latencies) == 2
    assert max(crew.latencies) < 0 and crew.own_ms == 10_000 and seconds < 0, "what isn't the request's doesn't count"


def test_a_file_that_another_reads_is_not_dropped():
    readers = throughput.Readers()
    with readers.of("one") as first, readers.of("one") as second, readers.of("two") as other:
        assert (first, second, other) == (True, False, True)
    with readers.of("one") as again:
        assert again
