"""hit: a whole function process, from spawn to exit, on a model that is resident."""
from harness.daemon import daemon
from harness.models import REAL
from harness.processes import BenchError, say
from harness.report import Row
from harness.session import scratch, spawn
from harness.stats import geometric_mean, median

HELD_FD = 100
METRICS = ("ideal", "framework-cold", "framework-warm", "framework-mapped")


def packs(prepared):
    """Whether sessions of a prepared model pack what they can: the preparer has kept all else from it (docs/adapters.md)."""
    content = prepared.read_bytes()
    return b"DynamicQuantizeLSTM" in content and b"trims.steady." in content


def commands(bench, server, model, prepared, prepared_bytes):
    plain, source = str(bench.build.program("bench_function_plain")), str(bench.models / model.path)
    through = [str(bench.build.program("bench_function_trims")), "trims", str(server.socket), model.name, model.inputs]
    packing = ["packing"] if packs(prepared) else []
    return [
        {"label": "trims", "argv": through},
        {"label": "ideal", "argv": [plain, "ideal", str(HELD_FD), str(prepared_bytes), model.inputs, *packing]},
        {"label": "framework-mapped", "argv": [plain, "mapped", str(prepared), model.inputs, *packing]},
        {"label": "framework-warm", "argv": [plain, "file", source, model.inputs]},
        {"label": "framework-cold", "argv": [plain, "file", source, model.inputs], "drop": [source]},
    ]


def hold(server, model):
    return {"socket": str(server.socket), "reference": model.name, "variant": "ort", "fd": HELD_FD}


def check_outputs(model, results):
    """Every run on the prepared model gave the same bits; a difference makes the timing worthless."""
    answers = {out for label in ("trims", "ideal", "framework-mapped") for out in results[label]["out"]}
    if len(answers) != 1:
        raise BenchError(f"{model.name}: outputs differ between ways of loading one prepared model: {sorted(answers)}")


def measure(bench, server, model, folder):
    prepared = folder / f"{model.name}.ort"
    held = spawn(bench, 0, [], hold=hold(server, model), save=prepared)
    # The two sides of the bar take turns among themselves: a percent or two is smaller than what a neighbour that
    # has just emptied the page cache or the processor's caches would add.
    warm_pair = commands(bench, server, model, prepared, held["hold_bytes"])
    pair = spawn(bench, bench.choose(60, 4), warm_pair[:2], warm_up=2, hold=hold(server, model))["commands"]
    others = spawn(bench, bench.choose(8, 2), [warm_pair[0], *warm_pair[2:]], hold=hold(server, model))["commands"]
    prepared.unlink()
    return pair, others


def rows_of(model, pair, others):
    check_outputs(model, {**others, "trims": pair["trims"], "ideal": pair["ideal"]})
    for metric in METRICS:
        group = pair if metric == "ideal" else others
        yield Row("hit", model.name, metric, "ms", median(group["trims"]["ns"]) / 1e6, median(group[metric]["ns"]) / 1e6,
                  len(group["trims"]["ns"]), held=False)


def geometric_means(rows):
    for metric in METRICS:
        of_metric = [row for row in rows if row.metric == metric]
        yield Row("hit", "geomean", metric, "ms", geometric_mean([row.value for row in of_metric]),
                  geometric_mean([row.reference for row in of_metric]), sum(row.n for row in of_metric))


def run(bench):
    models = bench.choose(REAL, (REAL[0], REAL[-1]))
    rows = []
    with scratch() as folder, daemon(bench.build) as server:
        for model in models:
            server.add(model.name, bench.models / model.path, ["ort"])
            say(f"hit: {model.name}")
            rows += rows_of(model, *measure(bench, server, model, folder))
    rows.sort(key=lambda row: METRICS.index(row.metric))
    return rows + list(geometric_means(rows))
