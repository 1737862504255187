"""miss: the first open of a model that is neither resident nor in the page cache, beside the framework alone."""
from harness.daemon import daemon
from harness.models import REAL, SYNTHETIC_INPUTS, synthetic_path
from harness.processes import say
from harness.report import Row
from harness.session import spawn
from harness.stats import median

MEGABYTES = (128, 512)


def wanted(bench):
    """(name, source, inputs)."""
    ocr = REAL[0]
    yield ocr.name, bench.models / ocr.path, ocr.inputs
    for megabytes in bench.choose(MEGABYTES, MEGABYTES[:1]):
        yield f"synthetic-{megabytes}", synthetic_path(bench.root, megabytes), SYNTHETIC_INPUTS


def measure(bench, server, name, source, inputs):
    cold = [str(source), *server.prepared_files()]
    through = [str(bench.build.program("bench_function_trims")), "trims", str(server.socket), name, inputs]
    alone = [str(bench.build.program("bench_function_plain")), "file", str(source), inputs]
    commands = [{"label": "trims", "argv": through, "drop": cold}, {"label": "framework", "argv": alone, "drop": cold}]
    before = server.trims("status")["counters"]["loads"]
    results = spawn(bench, bench.choose(9, 2), commands, cpu=-1)["commands"]
    loads = server.trims("status")["counters"]["loads"] - before
    return results, loads


def run(bench):
    rows = []
    # With eager reclaim the segment goes with its last lease, so that every open is a miss.
    with daemon(bench.build, "--reclaim", "eager") as server:
        for name, source, inputs in wanted(bench):
            server.add(name, source, ["ort"])
            say(f"miss: {name}")
            results, loads = measure(bench, server, name, source, inputs)
            count = len(results["trims"]["ns"])
            note = "" if loads > count else f"only {loads} loads for {count} opens"
            rows.append(Row("miss", name, "framework-cold", "ms", median(results["trims"]["ns"]) / 1e6,
                            median(results["framework"]["ns"]) / 1e6, count, note))
            server.trims("rm", name)
    return rows
