"""live: a trace of opens at a real daemon whose budget is too small for all, beside what the replay of policy/ says of that trace.

The replay reckons with what a load takes alone. So does `reload`: each load that the daemon made counts with that. What its loads
took on the clock, several at once on the processors that there are, is `reload-wall`."""
import collections
import os
import re

from harness.daemon import serving
from harness.models import REAL
from harness.processes import BenchError, json_of, say
from harness.report import Row
from harness.session import scratch
from harness.stats import median

TRACE, SEED, CLIENTS, BUDGET_SHARE = "zipf-1.0", 20261127, 8, 0.4
POLICIES = ("default", "lru", "never")


def images(server):
    """(reference=variant, bytes of room) of all that was prepared."""
    return [(f"{model['reference']}={variant['kind']}", variant["bytes"])
            for model in server.trims("ls")["models"] for variant in model["variants"]]


def play(bench, server, clients, length, words, seed=SEED, trace=TRACE):
    """What the clients saw, and what the daemon counted meanwhile."""
    before = server.trims("status")["counters"]
    answer = json_of([bench.build.program("bench_live"), server.socket, clients, trace, seed, length, *words])
    after = server.trims("status")["counters"]
    return answer | {key: after[key] - before[key] for key in ("loads", "load_ms", "load_failures", "evictions")}


def load_times(bench, folder, words):
    """Seconds that a load of each takes, the mean of many, of a daemon that keeps nothing and has nothing else to do."""
    times = []
    with serving(bench.build, folder, "--reclaim", "eager") as server:
        for word in words:
            answer = play(bench, server, 1, bench.choose(40, 5), [word], trace="loop")
            times.append(max(answer["load_ms"], 1) / 1e3 / answer["loads"])
            server.wait_until_empty()
    return times


def predict(bench, budget, length, sizes, times, seed):
    """{policy: (seconds, loads)}, and the name of the default."""
    answer = json_of([bench.build.program("bench_policy"), "predict", TRACE, seed, length, budget,
                      *(f"{size}:{round(seconds * 1e6)}" for size, seconds in zip(sizes, times))])
    return {name: (cost["seconds"], cost["loads"]) for name, cost in answer["policies"].items()}, answer["default"]


RESIDENT = re.compile(r" segment\.resident model=(\S+) variant=(\S+) ")


def seconds_alone(folder, words, times):
    """Of all loads in the log of the daemon that served there last, each with what it takes alone; and how many these are."""
    with open(f"{folder}/log", errors="replace") as log:
        made = collections.Counter(f"{found[1]}={found[2]}" for line in log if (found := RESIDENT.search(line)))
    return sum(made[word] * seconds for word, seconds in zip(words, times)), made.total()


def measure(bench, folder, policy, budget, length, words, times, seed, clients=CLIENTS):
    """(opens a second, seconds of loading, loads, those seconds on the clock). What was refused, its function loads for itself:
    that is as long as a load alone."""
    with serving(bench.build, folder, "--host-budget", f"{budget}", "--eviction", policy) as server:
        answer = play(bench, server, clients, length, words, seed)
    if answer["load_failures"]:
        raise BenchError(f"{answer['load_failures']} loads failed")
    alone, made = seconds_alone(folder, words, times)
    if made != answer["loads"]:
        raise BenchError(f"the daemon's log has {made} loads, its counters have {answer['loads']}")
    refused = sum(times[image] for image in answer["refused"])
    return (answer["opens"] / answer["seconds"], alone + refused, answer["loads"] + len(answer["refused"]),
            answer["load_ms"] / 1e3 + refused)


def columns(measured):
    return list(zip(*measured))


def rows_of(name, measured, predicted, references, n, note):
    (rates, seconds, loads, walls), (replayed_seconds, replayed_loads) = columns(measured), columns(predicted)
    yield Row("live", name, "reload", "s", sum(seconds), sum(replayed_seconds), n, note)
    yield Row("live", name, "reload-wall", "s", sum(walls), sum(replayed_seconds), n, note)
    yield Row("live", name, "loads", "1", sum(loads), sum(replayed_loads), n, note)
    for reference, (others, taken, _, _) in references.items():
        if reference != name:
            yield Row("live", f"{name} beside {reference}", "opens", "1/s", median(rates), median(others), n)
            yield Row("live", f"{name} beside {reference}", "reload-beside", "s", sum(seconds), sum(taken), n)


def run(bench):
    length, seeds = bench.choose(2000, 200), [SEED + i for i in range(bench.choose(3, 1))]
    with scratch() as folder:
        os.chmod(folder, 0o700)
        with serving(bench.build, folder) as server:
            for model in bench.choose(REAL, (REAL[0], REAL[-1])):
                server.add(model.name, bench.models / model.path)
            found = images(server)
        words, sizes = [word for word, _ in found], [size for _, size in found]
        budget = round(BUDGET_SHARE * sum(sizes))
        say(f"live: {len(words)} images, {sum(sizes) / 1e6:.0f} MB; trace {TRACE}, seeds {seeds[0]} to {seeds[-1]}")
        times = load_times(bench, folder, words)
        measured, predicted, alone = {name: [] for name in POLICIES}, {name: [] for name in POLICIES}, []
        for seed in seeds:
            forecast, default = predict(bench, budget, length, sizes, times, seed)
            for name in POLICIES if seed % 2 else reversed(POLICIES):
                say(f"live: {name}, seed {seed}")
                policy = default if name == "default" else name
                measured[name].append(measure(bench, folder, policy, budget, length, words, times, seed))
                predicted[name].append(forecast[policy])
            say(f"live: one client, seed {seed}")
            alone.append(measure(bench, folder, default, budget, length, words, times, seed, clients=1))
    note = f"beside the replay of {len(words)} images, {CLIENTS} clients, {BUDGET_SHARE:.0%} of {sum(sizes) / 1e6:.0f} MB, seed {SEED}"
    references = {name: columns(measured[name]) for name in POLICIES[1:]}
    return [*(row for name in POLICIES
              for row in rows_of(name, measured[name], predicted[name], references if name == "default" else {}, len(seeds), note)),
            *(Row("live", "default, one client", metric, unit, sum(columns(alone)[at]), sum(columns(predicted["default"])[at - 1]), len(seeds),
                  held=False) for at, metric, unit in ((1, "reload", "s"), (2, "loads", "1")))]
