"""What both comparisons share: arguments, the driver, counting, and keeping what differs."""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MAX_SHOWN = 10


class Driver:
    """tests/accept/differential/read_models.cc, asked a line at a time."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the driver ended with {self.process.wait()} at: {line}")
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


class Verdict(Exception):
    """How a case differs; documented: the row of docs/formats.md that says so."""

    def __init__(self, what, documented=None):
        super().__init__(what)
        self.documented = documented


def main(format_name, default_count, make_case):
    """make_case(rng, folder, driver) makes one case in `folder`, compares, returns a word for what it did, raises Verdict."""
    parser = argparse.ArgumentParser(description=f"Compares TrIMS' reader of {format_name} with the library on generated files.")
    parser.add_argument("--driver", required=True, help="the program read_models")
    parser.add_argument("--kept", required=True, type=Path, help="folder for what differs")
    parser.add_argument("--count", type=int, default=default_count)
    parser.add_argument("--seed", type=int, default=20260101, help="of the first case; the n-th has seed + n")
    parser.add_argument("--json", type=Path, help="file for a summary; other formats in it stay")
    arguments = parser.parse_args()
    sys.exit(1 if Run(format_name, arguments, make_case).all() else 0)


class Run:
    def __init__(self, format_name, arguments, make_case):
        self.format, self.arguments, self.make_case = format_name, arguments, make_case
        self.taken, self.differences, self.documented = 0, [], {}

    def all(self):
        """The number of differences."""
        started = time.monotonic()
        driver = Driver(self.arguments.driver)
        print(f"{self.format}: {self.arguments.count} cases from seed {self.arguments.seed}", flush=True)
        with tempfile.TemporaryDirectory(prefix="trims-differential-") as scratch:
            for seed in range(self.arguments.seed, self.arguments.seed + self.arguments.count):
                self.one(seed, Path(scratch) / "case", driver)
        if driver.close() != 0:
            self.differences.append("the driver did not end well")
        self.report(time.monotonic() - started)
        return len(self.differences)

    def one(self, seed, folder, driver):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            self.taken += bool(self.make_case(random.Random(seed), folder, driver))
        except Verdict as verdict:
            if verdict.documented:
                self.documented[verdict.documented] = self.documented.get(verdict.documented, 0) + 1
                return
            self.differences.append(str(verdict))
            if len(self.differences) <= MAX_SHOWN:
                kept = self.arguments.kept / f"{self.format}-{seed}"
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(folder, kept)
                print(f"DIFFERENCE with --seed {seed} --count 1, kept in {kept}:\n  {verdict}", flush=True)

    def report(self, seconds):
        documented = sum(self.documented.values())
        for why, count in sorted(self.documented.items()):
            print(f"  documented: {count} × {why}")
        print(f"{self.format}: {self.arguments.count} cases in {seconds:.1f} s, both take {self.taken}, "
              f"{len(self.differences)} differences, {documented} documented")
        if not self.arguments.json:
            return
        summary = json.loads(self.arguments.json.read_text()) if self.arguments.json.exists() else {}
        summary[self.format] = {"cases": self.arguments.count, "differences": len(self.differences), "documented": documented}
        staged = self.arguments.json.with_suffix(".new")
        staged.write_text(json.dumps(summary, indent=1) + "\n")
        os.replace(staged, self.arguments.json)
