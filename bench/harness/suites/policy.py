"""policy: eviction policies in a replay of traces through the daemon's own policy code, and how long one decision takes."""
import math

from harness.processes import json_of, say
from harness.report import Row
from harness.stats import geometric_mean

# The default was chosen with seeds 1 to 4 and 11 to 14; what is reported comes from others.
FIRST_SEED, SEEDS, LENGTH = 101, 4, 20_000
RESIDENTS, HELD_RESIDENTS = (100, 1000, 10_000, 100_000), 10_000


def of_trace(replays, policy, trace, what="seconds"):
    """Over the budgets: a small one, whose seconds are many, says no more than a large one."""
    return geometric_mean([replay[what][policy] for replay in replays if replay["trace"] == trace])


def reload_rows(answer, n):
    replays, chosen = answer["replays"], answer["default"]
    traces = list(dict.fromkeys(replay["trace"] for replay in replays))
    for policy in sorted(replays[0]["seconds"], key=lambda name: (name != chosen, name)):
        name = "default" if policy == chosen else policy
        if policy == "lru":
            continue
        rows = [Row("policy", f"{name}/{trace}", "reload", "s", of_trace(replays, policy, trace), of_trace(replays, "lru", trace), n,
                    held=policy == chosen) for trace in traces]
        yield from rows
        if policy == chosen:
            yield from (Row("policy", f"{name}/{trace}", "loads", "", of_trace(replays, policy, trace, "loads"),
                            of_trace(replays, "lru", trace, "loads"), n) for trace in traces)
        yield Row("policy", name, "reload-geomean", "s", geometric_mean([row.value for row in rows]),
                  geometric_mean([row.reference for row in rows]), n * len(rows), held=policy == chosen)
    worst = max(replays, key=lambda replay: replay["seconds"][chosen] / replay["seconds"]["lru"])
    yield Row("policy", f"default/{worst['trace']} at {worst['budget']:.0%}", "reload-worst", "s", worst["seconds"][chosen],
              worst["seconds"]["lru"], n, held=False)


def decision_rows(bench):
    rounds = bench.choose(200_000, 2_000)
    for residents in RESIDENTS:
        times = json_of([bench.build.program("bench_policy"), "decision", residents, rounds])
        for metric, unit in (("decision", "decision_us"), ("lease", "lease_us")):
            slowest = max(times, key=lambda policy: times[policy][unit])
            yield Row("policy", f"{residents} resident", metric, "µs", times[slowest][unit], None, rounds,
                      f"slowest of {len(times)} policies: {slowest}; log₂ {math.log2(residents):.1f}",
                      held=residents == HELD_RESIDENTS)


def run(bench):
    seeds = bench.choose(SEEDS, 1)
    say(f"policy: replays, seeds {FIRST_SEED} to {FIRST_SEED + seeds - 1}")
    answer = json_of([bench.build.program("bench_policy"), "replay", FIRST_SEED, seeds, bench.choose(LENGTH, 2000)])
    rows = list(reload_rows(answer, seeds * 5))
    say("policy: decisions")
    return rows + list(decision_rows(bench))
