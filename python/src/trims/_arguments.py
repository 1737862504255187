"""What callers give: seconds, and paths where a name is expected."""

import math
import os
import re
import shlex
from datetime import timedelta
from numbers import Real

from .errors import InvalidArgument

_LONGEST = 24 * 3600  # seconds; as libtrims
_LONGEST_KEPT = 365 * 24 * 3600


def milliseconds(seconds, parameter):
    """At least one; None is 0, the daemon's default. TypeError and ValueError name the parameter."""
    if seconds is None:
        return 0
    if not isinstance(seconds, Real) or isinstance(seconds, bool):
        raise TypeError(f"{parameter} is {seconds!r:.80}: expected seconds as a number, or None")
    if math.isnan(seconds) or seconds < 0:
        raise InvalidArgument(f"{parameter} is {seconds}: expected seconds, not less than 0, or None")
    return max(1, int(min(seconds, _LONGEST) * 1000))


def whole_seconds(duration, parameter):
    """Rounded up; None is 0. TypeError and ValueError name the parameter."""
    if duration is None:
        return 0
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if not isinstance(seconds, Real) or isinstance(seconds, bool):
        raise TypeError(f"{parameter} is {duration!r:.80}: expected seconds as a number, a datetime.timedelta, or None")
    if not 0 <= seconds <= _LONGEST_KEPT:
        raise InvalidArgument(f"{parameter} is {duration}: expected 0 to {_LONGEST_KEPT} seconds, which is a year, or None")
    return math.ceil(seconds)


def how_to_add(path):
    """The command that makes a model of a file or folder."""
    path = os.fspath(path)
    stem = os.path.splitext(os.path.basename(os.path.normpath(path)))[0]
    name = re.sub("[^A-Za-z0-9._-]+", "-", stem).lstrip("._-")[:128] or "NAME"
    return f"trims add {name} {shlex.quote(os.path.join('.', path) if path.startswith('-') else path)}"
