"""What the figures show, from the medians of each network (latency.summary)."""
from harness.stats import geometric_mean

# Figure 9's parts of a function, in the order in which they happen.
PARTS = ("process", "framework", "read", "copy", "initialise", "sharing", "compute")
PART_NAMES = {
    "process": "process and sandbox", "framework": "framework initialisation", "read": "model read", "copy": "copy to the device",
    "initialise": "model initialisation", "sharing": "sharing overhead", "compute": "compute"}
SIDES = ("without", "with", "worst")  # the framework's cold start, a hit, and on the device's tier nothing resident

FIGURE8 = ("network", "mb", "cold_ms", "warm_ms", "unfused_ms", "worst_ms", "host_ms", "hit_ms", "plain_ms", "ideal_ms", "speedup", "speedup_warm",
           "speedup_unfused", "speedup_worst", "speedup_host", "speedup_ideal", "over_ideal", "over_plain", "cold_cpu_ms", "hit_cpu_ms", "cold_peak_mb", "hit_peak_mb", "cold_own_mb", "hit_own_mb", "cold_charged_mb",
           "warm_charged_mb", "hit_charged_mb", "saved_mb", "load_average", "n")
FIGURE9 = ("network", "mb", *(f"{side}_{part}_ms" for side in SIDES for part in PARTS), "load_share",
           "load_share_warm", "compute_share", "load_share_with")
TABLE4 = ("network", "pixels", "mb", "resident_mb", "compute_share_hit", *FIGURE8[2:])


def _ratio(above, below):
    return round(above / below, 4) if above is not None and below else None


def figure8(name, result):
    totals = {way: result["ways"].get(way, {}).get("total") for way in ("cold", "warm", "unfused", "worst", "host", "hit", "plain", "ideal")}
    row = {"network": name, "mb": result["megabytes"]} | {f"{way}_ms": total for way, total in totals.items()}
    row |= {"speedup": _ratio(totals["cold"], totals["hit"]), "speedup_warm": _ratio(totals["warm"], totals["hit"]),
            "speedup_unfused": _ratio(totals["unfused"], totals["hit"]), "speedup_worst": _ratio(totals["cold"], totals["worst"]), "speedup_host": _ratio(totals["cold"], totals["host"]),
            "speedup_ideal": _ratio(totals["cold"], totals["ideal"]), "over_ideal": _ratio(totals["hit"], totals["ideal"]), "over_plain": _ratio(totals["hit"], totals["plain"]),
            "load_average": result["load_average"], "n": result["ways"]["hit"]["n"]}
    return row | used(result["ways"])


def used(ways):
    """Processor time and memory. What a cold start was charged with has the model's file in it, which the kernel may take back; a warm one has it
    not, so that the difference to a hit is what a function doesn't keep for itself."""
    found = {f"{way}_{name}": ways[way].get(column) for way in ("cold", "hit") for name, column in (("cpu_ms", "cpu"), ("peak_mb", "peak_mb"), ("own_mb", "own_mb"))}
    found |= {f"{way}_charged_mb": ways[way].get("charged_mb") for way in ("cold", "warm", "hit")}
    charged = found["warm_charged_mb"], found["hit_charged_mb"]
    return found | {"saved_mb": None if None in charged else round(charged[0] - charged[1], 1)}


def parts(ways):
    """{side: {part: ms}}. Reading is what a cold page cache adds to loading, and of the worst case what the disk does; sharing what asking
    the manager adds to a session over bytes that are there for nothing; copying what a model that is only on the host adds to a hit. All are
    differences of medians: noise can make them 0. The framework alone computes on the processor, and copies to no device."""
    cold, hit = ways["cold"], ways["hit"]
    read = max(0.0, cold["load"] - ways["warm"]["load"])
    sharing = max(0.0, hit["load"] - ways.get("ideal", hit)["load"])
    sides = {"without": _side(cold, read=read), "with": _side(hit, sharing=sharing)}
    if "host" in ways:
        worst, host = ways["worst"], ways["host"]
        read = min(worst["load"], max(0.0, worst["load"] - host["load"]))
        copy = min(worst["load"] - read, max(0.0, host["load"] - hit["load"]))
        sides["worst"] = _side(worst, read=read, copy=copy, sharing=min(worst["load"] - read - copy, sharing))
    return sides


def _side(way, read=0.0, copy=0.0, sharing=0.0):
    return {"process": way["process"], "framework": way["runtime"], "read": read, "copy": copy, "initialise": way["load"] - read - copy - sharing,
            "sharing": sharing, "compute": way["inference"]}


def figure9(name, result):
    ways = result["ways"]
    row = {"network": name, "mb": result["megabytes"]}
    row |= {f"{side}_{part}_ms": round(ms, 3) for side, found in parts(ways).items() for part, ms in found.items()}
    share = lambda way, phase: round(ways[way][phase] / ways[way]["total"], 4)
    return row | {"load_share": share("cold", "load"), "load_share_warm": share("warm", "load"), "compute_share": share("cold", "inference"),
                  "load_share_with": share("hit", "load")}


def table4(name, result):
    hit = result["ways"]["hit"]
    return figure8(name, result) | {"pixels": result["pixels"], "resident_mb": result["resident_mb"],
                                    "compute_share_hit": round(hit["inference"] / hit["total"], 4)}


def mean(rows, column):
    """The geometric mean over those rows that have a number there; None: none has."""
    values = [row[column] for row in rows if row.get(column)]
    return geometric_mean(values) if values else None
