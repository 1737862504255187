"""Rows, the bars they are held to, and how both are shown: a table for people, a document for programs."""
import dataclasses
import json
from typing import Optional


@dataclasses.dataclass(frozen=True)
class Row:
    suite: str
    case: str
    metric: str
    unit: str
    value: Optional[float]  # None: it could not be measured, `note` says why
    reference: Optional[float] = None
    n: int = 1
    note: str = ""
    held: bool = True  # False: shown beside the others, not held to the bar

    @property
    def ratio(self):
        if self.value is None or not self.reference:
            return None
        return self.value / self.reference

    def as_json(self):
        row = {"suite": self.suite, "case": self.case, "metric": self.metric, "unit": self.unit, "value": self.value,
               "reference": self.reference, "ratio": self.ratio, "n": self.n}
        if self.note:
            row["note"] = self.note
        return row


@dataclasses.dataclass(frozen=True)
class Bar:
    of: str  # "ratio" or "value"
    comparison: str  # "<=", "<", ">=", or "within": of 1, so far
    limit: float

    def holds(self, row):
        measured = row.ratio if self.of == "ratio" else row.value
        if measured is None:
            return None
        return {"<=": measured <= self.limit, "<": measured < self.limit, ">=": measured >= self.limit,
                "within": abs(measured - 1) <= self.limit}[self.comparison]

    def __str__(self):
        if self.comparison == "within":
            return f"1 ± {self.limit:g}×"
        sign = "×" if self.of == "ratio" else ""
        return f"{self.comparison} {self.limit:g}{sign}"


# suite/metric → bar. What has none is shown, whichever side wins.
BARS = {
    **{("against", metric): Bar("ratio", "<=", 1.03) for metric in ("attach", "startup", "open", "open-p99", "hit", "miss")},
    **{("accept", metric): Bar("value", "<=", 0) for metric in ("cases", "onnx-backend", "differential")},
    ("accept", "ingest"): Bar("ratio", "<=", 1.5),
    ("admin", "opens"): Bar("ratio", ">=", 0.95),
    ("attach", "p50"): Bar("ratio", "<=", 2.5),
    ("attach", "rested"): Bar("ratio", "<=", 2.3),
    ("attach", "flatness"): Bar("ratio", "<=", 1.15),
    ("device", "attach"): Bar("ratio", "<=", 1.5),
    ("device", "flatness"): Bar("ratio", "<=", 1.15),
    ("device", "load"): Bar("ratio", ">=", 0.95),
    ("device", "peer"): Bar("ratio", ">=", 0.95),
    ("device", "worst"): Bar("ratio", ">=", 0.85),
    ("disk", "bandwidth"): Bar("ratio", ">=", 0.9),
    ("disk", "cpu"): Bar("ratio", "<=", 1.2),
    **{("granularity", metric): Bar("ratio", "<=", 1.05) for metric in ("memory", "disk")},
    **{("granularity", metric): Bar("ratio", "<=", 1.1) for metric in ("memory-by-layer", "disk-by-layer")},
    ("granularity", "attach"): Bar("ratio", "<=", 2),
    ("granularity", "first-touch"): Bar("ratio", "<=", 1.1),
    ("granularity", "ingest"): Bar("ratio", "<=", 1.2),
    ("s3", "loopback"): Bar("ratio", ">=", 2),
    ("s3", "bandwidth"): Bar("ratio", ">=", 0.95),
    ("s3", "wan"): Bar("ratio", ">=", 0.9),
    ("pipeline", "first-inference"): Bar("ratio", "<=", 0.67),
    ("disk", "small"): Bar("ratio", ">=", 0.8),
    ("hash", "cost"): Bar("ratio", "<=", 1.05),
    ("hit", "ideal"): Bar("ratio", "<=", 1.02),
    **{("live", metric): Bar("ratio", "within", 0.15) for metric in ("reload", "loads")},
    ("miss", "framework-cold"): Bar("ratio", "<=", 1.0),
    ("memory", "pss"): Bar("ratio", "<=", 1.05),
    ("memory", "cgroup"): Bar("value", "<=", 8),
    ("memory", "loading"): Bar("value", "<=", 64),
    ("opens", "rate"): Bar("ratio", ">=", 0.5),
    ("opens", "p99"): Bar("value", "<", 1000),
    ("policy", "reload"): Bar("ratio", "<=", 1.05),
    ("policy", "reload-geomean"): Bar("ratio", "<=", 0.85),
    ("policy", "decision"): Bar("value", "<=", 50),
    ("torch", "memory"): Bar("ratio", "<=", 0.3),
    ("torch", "first-inference"): Bar("ratio", "<=", 1),
    ("trace", "opens"): Bar("ratio", ">=", 0.5),
    ("restart", "open"): Bar("ratio", "<=", 1.2),
    ("restart", "read"): Bar("value", "<=", 0),
    ("restart", "disk"): Bar("ratio", "<=", 0.001),
    ("startup", "extra"): Bar("value", "<=", 1),
    ("steady", "answers"): Bar("value", "<=", 1e-4),
    ("steady", "inference"): Bar("ratio", "<=", 1.05),
    ("steady", "inference-geomean"): Bar("ratio", "<=", 1.01),
    ("steady", "batch-geomean"): Bar("ratio", "<=", 1.03),
    ("steady", "total-100"): Bar("ratio", "<", 1),
    ("steady", "private"): Bar("ratio", "<=", 1),
    ("steady", "load"): Bar("ratio", "<=", 1.5),
    ("switch", "failures"): Bar("value", "<=", 0),
}


def verdict(row):
    """(bar, "ok" | "MISS" | "skipped" | "")."""
    bar = BARS.get((row.suite, row.metric)) if row.held else None
    if row.value is None:
        return (str(bar) if bar else "", "skipped")
    if bar is None:
        return ("", "")
    return (str(bar), "ok" if bar.holds(row) else "MISS")


def number(value):
    if value is None:
        return "–"
    if value == 0 or 0.001 <= abs(value) < 100:
        return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2e}"


HEADINGS = ("suite/metric", "case", "value", "reference", "unit", "ratio", "bar", "")


def cells(row):
    bar, outcome = verdict(row)
    ratio = "–" if row.ratio is None else f"{row.ratio:.3f}"
    note = f"{outcome}: {row.note}" if outcome and row.note else outcome or row.note
    return (f"{row.suite}/{row.metric}", row.case, number(row.value), number(row.reference), row.unit, ratio, bar, note)


def table(rows):
    lines = [HEADINGS] + [cells(row) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    right = {2, 3, 5}
    pad = lambda text, i: text.rjust(widths[i]) if i in right else text.ljust(widths[i])
    shown = ["  ".join(pad(text, i) for i, text in enumerate(line)).rstrip() for line in lines]
    return "\n".join([shown[0], "─" * max(len(line) for line in shown)] + shown[1:])


def document(machine, rows):
    return json.dumps({"machine": machine, "rows": [row.as_json() for row in rows]}, indent=1, ensure_ascii=False) + "\n"
