"""device: a simulated device's memory as a tier: attaching what is there, filling it from the host, and from the disk through the host."""
import json

from harness.daemon import daemon
from harness.models import write_random_safetensors, write_safetensors
from harness.processes import BenchError, json_of, say
from harness.report import Row
from harness.session import scratch
from harness.stats import median

MB, GB = 1_000_000, 1_000_000_000
SIZES = (("100MB", 100 * MB), ("1GB", GB), ("8GB", 8 * GB))
TENSORS = (1, 100, 10_000)
DEVICE = "sim:0"
LINK = GB  # bytes a second of the modelled wire: less than a processor allocates and copies


def timed(bench, server, model, tiers, repetitions, variant="tensors", hold=(), drop=()):
    """{tier: nanoseconds of each open}"""
    with scratch() as folder:
        plan = folder / "plan.json"
        plan.write_text(json.dumps({"socket": str(server.socket), "model": model, "variant": variant, "tiers": list(tiers),
                                    "hold": list(hold), "repetitions": repetitions, "drop": list(drop)}))
        return json_of([bench.build.program("bench_tiers"), plan])["ns"]


def attach(bench):
    sizes = [one for one in SIZES if not bench.quick or one[1] <= 100 * MB]
    cases = [(f"files {label}", size, 1, "files") for label, size in sizes]
    cases += [(f"tensors {count}", 100 * MB, count, "tensors") for count in TENSORS]
    medians = {}
    with scratch() as folder, daemon(bench.build, "--host-budget", "45%", "--device", f"{DEVICE},capacity=9GB", "--device-budget", "100%",
                                     "--eviction", "lru") as server:
        for label, size, tensors, variant in cases:
            source = write_safetensors(folder / "model.safetensors", size, tensors)
            server.add("model", source, [variant])
            took = timed(bench, server, "model", ("host", DEVICE), bench.choose(1000, 50), variant)
            server.trims("rm", "model")
            server.wait_until_empty()
            medians[label] = median(took[DEVICE][5:])
            yield Row("device", label, "attach", "µs", medians[label] / 1e3, median(took["host"][5:]) / 1e3, len(took[DEVICE]) - 5,
                      "simulated device beside the host tier")
    for first, last in ((cases[0][0], f"files {sizes[-1][0]}"), ("tensors 1", f"tensors {TENSORS[-1]}")):
        if first != last:
            yield Row("device", f"{last} beside {first}", "flatness", "µs", medians[last] / 1e3, medians[first] / 1e3, 1)


def fills(bench):
    size = int(bench.choose(2 * GB, GB // 2))
    with scratch() as folder, daemon(bench.build, "--reclaim", "eager", "--host-budget", "45%", "--device",
                                     f"{DEVICE},capacity=3GB,link={LINK},latency=10us", "--device-budget", "100%") as server:
        source = write_random_safetensors(folder / "model.safetensors", size)
        server.add("model", source, ["tensors"])
        source.unlink()
        say("device: host to device")
        rounds = bench.choose(7, 2)
        took = timed(bench, server, "model", (DEVICE,), rounds, hold=("host",))
        yield Row("device", f"{size / GB:g} GB", "load", "GB/s", size / median(took[DEVICE]), LINK / GB, rounds,
                  "beside the modelled link; simulated")
        server.wait_until_empty()
        say("device: disk to host to device")
        took = timed(bench, server, "model", ("host", DEVICE), rounds, drop=server.prepared_files())
        stages = {"disk to host": median(took["host"]), "link": size / LINK * 1e9}
        slowest = max(stages, key=stages.get)
        yield Row("device", f"{size / GB:g} GB", "worst", "GB/s", size / median(took[DEVICE]), size / stages[slowest], rounds,
                  f"beside {slowest} alone; disk to host {size / stages['disk to host']:.2f} GB/s; simulated")


def peers(bench):
    """From one simulated device, which has it, to another; the host's memory has it not."""
    size = int(bench.choose(2 * GB, GB // 2))
    other = "sim:1"
    devices = [word for name in (DEVICE, other) for word in ("--device", f"{name},capacity=3GB,link={LINK},latency=10us")]
    with scratch() as folder, daemon(bench.build, "--reclaim", "eager", "--host-budget", "45%", *devices, "--device-budget", "100%") as server:
        source = write_random_safetensors(folder / "model.safetensors", size)
        server.add("model", source, ["tensors"])
        source.unlink()
        say("device: device to device")
        rounds = bench.choose(7, 2)
        took = timed(bench, server, "model", (other,), rounds, hold=(DEVICE,))
        loads = server.trims("status")["counters"]["loads"]
        if loads != 2 + rounds:
            raise BenchError(f"{loads} loads instead of {2 + rounds}: not all came from the peer")
        yield Row("device", f"{size / GB:g} GB", "peer", "GB/s", size / median(took[other]), LINK / GB, rounds, "beside the modelled link; simulated")


def run(bench):
    say("device: attach")
    return [*attach(bench), *fills(bench), *peers(bench)]
