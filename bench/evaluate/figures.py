"""What the figures show, from the medians of each network (latency.summary)."""
from harness.stats import geometric_mean

# Figure 9's parts of a function, in the order in which they happen.
PARTS = ("process", "framework", "read", "initialise", "sharing", "compute")
PART_NAMES = {
    "process": "process and sandbox", "framework": "framework initialisation", "read": "model read", "initialise": "model initialisation",
    "sharing": "sharing overhead", "compute": "compute"}

FIGURE8 = ("network", "mb", "cold_ms", "warm_ms", "worst_ms", "hit_ms", "ideal_ms", "speedup", "speedup_warm", "speedup_worst",
           "speedup_ideal", "over_ideal", "cold_cpu_ms", "hit_cpu_ms", "cold_peak_mb", "hit_peak_mb", "cold_own_mb", "hit_own_mb", "load_average", "n")
FIGURE9 = ("network", "mb", *(f"without_{part}_ms" for part in PARTS), *(f"with_{part}_ms" for part in PARTS), "load_share",
           "load_share_warm", "compute_share", "load_share_with")
TABLE4 = ("network", "pixels", "mb", "resident_mb", *FIGURE8[2:])


def _ratio(above, below):
    return round(above / below, 4) if above is not None and below else None


def figure8(name, result):
    totals = {way: result["ways"].get(way, {}).get("total") for way in ("cold", "warm", "worst", "hit", "ideal")}
    row = {"network": name, "mb": result["megabytes"]} | {f"{way}_ms": total for way, total in totals.items()}
    return row | {
        "speedup": _ratio(totals["cold"], totals["hit"]), "speedup_warm": _ratio(totals["warm"], totals["hit"]),
        "speedup_worst": _ratio(totals["cold"], totals["worst"]), "speedup_ideal": _ratio(totals["cold"], totals["ideal"]),
        "over_ideal": _ratio(totals["hit"], totals["ideal"]), "load_average": result["load_average"], "n": result["ways"]["hit"]["n"]} | {
            f"{way}_{name}": result["ways"][way].get(column) for way in ("cold", "hit")
            for name, column in (("cpu_ms", "cpu"), ("peak_mb", "peak_mb"), ("own_mb", "own_mb"))}


def parts(ways):
    """({part: ms} without TrIMS, the same with it on a hit). Reading is what a cold page cache adds to loading; sharing what asking
    the manager adds to a session over bytes that are there for nothing. Both are differences of medians: noise can make them 0."""
    cold, warm, hit = ways["cold"], ways["warm"], ways["hit"]
    read = max(0.0, cold["load"] - warm["load"])
    without = {"process": cold["process"], "framework": cold["runtime"], "read": read, "initialise": cold["load"] - read, "sharing": 0.0,
               "compute": cold["inference"]}
    sharing = max(0.0, hit["load"] - ways.get("ideal", hit)["load"])
    shared = {"process": hit["process"], "framework": hit["runtime"], "read": 0.0, "initialise": hit["load"] - sharing, "sharing": sharing,
              "compute": hit["inference"]}
    return without, shared


def figure9(name, result):
    ways = result["ways"]
    without, shared = parts(ways)
    row = {"network": name, "mb": result["megabytes"]}
    row |= {f"without_{part}_ms": round(without[part], 3) for part in PARTS} | {f"with_{part}_ms": round(shared[part], 3) for part in PARTS}
    share = lambda way, phase: round(ways[way][phase] / ways[way]["total"], 4)
    return row | {"load_share": share("cold", "load"), "load_share_warm": share("warm", "load"), "compute_share": share("cold", "inference"),
                  "load_share_with": share("hit", "load")}


def table4(name, result):
    return figure8(name, result) | {"pixels": result["pixels"], "resident_mb": result["resident_mb"]}


def mean(rows, column):
    """The geometric mean over those rows that have a number there; None: none has."""
    values = [row[column] for row in rows if row.get(column)]
    return geometric_mean(values) if values else None
