"""What is measured of throughput, most worthy first: a run that ends before its plan has what the paper is asked about."""
from evaluate.schedule import DISTRIBUTIONS

FRAMEWORK, FRAMEWORK_COLD = "framework", "framework-cold"
BUDGETS, CONCURRENCY, SHARES = (40, 80), (5, 1, 10), (0.1, 0.25, 0.5, 0.75, 1.0)
POLICIES = ("worth", "lru", "fifo", "lcu", "gdsf", "s3fifo", "flush", "eager", "never")
DEFAULT_POLICY, OTHER_POLICY = "worth", "lru"  # of the daemon; what the paper's authors' server had
PAPERS = "pareto-1-1"


def cell(distribution, concurrency, budget, how, share=1.0):
    return {"distribution": distribution, "concurrency": concurrency, "budget_percent": budget, "share": share, "how": how}


def key(one):
    return "-".join(str(one[name]) for name in ("distribution", "concurrency", "budget_percent", "share", "how"))


def _both(distribution, concurrency, budget, share=1.0):
    for how in (DEFAULT_POLICY, FRAMEWORK_COLD, FRAMEWORK):
        yield cell(distribution, concurrency, budget, how, share)


def _paper(distributions, concurrency, budgets):
    for budget in budgets:
        for at_a_time in concurrency:
            for distribution in distributions:
                yield from _both(distribution, at_a_time, budget)


def _full():
    """Several times the same cell: the first counts."""
    others = [name for name in DISTRIBUTIONS if name != PAPERS]
    yield from _both(PAPERS, 5, 40)  # the headline
    yield cell(PAPERS, 5, 40, OTHER_POLICY)
    for distribution in others:  # the default policy beside the other's, with every distribution
        yield from (cell(distribution, 5, 40, how) for how in (DEFAULT_POLICY, OTHER_POLICY))
    yield from (cell(distribution, 5, 40, FRAMEWORK_COLD) for distribution in others)
    yield from _paper([PAPERS], CONCURRENCY, BUDGETS)
    yield from (cell(PAPERS, 5, 40, policy) for policy in POLICIES)
    yield from (one for share in SHARES for one in _both("uniform", 5, 40, share))
    yield from _paper(others, [5], BUDGETS)
    yield from (cell(PAPERS, 5, 80, policy) for policy in POLICIES)
    yield from _paper(others, CONCURRENCY, BUDGETS)
    for budget in BUDGETS:
        for distribution in others:
            yield from (cell(distribution, 5, budget, policy) for policy in POLICIES)


def _few(size):
    count = 1 if size == "smoke" else 2
    for budget in BUDGETS[:count]:
        yield from _both(PAPERS, count, budget)
    if size == "quick":
        yield cell(PAPERS, count, 40, OTHER_POLICY)


def cells(size):
    """In their order. Budgets apart: a daemon has one; the framework alone knows none, and one run stands for both."""
    found = _full() if size == "full" else _few(size)
    return [*{key(one): one for one in found if one["how"] in POLICIES or one["budget_percent"] == BUDGETS[0]}.values()]


def length(size):
    """Requests of each."""
    return {"full": 500, "quick": 24, "smoke": 6}[size]


def traced(size):
    """The cell whose first requests are traced: the headline."""
    return cells(size)[0]
