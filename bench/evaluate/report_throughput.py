"""What the report says of throughput: the bars, tables by what was varied, and each schedule where there are few."""
from evaluate import plan
from evaluate.plan import DEFAULT_POLICY, PAPERS, POLICIES
from evaluate.schedule import DISTRIBUTIONS
from evaluate.tables import met, number, percent, table, times
from evaluate.throughput import hit_ratios

MOST_LINES = 24  # schedules that are shown each


BUSY = 0.95  # of the time: processors that are it have no time left


def oversubscribed(rows, cores):
    """The headline. Where the processors had no time left, computing is the limit, and what they did is said."""
    headline = plan.key(plan.traced("full"))
    for row in rows:
        if plan.key(row) != headline or row["against_cold"] is None:
            continue
        of_request = {who: row[f"{who}_cpu_s"] / row["requests"] * 1000 for who in ("functions", "daemon", "driver")}
        always_busy = row["against_cold"] / row["busy"] if row["busy"] else 0
        yield (f"`throughput/oversubscribed`: {times(row['against_cold'])} the framework's cold starts (Pareto(1,1), budget 40 %, 5 at a time); asked "
               f"for at least 8×, or the limit of computing, which is processors that are busy {percent(BUSY)} of the time: "
               f"{met(row['against_cold'] >= 8 or row['busy'] >= BUSY)}. They were it {percent(row['busy'])} of the time; all of it would have been {times(always_busy)}. A request takes "
               f"{of_request['functions']:.0f} ms of processor for its function and the sandbox, {of_request['daemon']:.0f} ms of the daemon's and {of_request['driver']:.0f} ms of "
               f"this evaluation's own, on {cores} processors.\n")


def ratios(rows):
    found = list(hit_ratios(rows))
    lower = [name for name, ours, other in found if ours < other]
    if found:
        yield (f"`throughput/hit-ratio`: the default policy beside `lru`, asked for not lower in any distribution: {met(not lower)}"
               f"{' in ' + ', '.join(lower) if lower else ''} ({len(found)} distributions measured).\n")


def matrix(rows, line, columns, value, headings):
    """One line for each value of `line` that is there, one column for each of `columns` that any line has: {column's key: heading}."""
    found = {(line(row), columns(row)): value(row) for row in rows}
    lines, there = ([*dict.fromkeys(key[i] for key in found)] for i in (0, 1))
    if len(found) < 2:
        return
    yield table([headings[0], *(headings[1](one) for one in there)], [[str(one), *(found.get((one, column), "–") for column in there)] for one in lines])


def varied(rows):
    """Each thing that was varied, with the others as in the headline."""
    ours = sorted((row for row in rows if row["how"] == DEFAULT_POLICY and row["share"] == 1 and row["against_cold"] is not None),
                  key=lambda row: (place(row), -row["budget_percent"], row["concurrency"]))
    by = lambda row: (row["budget_percent"], row["concurrency"])
    yield from matrix(ours, lambda row: row["distribution"], by, lambda row: times(row["against_cold"]),
                      ("over the framework's cold starts", lambda one: f"{one[0]} %, {one[1]} at a time"))
    for budget in plan.BUDGETS:
        of = sorted((row for row in rows if (row["how"] in POLICIES and row["concurrency"] == 5 and row["share"] == 1 and row["hit_ratio"] is not None
                                             and row["budget_percent"] == budget)), key=lambda row: (place(row), POLICIES.index(row["how"])))
        yield from matrix(of, lambda row: row["distribution"], lambda row: row["how"], lambda row: percent(row["hit_ratio"]),
                          (f"hits, budget {budget} %, 5 at a time", str))
    shares = sorted((row for row in rows if row["distribution"] == "uniform" and row["how"] == DEFAULT_POLICY
                     and (row["concurrency"], row["budget_percent"]) == (5, 40)), key=lambda row: row["share"])
    yield from matrix(shares, lambda row: "uniform, over the framework's cold starts", lambda row: row["share"], lambda row: times(row["against_cold"]),
                      ("models in use", percent))


def place(row):
    return [*DISTRIBUTIONS].index(row["distribution"]) if row["distribution"] != PAPERS else -1


def each(rows):
    if len(rows) > MOST_LINES:
        yield f"throughput.csv has all {len(rows)} schedules, with latencies, processor time, memory and bytes moved. The headline's:\n"
        headline = plan.traced("full")
        rows = [row for row in rows if all(row[name] == headline[name] for name in ("distribution", "concurrency", "share"))
                and (row["budget_percent"] == headline["budget_percent"])]
    yield table(["distribution", "at a time", "budget", "models in use", "how", "requests/s", "over cold", "p50, ms", "p99", "hits", "loaded, MB",
                 "processor, s a request", "no room", "errors"], [
        [row["distribution"], str(row["concurrency"]), f"{row['budget_percent']} %" if row["hit_ratio"] is not None else "–", percent(row["share"]),
         row["how"], number(row["per_second"], 2), times(row["against_cold"]), number(row["p50_ms"], 0), number(row["p99_ms"], 0),
         percent(row["hit_ratio"]), number(row["loaded_mb"], 0), number((row["functions_cpu_s"] + row["daemon_cpu_s"]) / row["requests"], 2),
         str(row["refused"]), str(row["errors"])] for row in rows])


def throughput(rows, seed, length, cores):
    yield "## Throughput\n"
    yield "![Throughput](throughput.svg)\n"
    best = max((row["against_cold"] for row in rows if row["how"] == DEFAULT_POLICY and row["against_cold"]), default=None)
    yield f"The paper: up to 8×. Here: up to {times(best)} the requests per second of the framework's cold starts.\n"
    yield from oversubscribed(rows, cores)
    yield from ratios(rows)
    yield from varied(rows)
    yield from each(rows)
    yield (f"{length} requests each, schedules drawn with seed {seed} (`--seed`; schedules.json has them). framework: page cache as the kernel "
           "keeps it; framework-cold: each function's model dropped from it first, as in the paper. no room: opens that were refused because all "
           "that was resident was in use; such a request is made again when another has ended.\n")
