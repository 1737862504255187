"""The figures as pictures, SVG and PNG."""
import math

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from evaluate.figures import PART_NAMES, PARTS, mean  # noqa: E402

COLOURS = {"process": "#9aa5b1", "framework": "#c9a227", "read": "#8c2f39", "copy": "#7b4fa3", "initialise": "#c8553d", "sharing": "#2457a6",
           "compute": "#3a7d5c"}
HIT, WORST, HOST, IDEAL, WARM = "#2457a6", "#e0913d", "#7b4fa3", "#111111", "#8a8a8a"

plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "trims", "svg.fonttype": "none",
                     "figure.constrained_layout.use": True})


def save(figure, folder, name):
    """No date and no random names inside: equal numbers make equal files."""
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    figure.savefig(folder / f"{name}.png", dpi=110)
    plt.close(figure)


def by_size(rows):
    return sorted(rows, key=lambda row: (row["mb"], row["network"]))


def label(row):
    return f"{row['network']}  {row['mb']:.0f} MB"


def _ticks(axis, values):
    """Plain numbers on a logarithmic axis: 1, 2, 5, 10 …"""
    low, high = min(values), max(values)
    ticks = [step * 10**power for power in range(-2, 4) for step in (1, 2, 5)]
    shown = [tick for tick in ticks if low / 2.5 <= tick <= high * 1.3]
    axis.set_ticks(shown, [f"{tick:g}×" for tick in shown])
    axis.minorticks_off()


def speedups(rows, title):
    """How many times faster than the baseline: bars from 1, dots for the ideal."""
    rows = by_size(rows)
    figure, axes = plt.subplots(figsize=(8.2, 1.7 + 0.27 * len(rows)))
    device = all(row.get("speedup_host") for row in rows)
    bars = [("speedup", HIT, f"TrIMS, model resident on the {'simulated device' if device else 'host'}")]
    bars += [("speedup_host", HOST, "TrIMS, on the host, copied to the device")] if device else []
    bars += [("speedup_worst", WORST, "TrIMS, worst case: nothing resident")]
    for i, (column, colour, name) in enumerate(bars):
        axes.barh([y - 0.4 + 0.8 * (i + 0.5) / len(bars) for y in range(len(rows))], [row[column] - 1 for row in rows], height=0.76 / len(bars), left=1,
                  color=colour, label=name)
    ideal = [(row["speedup_ideal"], i) for i, row in enumerate(rows) if row["speedup_ideal"]]
    axes.plot(*zip(*ideal), "|", color=IDEAL, markersize=11, markeredgewidth=2, label="ideal: weights there for nothing") if ideal else None
    warm = [row["cold_ms"] / row["warm_ms"] for row in rows]
    axes.plot(warm, range(len(rows)), "o", color=WARM, markersize=4, label="the framework, page cache warm")
    axes.set_xscale("log")
    _ticks(axes.xaxis, [1, *(row[column] for row in rows for column in ("speedup", "speedup_worst")), *warm])
    axes.axvline(1, color="#333333", linewidth=1)
    axes.set_yticks(range(len(rows)), [label(row) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("times as fast as the framework's cold start (page cache cold), whole function")
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    title += "  Simulated device." if device else ""
    axes.set_title(f"{title}   geometric mean: resident {mean(rows, 'speedup'):.2f}×, worst case {mean(rows, 'speedup_worst'):.2f}×",
                   loc="left", fontsize=10)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure


def breakdown(rows):
    """Stacked bars in pairs, each pair's cold start without TrIMS being 100 %."""
    rows = by_size(rows)
    device = all(row.get("worst_copy_ms") is not None for row in rows)
    sides = ("without", "worst", "with") if device else ("without", "with")
    figure, axes = plt.subplots(figsize=(8.2, 1.7 + 0.18 * len(sides) * len(rows)))
    for i, side in enumerate(sides):
        left = [0.0] * len(rows)
        for part in PARTS:
            if part == "copy" and not device:
                continue
            share = [100 * row[f"{side}_{part}_ms"] / sum(row[f"without_{one}_ms"] for one in PARTS) for row in rows]
            axes.barh([y - 0.38 + 0.76 * (i + 0.5) / len(sides) for y in range(len(rows))], share, height=0.72 / len(sides), left=left, color=COLOURS[part],
                      label=PART_NAMES[part] if side == "without" else None)
            left = [a + b for a, b in zip(left, share)]
    axes.set_yticks(range(len(rows)), [label(row) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("% of the cold start without TrIMS.  Bars: without; " + (
        "with, nothing resident; with, on the device" if device else "with TrIMS, model resident"))
    share = 100 * math.fsum(row["load_share"] for row in rows) / len(rows)
    axes.set_title(f"Figure 9: reading and initialising the model is {share:.0f} % of a cold start (the paper: 86 %)", loc="left", fontsize=10)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def throughput(rows):
    """Requests per second beside the framework's cold starts, by distribution, concurrency and budget."""
    shown = [row for row in rows if row["how"] == "worth" and row["against_cold"] and row["share"] == 1]
    names = list(dict.fromkeys(row["distribution"] for row in shown))
    series = sorted({(row["budget_percent"], row["concurrency"]) for row in shown})
    figure, axes = plt.subplots(figsize=(8.2, 2.2 + 0.1 * len(names) * max(1, len(series))))
    height = 0.8 / max(1, len(series))
    for i, (budget, concurrency) in enumerate(series):
        found = {row["distribution"]: row["against_cold"] for row in shown if (row["budget_percent"], row["concurrency"]) == (budget, concurrency)}
        axes.barh([y - 0.4 + height * (i + 0.5) for y in range(len(names))], [found.get(name, 0) for name in names], height=height * 0.9,
                  color=plt.cm.viridis(0.25 + 0.6 * i / max(1, len(series))), label=f"budget {budget} %, {concurrency} at a time")
    axes.axvline(1, color="#333333", linewidth=1)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel("requests per second, times those of the framework's cold starts by the same schedule")
    axes.set_title("Throughput (the paper: up to 8×)", loc="left", fontsize=10)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure
