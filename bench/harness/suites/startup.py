"""startup: what loading libtrims, connecting, opening and closing add to a minimal program."""
from harness.daemon import daemon
from harness.models import write_safetensors
from harness.processes import say
from harness.report import Row
from harness.session import scratch, spawn
from harness.stats import median


def run(bench):
    with scratch() as folder, daemon(bench.build) as server:
        server.add("model", write_safetensors(folder / "model.safetensors", 1_000_000), ["files"])
        say("startup: a minimal program, with and without")
        commands = [{"label": name, "argv": [str(bench.build.program(f"bench_startup_{name}")), str(server.socket), "model"]}
                    for name in ("with", "without")]
        measured = spawn(bench, bench.choose(400, 20), commands, warm_up=5)["commands"]
    took = {name: median(measured[name]["ns"]) / 1e6 for name in measured}
    count = len(measured["with"]["ns"])
    return [Row("startup", "minimal C++ program", "extra", "ms", took["with"] - took["without"], None, count,
                f"{took['with']:.2f} ms beside {took['without']:.2f} ms")]
