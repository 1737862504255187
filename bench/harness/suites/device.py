"""device: a simulated device's memory as a tier: attaching what is there, filling it from the host, and from the disk through the host."""
import json

from harness.daemon import daemon
from harness.models import write_random_safetensors, write_safetensors
from harness.processes import BenchError, json_of, say
from harness.report import Row
from harness.session import scratch
from harness.stats import median
from harness.suites.disk import SPARE

MB, GB = 1_000_000, 1_000_000_000
SIZES = (("100MB", 100 * MB), ("1GB", GB), ("8GB", 8 * GB))
TENSORS = (1, 100, 10_000)
SETTLING = 5  # first opens that don't count
DEVICE, HOST = "sim:0", "host"
LINK = GB  # bytes a second of the modelled wire: less than a processor allocates and copies


def timed(bench, server, models, tiers, repetitions, variant="tensors", hold=(), drop=(), warm=0):
    """{model: {tier: nanoseconds of each open}}"""
    with scratch() as folder:
        plan = folder / "plan.json"
        plan.write_text(json.dumps({"socket": str(server.socket), "models": list(models), "variant": variant, "tiers": list(tiers),
                                    "hold": list(hold), "repetitions": repetitions, "drop": list(drop), "warm": warm}))
        return json_of([bench.build.program("bench_tiers"), plan])["ns"]


def attached(bench, server, folder, variant, cases):
    """Rows of all of `cases`, {label: (bytes, tensors)}, resident side by side and opened in turn: what the machine does meanwhile, it does
    to each."""
    names = {label: f"model-{i}" for i, label in enumerate(cases)}
    for label, (size, tensors) in cases.items():
        server.add(names[label], write_safetensors(folder / f"{names[label]}.safetensors", size, tensors), [variant])
    took = timed(bench, server, names.values(), (HOST, DEVICE), bench.choose(1000, 50), variant, hold=(HOST, DEVICE))
    for name in names.values():
        server.trims("rm", name)
    server.wait_until_empty()
    medians = {label: {tier: median(ns[SETTLING:]) / 1e3 for tier, ns in took[name].items()} for label, name in names.items()}
    for label, each in medians.items():
        yield Row("device", f"{variant} {label}", "attach", "µs", each[DEVICE], each[HOST], bench.choose(1000, 50) - SETTLING,
                  "simulated device beside the host tier")
    first, last = [*medians][0], [*medians][-1]
    if first != last:
        yield Row("device", f"{variant} {last} beside {first}", "flatness", "µs", medians[last][DEVICE], medians[first][DEVICE], 1,
                  f"in the host tier {medians[last][HOST] / medians[first][HOST]:.3f}")


def attach(bench):
    sizes = {label: (size, 1) for label, size in SIZES if not bench.quick or size <= 100 * MB}
    counts = {str(count): (100 * MB, count) for count in TENSORS}
    with scratch() as folder, daemon(bench.build, "--host-budget", "45%", "--device", f"{DEVICE},capacity=10GB", "--device-budget", "100%",
                                     "--eviction", "lru") as server:
        yield from attached(bench, server, folder, "files", sizes)
        yield from attached(bench, server, folder, "tensors", counts)


def fills(bench):
    size = int(bench.choose(2 * GB, GB // 2))
    with scratch() as folder, daemon(bench.build, "--reclaim", "eager", "--host-budget", "45%", "--device",
                                     f"{DEVICE},capacity=3GB,link={LINK},latency=10us", "--device-budget", "100%") as server:
        source = write_random_safetensors(folder / "model.safetensors", size)
        server.add("model", source, ["tensors"])
        source.unlink()
        say("device: host to device")
        rounds = bench.choose(7, 2)
        took = timed(bench, server, ["model"], (DEVICE,), rounds, hold=(HOST,), warm=size + SPARE)["model"]
        yield Row("device", f"{size / GB:g} GB", "load", "GB/s", size / median(took[DEVICE]), LINK / GB, rounds,
                  "beside the modelled link; simulated")
        server.wait_until_empty()
        say("device: disk to host to device")
        took = timed(bench, server, ["model"], (HOST, DEVICE), rounds, drop=server.prepared_files(), warm=3 * size + SPARE)["model"]
        stages = {"disk to host": median(took[HOST]), "link": size / LINK * 1e9}
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
        took = timed(bench, server, ["model"], (other,), rounds, hold=(DEVICE,), warm=size + SPARE)["model"]
        loads = server.trims("status")["counters"]["loads"]
        if loads != 2 + rounds:
            raise BenchError(f"{loads} loads instead of {2 + rounds}: not all came from the peer")
        yield Row("device", f"{size / GB:g} GB", "peer", "GB/s", size / median(took[other]), LINK / GB, rounds, "beside the modelled link; simulated")


def run(bench):
    say("device: attach")
    return [*attach(bench), *fills(bench), *peers(bench)]
