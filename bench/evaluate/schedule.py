"""Which model is asked for when: the paper's distributions over the models, drawn from a seed, the same on every machine.

A distribution is cut at `span`, what falls beyond is drawn anew, and the models lie evenly on [0, span): so has the daemon's own
replay of traces (bench/policy/traces.cc). Which model is the popular one is drawn, too.
"""
import math
import random

DEFAULT_SEED = 2019


def _drawn(span, quantile):
    def draw(uniform, models):
        while (at := quantile(uniform()) / span) >= 1:
            pass
        return int(at * models)

    return draw


def _pareto(shape):
    return _drawn(10, lambda u: (1 - u) ** (-1 / shape) - 1)


def _exponential(rate):
    return _drawn(4, lambda u: -math.log(1 - u) / rate)


def _weibull(shape, span=4):
    return _drawn(span, lambda u: (-math.log(1 - u)) ** (1 / shape))


def _zipf(uniform, models):
    weights = [1 / (rank + 1) for rank in range(models)]
    left = uniform() * sum(weights)
    for rank, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return rank
    return models - 1


def _poisson(uniform, models):
    """Of a mean in the middle of the models, by Knuth's products."""
    while True:
        count, product, limit = 0, uniform(), math.exp(-models / 2)
        while product > limit:
            count, product = count + 1, product * uniform()
        if count < models:
            return count


DISTRIBUTIONS = {
    "pareto-1-1": _pareto(1), "pareto-1-2": _pareto(2), "pareto-1-3": _pareto(3),
    "uniform": _drawn(1, lambda u: u),
    "exponential-0.5": _exponential(0.5), "exponential-1": _exponential(1), "exponential-1.5": _exponential(1.5),
    "weibull-0.5": _weibull(0.5), "weibull-1": _weibull(1), "weibull-1.5": _weibull(1.5), "weibull-5": _weibull(5, span=2),
    "poisson": _poisson, "zipf": _zipf,
}


def schedule(distribution, models, length, seed=DEFAULT_SEED, share=1.0):
    """`length` names out of `models`, of which only a `share` is in use."""
    draws = random.Random(f"{seed}/{distribution}")  # a text is hashed the same way everywhere
    names = sorted(models)
    draws.shuffle(names)
    used = names[:max(1, round(share * len(names)))]
    return [used[DISTRIBUTIONS[distribution](draws.random, len(used))] for _ in range(length)]
