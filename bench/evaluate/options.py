"""The command line of scripts/evaluate. Python's standard library is enough: a slip shows before anything is installed or built."""
import argparse
import dataclasses
from pathlib import Path

from evaluate.schedule import DEFAULT_SEED
from networks.table import LARGE, NETWORKS, SMALL, UnknownNetwork, named

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ("8", "9", "table4", "10", "throughput")
FRAMEWORKS = ("onnxruntime", "mxnet")
TIERS = ("host", "device:0")
QUICK = ("squeezenet-1.1", "googlenet", "resnet18-v2", "alexnet")
QUICK_LOAD = ("squeezenet-1.1", "googlenet", "resnet18-v2", "inception-bn", "dpn68")  # of throughput: none is half of all
SMOKE = ("squeezenet-1.1", "googlenet")


@dataclasses.dataclass(frozen=True)
class Options:
    figures: tuple
    models: tuple | None  # names; None: each figure's own
    repetitions: int
    size: str  # full, quick or smoke
    out: Path
    build: Path
    seed: int
    plain: bool
    framework: str = "onnxruntime"
    minutes: int | None = None  # after which nothing more is begun; None: no end
    tier: str = "host"  # where functions want their models

    @property
    def on_device(self):
        return self.tier != "host"

    @property
    def library(self):
        return self.build / "src/client/libtrims.so"

    def networks(self, of, quick=QUICK):
        """The networks that a figure is of: its own, `of`, or those asked for, of its own kind where there are any; `quick`: those of a
        quick run."""
        if self.models is not None:
            asked = [NETWORKS[name] for name in self.models]
            return [one for one in asked if one in of] or asked
        few = {"quick": quick, "smoke": SMOKE}.get(self.size)
        return [NETWORKS[name] for name in few] if few and of is SMALL else list(of)


def figures(word):
    wanted = FIGURES if word == "all" else tuple(word.split(","))
    for one in wanted:
        if one not in FIGURES:
            raise argparse.ArgumentTypeError(f"unknown figure '{one}': expected {', '.join(FIGURES)}, several of them, or all")
    return wanted


def models(word):
    groups = {"small": SMALL, "large": LARGE}
    found = []
    for name in word.split(","):
        try:
            found += [one.name for one in groups[name]] if name in groups else [named(name).name]
        except UnknownNetwork as error:
            raise argparse.ArgumentTypeError(f"{error}; or small or large") from None
    return tuple(dict.fromkeys(found))


def framework(word):
    if word not in FRAMEWORKS:
        raise argparse.ArgumentTypeError(f"unknown framework '{word}': expected {' or '.join(FRAMEWORKS)}")
    return word


def tier(word):
    if word not in TIERS:
        raise argparse.ArgumentTypeError(f"unknown tier '{word}': expected {' or '.join(TIERS)}")
    return word


def count(word):
    if not word.isdigit() or not 1 <= int(word) <= 1000:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 1000, found '{word}'")
    return int(word)


def minutes(word):
    if not word.isdigit() or int(word) > 100_000:
        raise argparse.ArgumentTypeError(f"expected whole minutes from 0 to 100000, found '{word}'")
    return int(word)


def parser():
    made = argparse.ArgumentParser(
        prog="scripts/evaluate", description="The paper's evaluation, measured here beside the paper's numbers (docs/evaluation.md).",
        epilog="Interrupted, it goes on where it stopped when it is called again with the same --out.")
    made.add_argument("--figure", type=figures, metavar="FIGURE,…",
                      help="8 (latency), 9 (where the time goes), table4 or 10 (large networks), throughput, or all [all]")
    made.add_argument("--models", type=models, metavar="NAME,…", help="networks of the table, small or large [each figure's own]")
    made.add_argument("--framework", type=framework, default="onnxruntime", help="onnxruntime or mxnet [onnxruntime]")
    made.add_argument("--tier", type=tier, default="host",
                      help="where functions want their models: host, or device:0, which is simulated, for ONNX Runtime [host]")
    made.add_argument("--out", type=Path, metavar="DIR",
                      help="where results, plots and the report go [build/evaluation; of MXNet build/evaluation-mxnet, on the device build/evaluation-device]")
    made.add_argument("--repetitions", type=count, metavar="N", help="of each way to start a function [7; quick 3; smoke 1; of large networks half]")
    made.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="N", help=f"of the schedules of throughput [{DEFAULT_SEED}]")
    made.add_argument("--minutes", type=minutes, metavar="N",
                      help="begin nothing more after so long, and report what is there; 0: only report [until all is done]")
    size = made.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="size", action="store_const", const="quick", default="full",
                      help="a few small networks, few repetitions: a try, not a result")
    size.add_argument("--smoke", dest="size", action="store_const", const="smoke", help="two networks, once: whether it works")
    made.add_argument("--plain", action="store_true", help="no isolation: plain processes")
    made.add_argument("--build", type=Path, help=argparse.SUPPRESS)  # a build folder whose programs are there
    return made


def folder(given):
    parts = ["evaluation", *(["mxnet"] if given.framework == "mxnet" else []), *(["device"] if given.tier != "host" else []),
             *([given.size] if given.size != "full" else []), *(["plain"] if given.plain else [])]
    return ROOT / "build" / "-".join(parts)


def parse(arguments):
    made = parser()
    given = made.parse_args(arguments)
    if given.framework == "mxnet" and given.tier != "host":
        made.error(f"not measured with MXNet: the tier {given.tier}; expected host")
    chosen = given.figure or FIGURES
    if given.size != "full" and given.models is None:
        chosen = tuple(figure for figure in chosen if figure not in ("table4", "10")) or chosen
    repetitions = given.repetitions or {"full": 7, "quick": 3, "smoke": 1}[given.size]
    return Options(chosen, given.models, repetitions, given.size, (given.out or folder(given)).resolve(), (given.build or ROOT / "build/release").resolve(),
                   given.seed, given.plain, given.framework, given.minutes, given.tier)
