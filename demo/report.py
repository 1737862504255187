"""What the demo measured, as text."""


def _cold_starts(result, how, phases):
    head = f"{'':10}{'milliseconds, median':38}" + "".join(f"{phase:>11}" for phase in phases)
    yield head + f"{'total':>10}{'':>8}"
    for name, function in result["functions"].items():
        rows = function["cold_start_ms"]
        yield f"{name:10}{function['megabytes']:.1f} MB, says “{rows['hit']['result']}”"
        for key, row in rows.items():
            times = "".join(f"{row[phase]:11.1f}" for phase in phases)
            gain = rows["cold"]["total"] / row["total"]
            yield f"{'':10}{how[key]:38}{times}{row['total']:10.1f}{gain:7.1f}×"
    if any("device" in function["cold_start_ms"] for function in result["functions"].values()):
        yield f"{'':10}a simulated device's memory is the host's: the row shows the way to a device's copy, and nothing of a GPU's speed"
    if "inference" in phases:
        yield f"{'':10}the framework packs a private copy of the weights during load; TrIMS shares them as they lie, in a form"
        yield f"{'':10}that computes about as fast unpacked (where it doesn't, and what packing costs: docs/adapters.md)"


def _memory(result):
    both = result["memory"]
    count = both["trims"]["functions"]
    yield f"{'':10}{f'{count} functions on one model':38}{'all, MB':>11}{'each alone':>11}{'answered':>13}"
    for name, title in (("framework", "framework"), ("trims", "TrIMS, its own memory included")):
        row = both[name]
        total = (row["pss_total"] + row["daemon_pss"]) / 1e6
        private = row["private_median"] / 1e6
        yield f"{'':10}{title:38}{total:11.1f}{private:11.1f}{row['seconds_until_all_answered']:11.2f} s"
    saved = both["framework"]["pss_total"] / (both["trims"]["pss_total"] + both["trims"]["daemon_pss"])
    yield f"{'':10}{saved:.1f}× less memory; all is the sum of PSS, each alone what one function shares with nobody"


def text(result, how, phases):
    machine = result["machine"]
    pages = next(iter(result["functions"].values()))["cold_start_ms"]["hit"]["pages"]
    lines = [
        "",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_bytes'] / 1e9:.0f} GB, Linux {machine['kernel']}; "
        f"shared pages: {pages}; one thread a function",
        result["isolation"],
        "",
        *_cold_starts(result, how, phases),
        "",
        *_memory(result),
        "",
        "Every function gave the right answer every time, with TrIMS and without.",
    ]
    return "\n".join(lines)
