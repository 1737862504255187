"""Medians, percentiles and geometric means. Nothing here keeps the best of several runs."""
import math
import statistics


def median(samples):
    if not samples:
        raise ValueError("no samples")
    return float(statistics.median(samples))


def percentile(samples, share):
    """The smallest sample that at least `share` (0 to 1) of the samples do not exceed."""
    if not samples:
        raise ValueError("no samples")
    if not 0 < share <= 1:
        raise ValueError(f"expected a share above 0 and up to 1, found {share}")
    ordered = sorted(samples)
    return float(ordered[math.ceil(share * len(ordered)) - 1])


def geometric_mean(ratios):
    if not ratios:
        raise ValueError("no ratios")
    if min(ratios) <= 0:
        raise ValueError(f"expected ratios above 0, found {min(ratios)}")
    return math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios))
