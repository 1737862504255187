"""Results on the disk, one file each, so that an evaluation goes on where it stopped; and how long it will still take."""
import json
import os
import sys
import time


class Store:
    """A folder of documents. Each carries the settings that it was measured with: under others it doesn't count."""

    def __init__(self, folder, settings):
        self.folder, self.settings = folder, settings
        folder.mkdir(parents=True, exist_ok=True)

    def _path(self, key):
        return self.folder / f"{key}.json"

    def get(self, key):
        """The result, or None: not measured yet, or differently, or the file is damaged."""
        try:
            document = json.loads(self._path(key).read_text())
            return document["result"] if document["settings"] == self.settings else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key, result):
        """All of it or nothing, whatever happens meanwhile."""
        text = json.dumps({"settings": self.settings, "result": result}, indent=1) + "\n"
        unfinished = self._path(key).with_suffix(".unfinished")
        unfinished.write_text(text)
        os.replace(unfinished, self._path(key))


class Progress:
    """Says what is done and how long the rest will take. `weights`: {key: how long it takes, in any unit}."""

    def __init__(self, title, weights, clock=time.monotonic, out=sys.stderr):
        self._title, self._weights, self._clock, self._out = title, weights, clock, out
        self._began, self._left, self._measured, self._count = clock(), dict(weights), 0.0, 0

    def known(self, key):
        """It was there already: nothing to wait for, and nothing learnt."""
        del self._left[key]
        self._count += 1

    def begin(self, key, text=""):
        self._count += 1
        remaining = self.remaining()
        left = "" if remaining is None else f", about {duration(remaining)} left"
        print(f"evaluate: {self._title} [{self._count}/{len(self._weights)}] {key}{text}{left}", file=self._out, flush=True)

    def end(self, key):
        self._measured += self._left.pop(key)

    def remaining(self):
        """Seconds; None before anything was measured."""
        if not self._measured:
            return None
        return (self._clock() - self._began) / self._measured * sum(self._left.values())


def duration(seconds):
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
