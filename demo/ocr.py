"""demo-ocr once more, in Python: same command line, same answer, same line of JSON (demo/function.h)."""

import time

now = time.clock_gettime_ns
main_ns = now(time.CLOCK_MONOTONIC)

import argparse  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402

import numpy as np  # noqa: E402


def read_pgm(path):
    with open(path, "rb") as file:
        kind, size, levels = (file.readline().split() for _ in range(3))
        if kind != [b"P5"] or levels != [b"255"]:
            sys.exit(f"ocr.py: expected a binary PGM of 255 levels in {path}")
        width, height = map(int, size)
        return np.frombuffer(file.read(width * height), np.uint8).reshape(height, width)


def decode(scores, labels):
    """Best class per step, repeats and blanks (class 0) dropped."""
    classes = scores.reshape(-1, scores.shape[-1]).argmax(axis=1)
    keep = (classes != 0) & (classes != np.concatenate([[0], classes[:-1]]))
    return "".join(labels[i] for i in classes[keep])


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trims")
    parser.add_argument("--file")
    parser.add_argument("--input", required=True)
    parser.add_argument("--labels", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--spawned", type=int, default=main_ns)
    parser.add_argument("--hold", action="store_true")
    return parser.parse_args()


def main():
    options, marks = arguments(), [now(time.CLOCK_MONOTONIC)]
    # The one difference between a function that shares its model and one that doesn't.
    if options.trims:
        from trims import onnxruntime as ort
    else:
        import onnxruntime as ort
    ort.set_default_logger_severity(3)
    marks.append(now(time.CLOCK_MONOTONIC))
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = ort.InferenceSession(options.trims or options.file, settings)
    marks.append(now(time.CLOCK_MONOTONIC))
    with open(options.labels, encoding="utf-8") as file:
        labels = file.read().split("\n")
    image = read_pgm(options.input).astype(np.float32)[None, None] / np.float32(255)
    text = decode(session.run(None, {"input1": image})[0], labels)
    marks.append(now(time.CLOCK_MONOTONIC))
    edges = [options.spawned, *marks]
    spans = [round((b - a) / 1e6, 3) for a, b in zip(edges, edges[1:])]
    phases = dict(zip(("process", "runtime", "load", "inference"), spans))
    answer = {"result": text, "mode": "trims" if options.trims else "file", "phases_ms": phases}
    if options.trims:
        answer |= {"pages": session.trims_model.pages, "hit": session.trims_model.hit}
    print(json.dumps(answer | {"total_ms": round((marks[-1] - options.spawned) / 1e6, 3)}), flush=True)
    if options.hold:
        sys.stdin.read()


main()
