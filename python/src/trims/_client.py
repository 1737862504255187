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
    reference, source, *, variants=(), precision="", granularity="", follow_links=False, onnxruntime_extensions=(), keep_versions=0, keep_for=None,
    progress=None, timeout=None, socket=None
):
    """Registers a model's file or folder under a name and prepares its variants; returns what show() does.

    source: what `trims add` takes: a path, a file:/// URL or "hf-cache:ORG/NAME[@REVISION][/FILE]", a model of the hub's cache.
    variants: of "files", "tensors", "ort", one or a list; none: all that the format allows. precision: of weights that are there in several,
    e.g. "fp16"; "": those without one in their name. granularity: "model", "block" or "layer", in which units it shares its bytes with others of its
    namespace; "": the daemon's default. follow_links: links in the folder may lead out of it.
    keep_versions, keep_for: then only so many of the newest versions of that name stay, and those that were added less long ago (seconds, or
    a datetime.timedelta); what one of the two keeps stays, and what an alias means, is pinned or open. Neither: all stay. onnxruntime_extensions: libraries with custom operators. progress(stage, done, total) is called on this thread. timeout is
    in seconds.
    """
    milliseconds = _arguments.milliseconds(timeout, "timeout")
    url = _core.source_url(os.fsencode(source), os.getcwdb(), follow_links)
    libraries = [str(Path(os.fspath(library)).absolute()) for library in onnxruntime_extensions]
    kinds = [variants] if isinstance(variants, str) else list(variants)
    return json.loads(_admin(socket).add(reference, url, kinds, precision, granularity, libraries, keep_versions, _arguments.whole_seconds(keep_for, "keep_for"),
                                          progress, milliseconds))


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


def policy(*, eviction="", admission="", reclaim="", budget="", quota="", tier="", socket=None):
    """What decides in a tier about what stays, changed first where names are given: the document that `trims policy --json` prints.

    budget: "8GiB", or "50%" of what the tier has; what is beyond a lower one goes, what is leased with its last lease. tier="disk" has a
    budget only. reclaim: "eager", "lazy", or how long what nobody has open stays: "10m". quota: what a namespace may take, in every
    tier: "team-a:bytes=8GiB,leases=100", "team-a:none".
    """
    return json.loads(_admin(socket).policy(tier, eviction, admission, reclaim, budget, quota))


def _resident(command, reference, variants, tier, timeout, progress=None, wait=True, when_idle=False):
    kinds = [variants] if isinstance(variants, str) else list(variants)
    milliseconds = _arguments.milliseconds(timeout, "timeout")
    return json.loads(command(reference, kinds, tier, wait, when_idle, progress, milliseconds))


def pin(reference, *, variants=(), tier="", progress=None, timeout=None, socket=None):
    """Loads a model and keeps it in the tier, whatever needs its room, until unpin() and across restarts of the daemon.

    variants: one or a list of "ort", "tensors", "files"; none: the first of them that there is. progress(stage, done, total) is called
    on this thread. timeout is in seconds. Returns the document that `trims pin --json` prints.
    """
    return _resident(_admin(socket).pin, reference, variants, tier, timeout, progress)


def unpin(reference, *, variants=(), tier="", timeout=None, socket=None):
    """Lets a pinned model go when its room is needed. variants: none: all that are pinned."""
    return _resident(_admin(socket).unpin, reference, variants, tier, timeout)


def prefetch(reference, *, variants=(), tier="", wait=True, progress=None, timeout=None, socket=None):
    """Loads a model before it is opened, as pin() does, and lets it go as any other. wait=False: returns while it loads."""
    return _resident(_admin(socket).prefetch, reference, variants, tier, timeout, progress, wait)


def evict(reference, *, variants=(), tier="", when_idle=False, timeout=None, socket=None):
    """Frees the memory of a model now. What somebody has open is an error that says who; when_idle: it goes when nobody has it any more."""
    return _resident(_admin(socket).evict, reference, variants, tier, timeout, when_idle=when_idle)


def keep_alive(name, time=None, *, socket=None):
    """How long a model, all its versions, stays in memory that nobody has open: "10m", "forever", "0"; None: as the policy has it.

    It is changed first where `time` is given; "default" takes it back.
    """
    return json.loads(_admin(socket).keep_alive(name, time or ""))["keep_alive"]


def demote(reference, *, variants=(), tier="", when_idle=False, progress=None, timeout=None, socket=None):
    """Moves a model one tier down: from a device's memory into the host's, from there to the disk, which is what evict() does."""
    return _resident(_admin(socket).demote, reference, variants, tier, timeout, progress, when_idle=when_idle)


def drain(on=True, *, wait=False, timeout=None, socket=None):
    """The daemon serves nobody any more; whoever has a model open keeps it. wait: returns once nobody has one. on=False: serves again."""
    return json.loads(_admin(socket).drain(on, wait, _arguments.milliseconds(timeout, "timeout")))


def explain(reference, *, variant="", tier="", timeout=None, socket=None):
    """What an open would come to now, without making it: the document that `trims explain --json` prints (docs/json.md)."""
    return _resident(_admin(socket).explain, reference, variant or (), tier, timeout)


def events(*, since=None, kinds=(), opens=False, model="", follow=True, socket=None):
    """What the daemon does, as it does it: a generator of dictionaries (docs/events.md). It ends with close(), or with its last reference.

    since: those after this number, 0: all that are kept; None: those that come from now on, that is: once the first is asked for.
    kinds: one or a list, like "segment" or "segment.evicted"; none: all but opens. opens: each open, too. model: a name, or a name and a version.
    follow=False: ends with what is kept. Where events went before they were read, {"lost", "opens_lost"} says how many.
    """
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    admin = _connect(_core.Admin, socket)  # of its own: a thread may do something else between two events
    wait, opens_since = 500, None  # milliseconds, after which Ctrl-C is looked for
    if not follow:
        wait, since, opens_since = 0, since or 0, 0
    while True:
        batch = json.loads(admin.events(since, opens_since, kinds, opens, model, wait))
        if batch["lost"] or batch["opens_lost"]:
            yield {"lost": batch["lost"], "opens_lost": batch["opens_lost"]}
        yield from batch["events"]
        if not follow and not batch["events"]:
            return
        since, opens_since = batch["next"], batch["opens_next"]


def aliases(*, socket=None):
    """All aliases: the document that `trims alias --json` prints."""
    return json.loads(_admin(socket).aliases())


def set_alias(alias, reference, *, socket=None):
    """Has `alias` mean the version that `reference` means now, in one step: opens get it from then on."""
    return json.loads(_admin(socket).set_alias(alias, reference))


def delete_alias(alias, *, socket=None):
    """Forgets an alias. The model that it means stays."""
    return json.loads(_admin(socket).delete_alias(alias))


def rollback(alias, *, socket=None):
    """Moves an alias back to what it meant before its last move."""
    return json.loads(_admin(socket).rollback(alias))
