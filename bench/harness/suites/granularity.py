"""granularity: what models that share most of their bytes take together, and what sharing costs an open, a first touch and an add."""
import json
import os
import random
import struct
import time

from harness.daemon import daemon
from harness.processes import json_of, say
from harness.report import Row
from harness.session import scratch
from harness.stats import median

MB = 1_000_000
MODEL_BYTES = 500 * MB
TUNES = 10
LAYERS = 10  # of which a fine-tune changes one
SCATTERED_LAYERS = 50  # of which a fine-tune changes five, here and there: each costs the blocks that its ends lie in
VARIANT = "tensors"


class Models:
    """A base and its fine-tunes, as files of layers of random bytes."""

    def __init__(self, folder, total_bytes, layers, changed):
        self.folder = folder
        self.layer_bytes = total_bytes // layers // 4 * 4
        self.layers = layers
        self.changed = changed
        self.chance = random.Random(7)
        self.base = [os.urandom(self.layer_bytes) for _ in range(layers)]

    @property
    def changed_bytes(self):
        return self.changed * self.layer_bytes

    def write(self, name, layers):
        entries = {f"layers.{i:03}.weight": {"dtype": "U8", "shape": [self.layer_bytes],
                                             "data_offsets": [i * self.layer_bytes, (i + 1) * self.layer_bytes]}
                   for i in range(self.layers)}
        text = json.dumps(entries, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        path = self.folder / f"{name}.safetensors"
        with open(path, "wb") as out:
            out.write(struct.pack("<Q", len(text)) + text)
            out.writelines(layers)
        return path

    def write_base(self):
        return self.write("base", self.base)

    def write_tune(self, number):
        layers = list(self.base)
        for i in self.chance.sample(range(self.layers), self.changed):
            layers[i] = os.urandom(self.layer_bytes)
        return self.write(f"tune-{number}", layers)


def held_open(bench, server, names):
    """Opens all of them, one after the other: with lazy reclaim they stay."""
    argv = [bench.build.program("bench_granularity"), server.socket, 1]
    json_of(argv + [f"{name},{VARIANT}" for name in names])
    return server.trims("status")


def together(bench, folder, label, layers, changed, held, granularity="block"):
    """What a base and its fine-tunes take of memory and disk, beside the bytes that differ."""
    say(f"granularity: {label}")
    size = bench.choose(MODEL_BYTES, MODEL_BYTES // 5)
    tunes = bench.choose(TUNES, 3)
    models = Models(folder, size, layers, changed)
    with daemon(bench.build, "--host-budget", "80%") as server:
        names = ["base"]
        server.add("base", models.write_base(), [VARIANT], "--granularity", granularity)
        for i in range(tunes):
            names.append(f"tune-{i}")
            path = models.write_tune(i)
            server.add(names[-1], path, [VARIANT], "--granularity", granularity)
            path.unlink()
        status = held_open(bench, server, names)
    differ = size + tunes * models.changed_bytes
    saved = f"{status['host']['saved_bytes'] / MB:.0f} MB saved"
    by = "-by-layer" if granularity == "layer" else ""
    yield Row("granularity", label, f"memory{by}", "MB", status["host"]["used_bytes"] / MB, differ / MB, len(names), saved, held)
    yield Row("granularity", label, f"disk{by}", "MB", status["prepared_bytes"] / MB, differ / MB, len(names), held=held)


def timed_add(server, name, path, granularity):
    began = time.monotonic()
    server.add(name, path, [VARIANT], "--granularity", granularity)
    return time.monotonic() - began


def cost(bench, folder):
    """An open, a first touch and an add of a fine-tune that shares, beside the same without."""
    size = bench.choose(MODEL_BYTES, MODEL_BYTES // 5)
    rounds = bench.choose(5, 2)
    models = Models(folder, size, LAYERS, 1)
    adds = {"block": [], "model": []}
    with daemon(bench.build, "--host-budget", "80%") as server:
        server.add("base", models.write_base(), [VARIANT], "--granularity", "block")
        for i in range(rounds):
            path = models.write_tune(i)
            os.sync()  # what an add syncs doesn't wait for what was written before it
            for granularity in ("block", "model") if i % 2 else ("model", "block"):
                adds[granularity].append(timed_add(server, f"{granularity}-{i}", path, granularity))
        argv = [bench.build.program("bench_granularity"), server.socket, bench.choose(20, 3)]
        shared, whole = json_of(argv + [f"block-0,{VARIANT}", f"model-0,{VARIANT}"])["cases"]
    label = f"a fine-tune of {size // MB} MB"
    for metric, key in (("attach", "attach_ns"), ("first-touch", "read_ns")):
        one, other = median(shared[key][1:]) / 1e3, median(whole[key][1:]) / 1e3
        yield Row("granularity", label, metric, "µs", one, other, len(shared[key]) - 1)
    yield Row("granularity", label, "ingest", "s", median(adds["block"]), median(adds["model"]), rounds)


def run(bench):
    rows = []
    with scratch() as folder:
        rows += together(bench, folder, "one layer of 10 changed", LAYERS, 1, held=True)
        rows += together(bench, folder, "5 layers of 50 changed, here and there", SCATTERED_LAYERS, 5, held=False)
        rows += together(bench, folder, "one layer of 10 changed", LAYERS, 1, held=True, granularity="layer")
        rows += together(bench, folder, "5 layers of 50 changed, here and there", SCATTERED_LAYERS, 5, held=True, granularity="layer")
        rows += cost(bench, folder)
    return rows
