"""One function process on MXNet, from start to exit: what bench_function is for ONNX Runtime.

    mxnet_function.py file PREFIX INPUT            MXNet alone: the checkpoint, epoch 0, from its two files
    mxnet_function.py trims REFERENCE INPUT        through trims.mxnet; TRIMS_SOCKET says where
    mxnet_function.py ideal LAYOUT FD… INPUT       the same arrays over inherited bytes: no manager, no socket, no reading

INPUT is NAME=1x3x224x224; LAYOUT the descriptor of a document {"symbol", "arrays": [[name, shape, offset], …]}, with offsets in a range in which each
FD's bytes begin at the next multiple of 2 MiB. With "--spawned NS"
behind it, CLOCK_MONOTONIC when the parent started it, it prints one line of JSON with its phases, its memory and its answer, as
bench/function/phases.h has them, and "own_bytes": pages that no file and no
model is behind. Then it waits until its input ends.
"""
import time

MAIN_NS = time.clock_gettime_ns(time.CLOCK_MONOTONIC)  # before anything is imported that takes time

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402


KEPT = []  # to the process's end: NumPy's arrays, lent by DLPack, can't be given back from MXNet's threads


class Phases:
    """Consecutive ones; each begins where the one before it ends."""

    def __init__(self, spawned_ns):
        self._first = self._last = spawned_ns
        self.took = {}
        self.end("process", MAIN_NS)

    def end(self, name, now=None):
        now = now or time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        self.took[name] = (now - self._last) / 1e6
        if "trims" in sys.modules:  # a span, where TRIMS_TRACE names a folder
            sys.modules["trims"].trace.record(name, self._last, now)
        self._last = now

    def total(self):
        return (self._last - self._first) / 1e6


def from_file(mx, prefix):
    return mx.model.load_checkpoint(prefix, 0)


def map_extents(extents):
    """(address, bytes) of one range over all of `extents`' bytes, as libtrims maps them."""
    import ctypes
    import mmap

    huge, fixed = 2 << 20, 0x10  # MAP_FIXED
    sizes = [os.fstat(fd).st_size for fd in extents]
    places = [sum(-(-one // huge) * huge for one in sizes[:i]) for i in range(len(sizes))]
    length = places[-1] + sizes[-1]
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    reserved = libc.mmap(None, length + huge, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    begin = -(-reserved // huge) * huge
    for fd, place, size in zip(extents, places, sizes):
        if libc.mmap(begin + place, size, mmap.PROT_READ, mmap.MAP_SHARED | fixed, fd, 0) != begin + place:
            raise OSError("the inherited bytes can't be mapped")
    return begin, length


def from_descriptors(mx, layout, *extents):
    """As trims.mxnet has them, of extents' descriptors and a description of what lies where."""
    import ctypes

    import numpy
    from trims import _core

    with os.fdopen(os.dup(int(layout))) as file:
        file.seek(0)
        described = json.load(file)
    begin, length = map_extents([int(fd) for fd in extents])
    _core.add_mxnet_weights(begin, length)
    whole = numpy.frombuffer((ctypes.c_char * length).from_address(begin), "f4", length // 4)
    found = {"arg": {}, "aux": {}}
    for name, shape, offset in described["arrays"]:
        kind, _, short = name.partition(":")
        size = int(numpy.prod(shape))
        found[kind][short] = mx.nd.from_dlpack(whole[offset // 4:offset // 4 + size].reshape(shape).__dlpack__())
    return mx.sym.load_json(described["symbol"]), found["arg"], found["aux"]


def load(mx, mode, words):
    source = {"file": from_file, "trims": from_file, "ideal": from_descriptors}[mode]
    return source(mx, *words)


def numbers(count):
    """As bench_function fills its inputs (bench/function/inference.cc)."""
    import numpy

    powers = numpy.cumprod(numpy.full(count, 1664525, "u4"), dtype="u4")
    sums = numpy.cumsum(numpy.concatenate([numpy.ones(1, "u4"), powers[:-1]]), dtype="u4")
    states = powers * numpy.uint32(2019) + sums * numpy.uint32(1013904223)
    return (states >> 8).astype("f4") / numpy.float32(16777216)


def memory():
    """(most that was resident, what is resident now and no file's: neither the program's nor the model's)."""
    import resource

    with open("/proc/self/smaps_rollup") as file:
        own = sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Anonymous:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, own


def answer(spawned_ns, mode, words, given):
    phases = Phases(spawned_ns)
    if mode == "file":
        import mxnet as mx
    else:
        from trims import mxnet as mx
    phases.end("runtime")
    name, _, dimensions = given.partition("=")
    shape = tuple(int(one) for one in dimensions.split("x"))
    symbol, arguments, states = load(mx, mode, words)
    data = mx.nd.zeros(shape)
    executor = symbol.bind(mx.cpu(), arguments | {name: data}, grad_req="null", aux_states=states)
    KEPT.append((executor, arguments, states))
    mx.nd.waitall()
    phases.end("load")
    data[:] = numbers(data.size).reshape(shape)
    found = executor.forward(is_train=False)[0].asnumpy()
    phases.end("inference")
    peak, own = memory()
    return {"phases_ms": phases.took, "total_ms": phases.total(), "cpu_ms": time.process_time() * 1000, "peak_bytes": peak,
            "own_bytes": own, "answer": [found.astype("<f4").tobytes().hex()]}


def main(arguments):
    *arguments, flag, spawned = arguments
    if flag != "--spawned" or len(arguments) < 3:
        sys.exit("expected MODE … INPUT --spawned NS")
    mode, *words, given = arguments
    print(json.dumps(answer(int(spawned), mode, words, given)), flush=True)
    sys.stdin.read()
    os._exit(0)  # what was measured has ended; MXNet's threads take their time


if __name__ == "__main__":
    main(sys.argv[1:])
