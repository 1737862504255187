"""How far one function's outputs are from another's."""
import array
import math
import operator

from harness.processes import BenchError

LIMIT = 1e-4


def relative_error(found, wanted):
    """The largest difference of one output's elements beside its largest element; inf if either is not finite."""
    if len(found) != len(wanted):
        return math.inf
    if not math.isfinite(sum(found) + sum(wanted)):
        return math.inf
    difference = max(map(abs, map(operator.sub, found, wanted)), default=0)
    largest = max(map(abs, wanted), default=0)
    return difference / largest if largest else (0.0 if difference == 0 else math.inf)


def outputs(worker, path):
    """What the worker's session answers: [(type, elements)]."""
    described = worker.ask("answer", path)
    kinds = {"float": "f", "int64": "q"}
    with open(path, "rb") as file:
        read = [(one["type"], array.array(kinds[one["type"]], file.read(one["bytes"]))) for one in described]
    path.unlink()
    return read


def compare(found, wanted):
    """The largest relative error of all outputs; whole numbers must be equal."""
    if [kind for kind, _ in found] != [kind for kind, _ in wanted]:
        return math.inf
    errors = [relative_error(mine, theirs) if kind == "float" else (0.0 if mine == theirs else math.inf)
              for (kind, mine), (_, theirs) in zip(found, wanted)]
    return max(errors, default=0.0)


def check(case, sides, folder):
    """The error of "trims" beside "framework"; one above the limit makes any timing worthless."""
    answers = {label: outputs(sides[label], folder / f"{label}.answer") for label in ("trims", "framework")}
    error = compare(answers["trims"], answers["framework"])
    if error > LIMIT:
        raise BenchError(f"{case}: the answers differ from the default session's by {error:.3g} (at most {LIMIT:g})")
    return error
