"""Spans of a function's own phases, beside those that the library leaves of each open where TRIMS_TRACE names a folder.

    with trims.trace.span("compute"):
        session.run(…)

Nothing is written, and next to nothing paid, where the environment names none. docs/traces.md has the files.
"""

import time

from . import _core


def enabled():
    """Whether spans are written: TRIMS_TRACE was set when the process first asked."""
    return _core.trace_enabled()


def record(name, begin_ns, end_ns):
    """A span that has ended, of this thread; times are those of time.monotonic_ns()."""
    if _core.trace_enabled():
        _core.record_trace_span(name, begin_ns, end_ns)


class span:
    """From the beginning of its block to its end, on this thread, also where that raises."""

    __slots__ = ("_begin", "_name")

    def __init__(self, name):
        self._name, self._begin = name, None

    def __enter__(self):
        if _core.trace_enabled():
            self._begin = time.monotonic_ns()
        return self

    def __exit__(self, *_):
        if self._begin is not None:
            record(self._name, self._begin, time.monotonic_ns())
