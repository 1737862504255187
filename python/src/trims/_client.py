"""Connections to the daemon, and what an operator asks of it."""

import json
import os
import re
import sys
import threading
from pathlib import Path

from . import _arguments, _core

_thread = threading.local()


def _name():
    return "python " + (os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] else "")


def _trimsd():
    """The daemon that this package brings along, unless $TRIMSD names another; "" where it brings none."""
    program = Path(__file__).parent / "bin/trimsd"
    return "" if os.environ.get("TRIMSD") or not program.exists() else str(program)


def _connect(kind, socket):
    """A connection; where no socket is named and none answers, a daemon for this user is started first."""
    return kind.connect(socket or _core.ensure_daemon(_trimsd()), _name().strip())


def _of_thread(kind, socket):
    """One connection a thread, so that threads open in parallel; the library mends it after a fork or a restart."""
    cache = _thread.__dict__
    key = (kind, socket or "", os.environ.get("TRIMS_SOCKET"))
    if key not in cache:
        cache[key] = _connect(kind, socket)
    return cache[key]


def client(socket=None):
    return _of_thread(_core.Client, socket)


def _admin(socket=None):
    return _of_thread(_core.Admin, socket)


def add(
    reference, source, *, variants=(), precision="", follow_links=False, onnxruntime_extensions=(), progress=None, timeout=None,
    socket=None
):
    """Registers a model's file or folder under a name and prepares its variants; returns what show() does.

    source: what `trims add` takes: a path, a file:/// URL or "hf-cache:ORG/NAME[@REVISION][/FILE]", a model of the hub's cache.
    variants: of "files", "tensors", "ort", one or a list; none: all that the format allows. precision: of weights that are there in several,
    e.g. "fp16"; "": those without one in their name. follow_links: links in the folder may lead out of it.
    onnxruntime_extensions: libraries with custom operators. progress(stage, done, total) is called on this thread. timeout is
    in seconds.
    """
    milliseconds = _arguments.milliseconds(timeout, "timeout")
    url = _core.source_url(os.fsencode(source), os.getcwdb(), follow_links)
    libraries = [str(Path(os.fspath(library)).absolute()) for library in onnxruntime_extensions]
    kinds = [variants] if isinstance(variants, str) else list(variants)
    return json.loads(_admin(socket).add(reference, url, kinds, precision, libraries, progress, milliseconds))


def rm(reference, *, socket=None):
    """Forgets a model. Processes that have it open keep their pages."""
    return json.loads(_admin(socket).remove(reference))


def ls(*, socket=None):
    """All models: the document that `trims ls --json` prints."""
    return json.loads(_admin(socket).list())


def show(reference, *, socket=None):
    """One model: the document that `trims show --json` prints."""
    return json.loads(_admin(socket).show(reference))


def status(*, socket=None):
    """Budget, segments, counters: the document that `trims status --json` prints."""
    return json.loads(_admin(socket).status())


def policy(*, eviction="", admission="", reclaim="", tier="", socket=None):
    """What decides in a tier about what stays, changed first where names are given: the document that `trims policy --json` prints."""
    return json.loads(_admin(socket).policy(tier, eviction, admission, reclaim))
