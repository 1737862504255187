"""attach: how long an open of a resident model takes, whatever its size and its number of tensors."""
from harness.daemon import all_cpus, bare_server, daemon, pin
from harness.models import write_safetensors
from harness.processes import json_of, say
from harness.report import Row
from harness.session import scratch
from harness.stats import median

MB = 1_000_000
SIZES = (("1MB", MB), ("16MB", 16 * MB), ("128MB", 128 * MB), ("1GB", 1000 * MB), ("8GB", 8000 * MB))
TENSORS = (1, 100, 10_000)
TENSOR_MODEL_BYTES = 128 * MB
SAME_CORE, OTHER_CORE, RESTED = "same core", "other core", "same core, rested"
HELD = (SAME_CORE, OTHER_CORE)
REST_US = 1000


def cases(bench):
    """(label, model, file bytes, tensors, variant): sizes as `files`, numbers of tensors as `tensors`."""
    sizes = [one for one in SIZES if not bench.quick or one[1] <= 128 * MB]
    by_size = [(f"files {label}", f"size-{label.lower()}", size, 1, "files") for label, size in sizes]
    by_tensors = [(f"tensors {count}", f"tensors-{count}", TENSOR_MODEL_BYTES, count, "tensors") for count in TENSORS]
    return by_size + by_tensors


def add_models(server, folder, wanted):
    for label, name, size, tensors, variant in wanted:
        source = write_safetensors(folder / f"{name}.safetensors", size, tensors)
        server.add(name, source, [variant])


def measure(bench, sockets, repetitions, rest_us, wanted):
    argv = [bench.build.program("bench_attach"), *sockets, bench.cpu(), repetitions, rest_us]
    return json_of(argv + [f"{label},{name},{variant}" for label, name, _, _, variant in wanted])["cases"]


def rows_of(placement, measured):
    for one in measured:
        yield Row("attach", f"{one['label']}, {placement}", "p50", "µs", median(one["trims_ns"]) / 1e3,
                  median(one["bare_ns"]) / 1e3, len(one["trims_ns"]), held=placement in HELD)


def rested(measured):
    """After a rest, beside the same system calls without TrIMS: what is left is code and data to fetch again."""
    for one in measured:
        yield Row("attach", one["label"], "rested", "µs", median(one["trims_ns"]) / 1e3, median(one["mapped_ns"]) / 1e3,
                  len(one["trims_ns"]))


def flatness(kind, measured):
    """The case with the most of its kind beside the one with the least."""
    of_kind = [one for one in measured if one["label"].startswith(kind + " ")]
    first, last = of_kind[0], of_kind[-1]
    return Row("attach", f"{last['label']} beside {first['label']}", "flatness", "µs", median(last["trims_ns"]) / 1e3,
               median(first["trims_ns"]) / 1e3, len(last["trims_ns"]))


def placements(bench):
    """(name, processors of the servers, rest between two opens)."""
    here = {bench.cpu()}
    yield SAME_CORE, here, 0
    elsewhere = all_cpus() - here
    if elsewhere:
        yield OTHER_CORE, {min(elsewhere)}, 0
    yield RESTED, here, REST_US


def run(bench):
    wanted = cases(bench)
    rows = []
    with scratch() as folder, daemon(bench.build, "--host-budget", "80%") as server, \
            bare_server(bench.build) as (bare_socket, bare):
        add_models(server, folder, wanted)
        for placement, cpus, rest_us in placements(bench):
            say(f"attach: client and servers on the {placement}")
            for process in (server.process, bare):
                pin(process.pid, cpus)
            repetitions = bench.choose(200 if rest_us else 1000, 50)
            measured = measure(bench, (server.socket, bare_socket), repetitions, rest_us, wanted)
            rows += rows_of(placement, measured)
            if rest_us:
                rows += rested(measured)
            if placement == SAME_CORE:
                rows += [flatness("files", measured), flatness("tensors", measured)]
    return rows
