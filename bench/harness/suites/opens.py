"""opens: how many opens a second the daemon answers, and how long they take at a fixed rate."""
from harness.daemon import bare_server, daemon
from harness.models import write_safetensors
from harness.processes import json_of, say
from harness.report import Row
from harness.session import scratch
from harness.stats import median, percentile

CLIENTS = 64
RATE = 10_000
MODEL_BYTES = 16_000_000


class Sides:
    """The two servers, asked in turn by the same program."""

    def __init__(self, bench, server, bare_socket, frames, model="model", model_bytes=MODEL_BYTES):
        self.bench, self.frames, self.model, self.model_bytes = bench, frames, model, model_bytes
        self.sockets = {"trims": server.socket, "bare": bare_socket}

    def ask(self, side, seconds, rate):
        return json_of([self.bench.build.program("bench_opens"), side, self.sockets[side], self.model, CLIENTS, seconds,
                        rate, self.frames["request_bytes"], self.frames["reply_bytes"], self.model_bytes])


def frame_sizes(bench, server, bare_socket, model="model"):
    """Those of an open of this model, so that the bare server's are the same."""
    one = json_of([bench.build.program("bench_attach"), server.socket, bare_socket, -1, 5, 0,
                   f"model,{model},files"])["cases"][0]
    return {"request_bytes": one["request_bytes"], "reply_bytes": one["reply_bytes"]}


def rate(sides, bench):
    per_second = {"trims": [], "bare": []}
    for i in range(bench.choose(7, 2)):
        for side in per_second if i % 2 == 0 else reversed(per_second):
            answer = sides.ask(side, bench.choose(2, 0.3), 0)
            per_second[side].append(answer["opens"] / answer["seconds"])
    return Row("opens", f"{CLIENTS} clients", "rate", "1/s", median(per_second["trims"]), median(per_second["bare"]),
               len(per_second["trims"]))


def latency(sides, bench):
    """The p99 of each repetition, and of those the median."""
    tails = {"trims": [], "bare": []}
    for i in range(bench.choose(5, 2)):
        for side in tails if i % 2 == 0 else reversed(tails):
            answer = sides.ask(side, bench.choose(5, 0.5), RATE)
            tails[side].append(percentile(answer["latency_ns"], 0.99) / 1e3)
    return Row("opens", f"{RATE} a second, open loop", "p99", "µs", median(tails["trims"]), median(tails["bare"]),
               len(tails["trims"]))


def run(bench):
    with scratch() as folder, daemon(bench.build) as server, \
            bare_server(bench.build, extent_bytes=MODEL_BYTES) as (bare_socket, _):
        server.add("model", write_safetensors(folder / "model.safetensors", MODEL_BYTES), ["files"])
        sides = Sides(bench, server, bare_socket, frame_sizes(bench, server, bare_socket))
        say(f"opens: {CLIENTS} clients as fast as they can")
        rows = [rate(sides, bench)]
        say(f"opens: {RATE} a second")
        return rows + [latency(sides, bench)]
