"""Child processes that can't outlive the driver, not even one that is killed."""
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1


class BenchError(Exception):
    """A measurement that could not be made; the text says why."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def stop_on_signals():
    """SIGTERM and SIGHUP unwind the driver as Ctrl-C does, so that every `finally` runs."""
    def stop(number, _frame):
        raise SystemExit(128 + number)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)


@contextlib.contextmanager
def running(argv, **options):
    """A process that is ended with all that it started, first with SIGTERM, when the block is left."""
    process = subprocess.Popen([str(word) for word in argv], preexec_fn=die_with_parent, start_new_session=True, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def output_of(argv, timeout=600, **options):
    """Standard output of a program that must succeed."""
    with running(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options) as process:
        try:
            out, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{argv[0]} did not end within {timeout} s") from None
    if process.returncode != 0:
        raise BenchError(f"{' '.join(map(str, argv[:3]))} … ended with {process.returncode}: {(errors.strip() or out.strip())[-2000:]}")
    return out


def json_of(argv, **options):
    return json.loads(output_of(argv, **options))
