"""hash: what looking at every byte adds to a load from disk."""
from harness.models import write_random_safetensors
from harness.processes import json_of, say
from harness.report import Row
from harness.session import scratch
from harness.stats import median

GB = 1_000_000_000


def run(bench):
    size = bench.choose(2 * GB, GB // 4)
    took = {"bench_fill": [], "bench_fill_unhashed": []}
    with scratch() as folder:
        path = write_random_safetensors(folder / "model.safetensors", size)
        say("hash: loads with and without XXH3")
        for i in range(bench.choose(11, 2)):
            for program in took if i % 2 == 0 else reversed(took):
                took[program] += json_of([bench.build.program(program), path, "uring", "cold", 1])["ns"]
    seconds = {program: median(ns) / 1e9 for program, ns in took.items()}
    return [Row("hash", f"{size / GB:g} GB", "cost", "s", seconds["bench_fill"], seconds["bench_fill_unhashed"],
                len(took["bench_fill"]))]
