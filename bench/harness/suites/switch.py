"""switch: an alias is moved back and forth while readers open it: none fails, and none gets what it does not mean any more."""
from harness.daemon import daemon
from harness.models import write_safetensors
from harness.processes import json_of, say
from harness.report import Row
from harness.session import scratch
from harness.stats import median

READERS, PAUSE_US, MODEL_BYTES = 16, 20_000, (1_000_000, 1_000_004)  # of another length: of other content


def measure(bench, server, versions):
    seconds = bench.choose(10, 0.5)
    server.trims("alias", f"prod={versions[0]}")
    return json_of([bench.build.program("bench_switch"), server.socket, "prod", *versions, READERS, seconds, PAUSE_US])


def rows_of(answer):
    opens, moves = answer["opens"], answer["moves"]
    note = f"{moves} moves; {answer['settled'] / opens:.0%} of the opens while none was under way"
    case = f"{READERS} readers"
    return [Row("switch", f"{case}, opens that failed", "failures", "1", answer["failed"], None, opens, note),
            Row("switch", f"{case}, wrong versions", "failures", "1", answer["wrong"], None, opens, note),
            Row("switch", case, "move", "µs", median(answer["move_ns"]) / 1e3, None, moves, "durable on this disk when it is answered")]


def run(bench):
    with scratch() as folder, daemon(bench.build) as server:
        for number, size in enumerate(MODEL_BYTES, 1):
            server.add(f"switched:{number}", write_safetensors(folder / f"{number}.safetensors", size), ["files"])
        say(f"switch: {READERS} readers")
        return rows_of(measure(bench, server, [f"default/switched:{number}" for number in (1, 2)]))
