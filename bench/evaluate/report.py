"""CSV, JSON and the Markdown report: each figure with the paper's value, ours, the machine, and what differs."""
import csv
import io
import json

from evaluate.figures import PART_NAMES, PARTS, mean
from evaluate.latency import LATENCY, LINK
from evaluate.options import FIGURES
from evaluate.tables import met, number, percent, table, times
from networks.table import LARGE, SMALL

TIER_DIFFERS = {"host": """- **The host tier.** The paper's best case finds the model in the memory of a GPU; here it is found in the host's, and there is no copy to a
  device in any bar (`--tier device:0` has one, simulated).""", "device:0": """- **The device is simulated** (`sim:0`). The ways are the paper's: the worst case goes disk → host → device, a host hit is copied to the device, and
  the best case finds the model there. But the device's memory is a part of this machine's, its wire a model of {link}/s and {latency} a copy, and
  the processor computes out of it: no number here says how fast a GPU is. The framework alone computes on the processor and copies to no device,
  so that the paper's baseline, which does, has a part that this one lacks."""}

FRAMEWORK_DIFFERS = {"ONNX Runtime": "", "MXNet": """- **MXNet fuses operators by default, and with TrIMS it doesn't**: what is fused keeps a copy of its weights, and computes otherwise (docs/mxnet.md).
  The ideal doesn't fuse either, and imports trims.mxnet as a hit does. So that the factor can be told from that, the framework is also started
  *unfused*, with a warm page cache.
"""}

DIFFERS = """Where this differs from the paper, and why:

{tier}
- **Inference on the processor, one thread a function, {framework}.** The paper computes on GPUs (MXNet), where computing is 7 % of a cold start; here it
  is most of what remains, so that the ideal itself is a smaller factor. `hit/ideal` says how near TrIMS comes to what could be gained
  at all; the factor over the cold start says as much about the processor.
{framework_differs}- **Weights are seeded, not trained**: the architectures and sizes are the paper's, the numbers in them are not. They cost as much to move.
- **A cold page cache** drops the model's file only: programs and libraries stay cached, on both sides. The worst case drops the daemon's prepared
  files, and nothing is resident.
- **Ideal**: the same program over the same prepared bytes, whose descriptor it inherits from its parent: no manager, no socket, no
  reading, no copying. Making the session over them, and computing, remain: that is what a function can't do without."""


def rows_csv(columns, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


# Columns that are left out where nothing is in them: of isolation, of the device's tier, of frameworks that say it, of machines with memory cgroups.
OPTIONAL = {"unfused_ms", "speedup_unfused", "plain_ms", "over_plain", "host_ms", "speedup_host", *(f"worst_{part}_ms" for part in PARTS), "cold_own_mb", "hit_own_mb", "cold_charged_mb", "warm_charged_mb",
            "hit_charged_mb", "saved_mb", "charged_mb"}


def write(folder, name, columns, rows, machine):
    columns = [column for column in columns if column not in OPTIONAL or any(row.get(column) is not None for row in rows)]
    (folder / f"{name}.csv").write_text(rows_csv(columns, rows))
    kept = [{column: row.get(column) for column in columns} for row in rows]
    (folder / f"{name}.json").write_text(json.dumps({"machine": machine, "rows": kept}, indent=1, ensure_ascii=False) + "\n")


def spread(rows, column):
    values = [row[column] for row in rows if row.get(column)]
    return f"{min(values):.2f}–{max(values):.2f}×" if values else "–"


COLUMNS8 = {"cold_ms": "framework, cold, ms", "warm_ms": "framework, warm", "unfused_ms": "framework, warm, unfused", "worst_ms": "TrIMS, worst", "host_ms": "TrIMS, host hit",
            "hit_ms": "TrIMS, hit", "ideal_ms": "ideal", "speedup": "hit over cold", "speedup_host": "host hit over cold",
            "speedup_worst": "worst over cold", "speedup_ideal": "ideal over cold", "over_ideal": "hit/ideal"}


def by_size(rows):
    return sorted(rows, key=lambda one: (one["mb"], one["network"]))


def latency_table(rows):
    """Of what was measured in any of them."""
    shown = [column for column in COLUMNS8 if any(row.get(column) is not None for row in rows)]
    return table(["network", "MB", *(COLUMNS8[column] for column in shown)], [
        [row["network"], number(row["mb"]), *((number if column.endswith("_ms") else times)(row[column]) for column in shown)] for row in by_size(rows)])


def headline(rows, paper):
    return table(["geometric mean", "paper", "here", "spread"], [
        ["hit against the framework's cold start", paper, times(mean(rows, "speedup")), spread(rows, "speedup")],
        ["hit against the framework, page cache warm", "not shown", times(mean(rows, "speedup_warm")), spread(rows, "speedup_warm")],
        *([["hit against the framework, page cache warm, unfused as TrIMS is", "not shown", times(mean(rows, "speedup_unfused")), spread(rows, "speedup_unfused")]]
          if mean(rows, "speedup_unfused") else []),
        *([["host hit, copied to the device, against the framework's cold start", "–", times(mean(rows, "speedup_host")), spread(rows, "speedup_host")]]
          if mean(rows, "speedup_host") else []),
        ["worst case against the framework's cold start", "–", times(mean(rows, "speedup_worst")), spread(rows, "speedup_worst")],
        ["hit beside the ideal (time)", "within about 1.20×", times(mean(rows, "over_ideal")), spread(rows, "over_ideal")]])


def medians(rows, name):
    low, high = (pick(row["load_average"] for row in rows) for pick in (min, max))
    return (f"Medians of {min(row['n'] for row in rows)} runs, the ways taking turns; from before the process is started to its answer. {name}.csv has "
            f"processor time and peak memory, too, and the load average before each network ({low:.1f} to {high:.1f}).\n")


# How far a hit may be from the ideal, in the geometric mean.
BARS = {"ONNX Runtime": ("fig8/best", 1.02), "MXNet": ("fig8/best-mxnet", 1.05)}
LARGE_BAR = ("fig10/large", 1.02)
LARGE_MB = 50  # from which on the worst case is to be faster than the framework's cold start
MOST_WORST = 1.05  # of its time, for all


def bar(rows, wanted):
    """Whether the best case is as near to the ideal as was asked for; `wanted`: one of BARS, or LARGE_BAR."""
    name, most = wanted
    found = mean(rows, "over_ideal")
    if found is None:
        return
    yield f"`{name}`: {found:.3f}× the ideal; asked for at most {most:.2f}×: {met(found <= most)}.\n"


def worst_bar(rows):
    """Whether the worst case is as good as the framework's cold start."""
    took = {row["network"]: (row["mb"], 1 / row["speedup_worst"]) for row in rows if row["speedup_worst"]}
    slower = [f"{name} {ratio:.2f}×" for name, (mb, ratio) in took.items() if ratio > MOST_WORST or (mb >= LARGE_MB and ratio >= 1)]
    if took:
        yield (f"`fig8/worst`: at most {max(ratio for _, ratio in took.values()):.2f}× the time of the framework's cold start; asked for less than 1× from "
               f"{LARGE_MB} MB on, and {MOST_WORST:.2f}× for all: {met(not slower)}{' by ' + ', '.join(slower) if slower else ''}.\n")


def own_memory(rows):
    """Of functions that say how much memory is theirs alone."""
    rows = [row for row in rows if row.get("hit_own_mb") is not None]
    if not rows:
        return
    yield table(["network", "file, MB", "own memory, framework", "own memory, TrIMS on a hit"], [
        [row["network"], number(row["mb"]), number(row["cold_own_mb"], 0), number(row["hit_own_mb"], 0)]
        for row in by_size(rows)])
    yield "Own memory is what no file and no model is behind, in MB: it is there once a function; the model is there once a node.\n"


def isolation(rows):
    """What a sandbox and a control group cost a function."""
    rows = [row for row in rows if row.get("plain_ms")]
    if rows:
        more = sorted(row["hit_ms"] - row["plain_ms"] for row in rows)
        yield (f"Isolation: a hit in its sandbox takes {mean(rows, 'over_plain'):.2f}× the time of one in a plain process (geometric mean; {spread(rows, 'over_plain')}), "
               f"{more[len(more) // 2]:.1f} ms more in the median network.\n")


def used(rows):
    """Memory and processor time of each function, where it had a memory cgroup of its own."""
    rows = [row for row in rows if row.get("saved_mb") is not None]
    if not rows:
        return
    yield table(["charged at most, MB", "file", "framework, cold", "framework, warm", "TrIMS, hit", "saved", "processor, ms: framework, cold", "TrIMS, hit"], [
        [row["network"], number(row["mb"]), *(number(row[f"{way}_charged_mb"], 0) for way in ("cold", "warm", "hit")), number(row["saved_mb"], 0),
         number(row["cold_cpu_ms"], 0), number(row["hit_cpu_ms"], 0)] for row in by_size(rows)])
    yield (f"What each function's memory cgroup was charged with at most. Cold, the pages of the model's file are in it, which the kernel takes back when "
           f"it has to; warm, they are charged to an earlier one. Saved is warm − hit: {sum(row['saved_mb'] for row in rows):,.0f} MB of all {len(rows)} together. "
           "The model's own pages are charged to the daemon, once a node.\n")


def figure8(rows, framework="ONNX Runtime"):
    yield "## Figure 8: latency of the small networks\n"
    yield "![Speed-ups](figure8.svg)\n"
    yield headline(rows, "up to 24×; 4.8× mean on its slowest system")
    yield latency_table(rows)
    yield from bar(rows, BARS[framework])
    yield from worst_bar(rows)
    yield from own_memory(rows)
    yield from used(rows)
    yield from isolation(rows)
    yield medians(rows, "figure8")


SIDE_NAMES = {"without": "without", "with": "with, resident", "worst": "with, nothing resident"}


def parts_table(rows, sides, share=None):
    """Parts that are there in any of them, and the overhead of sharing in any case; `share`: a column behind them."""
    shown = [(side, part) for side in sides for part in PARTS
             if (side, part) == ("with", "sharing") or any(row.get(f"{side}_{part}_ms") for row in rows)]
    headings = [f"{SIDE_NAMES[side]}: {PART_NAMES[part]}" + ", ms" * (i == 0) for i, (side, part) in enumerate(shown)]
    return table(["network", *headings, *(["load + initialise"] if share else [])], [
        [row["network"], *(number(row[f"{side}_{part}_ms"]) for side, part in shown), *([percent(row[share])] if share else [])] for row in by_size(rows)])


def figure9(rows):
    average = lambda column: sum(row[column] for row in rows) / len(rows)
    yield "## Figure 9: where the time goes\n"
    yield "![Breakdown](figure9.svg)\n"
    yield table(["mean share of the whole", "paper", "here"], [
        ["loading and initialising, without TrIMS, page cache cold", "86 %", percent(average("load_share"))],
        ["the same, page cache warm", "not shown", percent(average("load_share_warm"))],
        ["computing, without TrIMS, page cache cold", "7 %", percent(average("compute_share"))],
        ["loading, with TrIMS on a hit", "–", percent(average("load_share_with"))]])
    yield parts_table(rows, ("without", "with"), "load_share")
    if any(row.get("worst_copy_ms") is not None for row in rows):
        yield parts_table(rows, ("worst",))
    yield ("Reading is what a cold page cache adds to making the session; sharing overhead is what asking the manager and mapping add to a "
           "session over inherited bytes; copying to the device what a model that is only on the host adds to a hit. All are differences of "
           "medians: a 0 is one that noise hides.\n")


def table4(rows, framework="ONNX Runtime"):
    yield "## Table 4 and Figure 10: the large networks\n"
    yield "![Speed-ups](figure10.svg)\n"
    yield headline(rows, "up to 210×")
    lines = [[row["network"], str(row["pixels"]), number(row["mb"]), number(row["cold_peak_mb"], 0), number(row["hit_peak_mb"], 0),
              number(row["resident_mb"], 0), percent(row["compute_share_hit"])] for row in sorted(rows, key=lambda one: one["network"])]
    yield table(["network", "pixels", "file, MB", "framework's peak, MB", "TrIMS's peak, shared pages included", "shared, once a node",
                 "computing, of a hit"], lines)
    bound = [row["network"] for row in by_size(rows) if row["compute_share_hit"] > 0.5]
    yield f"Compute-bound, more than half of a hit is computing: {', '.join(bound) or 'none'}. No way of loading makes those much faster than this.\n"
    yield latency_table(rows)
    yield from bar(rows, LARGE_BAR)
    yield from used(rows)
    yield medians(rows, "table4")
    if framework == "ONNX Runtime":
        yield "A network beyond 2 GB is prepared as a graph and tensors by name, not as one file: its ideal inherits all of them.\n"


def trace(made, of, what="Each way was started"):
    """`made`: what traces.together says, or None."""
    if made is None:
        return
    yield (f"Chrome trace of {of}: [{made['file']}]({made['file']}) ({made['events']} events, {made['bytes'] / 1e3:.0f} kB; Perfetto shows it, "
           f"docs/traces.md has the spans). {what} once more for it, and not measured.\n")
    shown = [one for one in made["spans"] if one["name"] in TRACED]
    milliseconds = lambda one, field: number(one[field] / 1000, 3)
    yield table(["span", "of them", "median, ms", "95 % within", "the longest"], [
        [one["name"], str(one["count"]), *(milliseconds(one, field) for field in ("p50_us", "p95_us", "max_us"))]
        for one in sorted(shown, key=lambda one: TRACED.index(one["name"]))])


# Spans that are shown: of a function, of its open, of the daemon. Not `load`, which both have.
TRACED = ("process", "runtime", "inference", "connect", "open", "request", "attach", "close", "serve", "wait", "transfer")


def machine_lines(machine):
    loads = machine["load_averages"] or [0.0]
    commit = machine.get("commit") or "unknown"
    yield (f"Commit {commit[:12]}. {machine['cpu']}, {machine['cores']} cores, {machine['memory_bytes'] / 1e9:.0f} GB, {machine['os']}, Linux {machine['kernel']}; {machine['framework']} "
           f"{machine['framework_version']}; functions in {machine['isolation']}.\n")
    shared = max(loads) > machine["cores"]  # ours make about one
    yield f"Load averages just before what was measured: {min(loads):.1f} to {max(loads):.1f}." + (
        " **The machine was shared while this was measured**: the ways took turns and medians are shown, so ratios hold better than milliseconds "
        "do, and neither is a result to quote.\n" if shared else "\n")


def left_out(chosen):
    """What the command line left out of the paper's evaluation."""
    if chosen.size != "full":
        return
    names = {"8": "Figure 8", "9": "Figure 9", "table4": "Table 4", "10": "Figure 10", "throughput": "throughput"}
    absent = [names[figure] for figure in FIGURES if figure not in chosen.figures and not {figure, *chosen.figures} >= {"table4", "10"}]
    if absent:
        yield f"Not asked for: {', '.join(absent)}.\n"
    for kind, figures, networks in (("small", {"8", "9", "throughput"}, SMALL), ("large", {"table4", "10"}, LARGE)):
        absent = [one.name for one in networks if one not in chosen.networks(networks)] if figures & set(chosen.figures) else []
        if absent:
            yield f"{kind.capitalize()} networks that were not asked for: {', '.join(absent)}.\n"


def not_reached(left):
    """What `--minutes` left."""
    if left:
        named = ", ".join(left[:12]) + (f" and {len(left) - 12} more" if len(left) > 12 else "")
        yield f"**There was no time for {len(left)}**, the least worthy last (the same command goes on from here): {named}.\n"


def document(sections, machine, failures, chosen, left=()):
    size = chosen.size
    framework = "" if chosen.framework == "onnxruntime" else f" --framework {chosen.framework}"
    framework += "" if chosen.tier == "host" else f" --tier {chosen.tier}"
    yield "# The paper's evaluation, measured here\n"
    yield (f"Written by `scripts/evaluate{framework}{'' if size == 'full' else ' --' + size}`; what it measures, and how, is in docs/evaluation.md. "
           f"Repetitions of each way to start a function: {chosen.repetitions}; of large networks {max(1, chosen.repetitions // 2)}.\n")
    if size != "full":
        yield f"**A {size} run: it shows that everything works and is no result.**\n"
    yield from machine_lines(machine)
    tier = TIER_DIFFERS[chosen.tier].format(link=LINK, latency=LATENCY)
    yield DIFFERS.format(framework=machine["framework"], tier=tier, framework_differs=FRAMEWORK_DIFFERS[machine["framework"]]) + "\n"
    for section in sections:
        yield from section
    yield "## What did not run\n"
    yield from left_out(chosen)
    yield from not_reached(left)
    if failures:
        yield "\n".join(f"- {key}: {why}" for key, why in failures.items()) + "\n"
    else:
        yield f"All that was {'begun' if left else 'asked for'} ran, and every answer was right.\n"
