"""Whether an answer is right: beside plain ONNX Runtime's own, to the same inputs."""
import numpy as np
import onnxruntime
from harness.answers import LIMIT, relative_error
from networks import onnx_file


class WrongAnswer(RuntimeError):
    pass


def inputs(shape):
    """The numbers that bench_function fills its inputs with (bench/function/inference.cc), all at once."""
    count = int(np.prod(shape))
    powers = np.cumprod(np.full(count, 1664525, "u4"), dtype="u4")
    sums = np.cumsum(np.concatenate([np.ones(1, "u4"), powers[:-1]]), dtype="u4")
    states = powers * np.uint32(2019) + sums * np.uint32(1013904223)
    return ((states >> 8).astype("f4") / np.float32(16777216)).reshape(shape)


def expected(path, shape):
    """What ONNX Runtime's default session answers, in this process."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {onnx_file.INPUT: inputs((1, *shape))})[0].ravel()


def of_onnxruntime(models, network):
    """The network's answer by ONNX Runtime, whatever framework is measured: its file is written and removed."""
    path = models / f"expected-{network.name}.onnx"
    try:
        onnx_file.write(network, path)
        return expected(path, network.input_shape)
    finally:
        for one in onnx_file.files(path):
            one.unlink()


def of(said):
    """The elements that a function printed."""
    return np.frombuffer(bytes.fromhex(said["answer"][0]), "<f4")


def check(who, said, wanted):
    """The error beside the largest element; raises WrongAnswer where it is above the limit."""
    found = of(said)
    if found.shape != wanted.shape or not np.isfinite(found).all():
        raise WrongAnswer(f"{who}: expected {wanted.size} finite numbers, found {found.size}, {np.isfinite(found).sum()} of them finite")
    error = relative_error(found.tolist(), wanted.tolist())
    if error > LIMIT:
        raise WrongAnswer(f"{who}: differs from ONNX Runtime's own answer by {error:.3g} of its largest element (at most {LIMIT:g})")
    return error
