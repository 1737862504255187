"""pipeline: from a bucket to the first inference of a model that this node has never seen, beside downloading it and then loading
it with the framework alone."""
import time

from harness import answers, bucket
from harness.daemon import all_cpus
from harness.fetched import check_copy, empty_daemon, pushed_remote, warm
from harness.line import FAST_BITS, line, why_none
from harness.models import ENCODER_INPUTS, encoder_model
from harness.processes import output_of, say
from harness.report import Row
from harness.session import rounds, scratch
from harness.stats import median
from harness.worker import workers

MB = 1_000_000
QUICK_SIZE = (1, 20_000)  # layers and words: 90 MB


def through_trims(bench, server):
    return [str(bench.build.program("bench_function_trims")), "trims", str(server.socket), "model", ENCODER_INPUTS]


def framework(bench, model):
    return [str(bench.build.program("bench_function_plain")), "file", str(model), ENCODER_INPUTS]


def check_answers(bench, server, source, folder):
    """The largest error of what the model answers through TrIMS, beside the framework's on the original file."""
    commands = {"trims": through_trims(bench, server), "framework": framework(bench, source)}
    with workers(commands, {max(all_cpus())}) as sides:
        return answers.check("pipeline", sides, folder)


def ours(bench, url, remote, source, within):
    """Seconds (of the add, to the end of a function's process) in a daemon that has nothing."""
    warm(bench, remote.bytes)
    with scratch() as folder, empty_daemon(bench, url, within) as server:
        began = time.monotonic()
        server.trims("add", "model", remote.source)
        added = time.monotonic()
        output_of(through_trims(bench, server))
        ended = time.monotonic()
        check_copy(server.wait_for_copy(remote.bytes), remote)
        check_answers(bench, server, source, folder)
    return added - began, ended - began


def theirs(bench, url, size, within):
    """Seconds (of the download, to the end of a function's process)."""
    warm(bench, size)
    with scratch() as folder:
        model = folder / "model.onnx"
        began = time.monotonic()
        bucket.download(f"{url}/{bucket.BUCKET}/original/model.onnx", size, model, within)
        downloaded = time.monotonic()
        output_of(framework(bench, model))
        return downloaded - began, time.monotonic() - began


def measure(bench, place, url, remote, source, within=()):
    size = source.stat().st_size
    samples = rounds(bench, 5, f"pipeline, {place}", {"trims": lambda: ours(bench, url, remote, source, within),
                                                      "framework": lambda: theirs(bench, url, size, within)})
    (added, whole), (downloaded, reference) = ([median([one[i] for one in samples[side]]) for i in (0, 1)] for side in samples)
    return Row("pipeline", f"RoBERTa-base {size / MB:.0f} MB, {place}", "first-inference", "s", whole, reference, len(samples["trims"]),
               f"of {whole:.2f} s add {added:.2f}; of {reference:.2f} s the download {downloaded:.2f}")


def run(bench):
    program = bucket.program(bench)
    if not program:
        return [Row("pipeline", "RoBERTa-base", "first-inference", "s", None, note="no MinIO: scripts/fetch-minio builds it")]
    with scratch() as folder:
        say("pipeline: the model")
        source = encoder_model(bench.root, folder / "model.onnx", bench.choose((), QUICK_SIZE))
        with bucket.minio(program, folder) as url:
            bucket.make_bucket(url)
            bucket.upload(source, f"{url}/{bucket.BUCKET}/original")
            remote = pushed_remote(bench, source, "ort", "encoder", folder, url)
            rows = [measure(bench, "loopback", url, remote, source)]
        if reason := why_none(FAST_BITS):
            return [*rows, Row("pipeline", "RoBERTa-base, 4 Gbit/s", "first-inference", "s", None, note=reason)]
        with line(FAST_BITS) as limited, bucket.minio(program, folder, f"{limited.address}:9000", limited.server, limited.client) as url:
            return [*rows, measure(bench, "4 Gbit/s", url, remote, source, limited.client)]
