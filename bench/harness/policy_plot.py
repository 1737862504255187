"""Draws reload seconds by policy and trace, relative to lru, as an SVG: policy_plot.py REPLAY.json OUT.svg.

REPLAY.json is what `bench_policy replay` prints. Plain text out, so that a change of a number is a change of a line.
"""
import json
import sys

from harness.stats import geometric_mean

SHOWN = (("default", "#0b6e4f", 6), ("gdsf", "#c77d0a", 4), ("s3fifo", "#7b4fa3", 4), ("lcu", "#a33b3b", 4), ("fifo", "#8a8a8a", 3),
         ("optimum", "#2457a6", 4))
LEFT, TOP, STEP, WIDTH, LOW, HIGH = 130, 46, 20, 620, 0.6, 1.4


def ratio(replays, policy, trace):
    return geometric_mean([one["seconds"][policy] / one["seconds"]["lru"] for one in replays if one["trace"] == trace])


def x_of(value):
    return round(LEFT + (min(max(value, LOW), HIGH) - LOW) / (HIGH - LOW) * WIDTH, 1)


def axis(bottom):
    for tenths in range(6, 15):
        x = x_of(tenths / 10)
        stroke = "#333" if tenths == 10 else "#ddd"
        yield f'<line x1="{x}" y1="{TOP - 8}" x2="{x}" y2="{bottom}" stroke="{stroke}"/>'
        yield f'<text x="{x}" y="{bottom + 15}" text-anchor="middle">{tenths / 10:g}×</text>'


def legend(default):
    for i, (policy, colour, radius) in enumerate(SHOWN):
        x = LEFT + i * 105 + (25 if i > 0 else 0)  # the default's name is the longest
        name = f"{default} (default)" if policy == "default" else policy
        yield f'<circle cx="{x}" cy="20" r="{radius}" fill="{colour}"/><text x="{x + 10}" y="24">{name}</text>'


def drawing(answer):
    replays, default = answer["replays"], answer["default"]
    traces = list(dict.fromkeys(one["trace"] for one in replays))
    bottom = TOP + STEP * len(traces)
    lines = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 790 {0}" font-family="sans-serif" font-size="12">'.format(bottom + 24),
             f'<rect width="790" height="{bottom + 24}" fill="#fff"/>', *legend(default), *axis(bottom)]
    for row, trace in enumerate(traces):
        y = TOP + STEP * row + 8
        lines.append(f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{trace}</text>')
        for policy, colour, radius in reversed(SHOWN):
            x = x_of(ratio(replays, default if policy == "default" else policy, trace))
            lines.append(f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{colour}"/>')
    return "\n".join([*lines, "</svg>"]) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as replayed, open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write(drawing(json.load(replayed)))
