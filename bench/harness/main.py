"""scripts/bench: measures, prints a table and, with --json, writes a document (docs/benchmarks.md)."""
import argparse
import difflib
import subprocess
import sys
from pathlib import Path

from harness import against, machine, report
from harness.processes import BenchError, say, stop_on_signals
from harness.session import Bench
from harness.suites import (accept, admin, attach, device, disk, granularity, hash, hit, live, memory, miss, opens, pipeline, policy, restart, s3,
                            startup, steady, switch, torch, trace)

ROOT = Path(__file__).resolve().parent.parent.parent
SUITES = {"accept": accept, "admin": admin, "attach": attach, "device": device, "disk": disk, "granularity": granularity, "hash": hash, "hit": hit, "live": live,
          "miss": miss, "memory": memory, "opens": opens, "pipeline": pipeline, "policy": policy, "restart": restart, "s3": s3, "startup": startup, "steady": steady,
          "switch": switch, "torch": torch, "trace": trace}
SYNTHETIC = {"accept": (accept.MEGABYTES,), "miss": miss.MEGABYTES, "memory": (memory.MEGABYTES,),
             "steady": steady.MEGABYTES}
TARGETS = ("trimsd", "trims-cli", "trims-device", "trims-http", "trims-keeper", "trims-prepare", "bench_programs", "read_models")
EXIT_USAGE = 2


def suite_names(word):
    """The suites that a word means; argparse shows the text of the error."""
    if word == "all":
        return list(SUITES)
    if word in SUITES:
        return [word]
    near = difflib.get_close_matches(word, [*SUITES, "all"], n=1, cutoff=0.4)
    advice = f"did you mean '{near[0]}'? " if near else ""
    raise argparse.ArgumentTypeError(f"unknown suite '{word}': {advice}There are {', '.join(SUITES)} and all")


def sizes(word):
    """The numbers that a list of gigabytes means."""
    try:
        found = tuple(float(one) for one in word.split(","))
    except ValueError:
        found = ()
    if not found or not all(0.01 <= one <= 1000 for one in found):
        raise argparse.ArgumentTypeError(f"'{word}' is no list of gigabytes: expected numbers, such as 1,4,8")
    return found


def other_tree(word):
    """A folder with a release build in it."""
    folder = Path(word).resolve()
    if not (folder / "build/release/bench/bench_attach").exists():
        raise argparse.ArgumentTypeError(f"no release build in '{word}': run scripts/setup there, then cmake --preset release "
                                         "&& cmake --build --preset release")
    return folder


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures TrIMS beside its references.")
    parser.add_argument("suites", metavar="SUITE", type=suite_names, nargs="?", help=", ".join(SUITES) + " or all")
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write machine and rows there")
    parser.add_argument("--against", metavar="TREE", type=other_tree,
                        help="instead: this tree beside the release build of another, both in one run")
    parser.add_argument("--gigabytes", metavar="N,N…", type=sizes, help="sizes of the large models of disk and memory [1,4,8]")
    parser.add_argument("--quick", action="store_true", help="few repetitions, small models: a try, not a result")
    options = parser.parse_args(arguments)
    if (options.suites is None) == (options.against is None):
        parser.error("expected a SUITE or --against TREE, and not both")
    return options


def step(text, argv):
    """Runs a command whose output matters only if it fails."""
    say(text)
    done = subprocess.run([str(word) for word in argv], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise BenchError(f"{' '.join(map(str, argv))} ended with {done.returncode}:\n{done.stdout[-4000:]}")


def prepare(names):
    step("setting up", ["scripts/setup"])
    step("configuring the release preset", ["cmake", "--preset", "release"])
    step("building the release preset", ["ninja", "-C", "build/release", *TARGETS])
    sizes = sorted({size for name in names for size in SYNTHETIC.get(name, ())})
    step("laying out the models", ["scripts/fetch-models", *[word for size in sizes for word in ("--synthetic", size)]])


def measure(options):
    """The rows of all suites; each suite's table is shown as soon as it is done."""
    gigabytes = options.gigabytes or ((0.25,) if options.quick else Bench.gigabytes)
    bench, rows = Bench(ROOT, options.quick, gigabytes), []
    if options.against:
        rows = against.run(bench, Bench(options.against, options.quick))
        print(report.table(rows))
        return rows
    for name in options.suites:
        found = SUITES[name].run(bench)
        print(report.table(found) + "\n", flush=True)
        rows += found
    return rows


def main(arguments):
    options = parse(arguments)
    stop_on_signals()
    try:
        prepare(options.suites or ["miss"])
        here = machine.describe(ROOT) | {"quick": options.quick}
        rows = measure(options)
        if options.json:
            options.json.write_text(report.document(here, rows))
    except BenchError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
