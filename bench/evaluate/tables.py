"""Numbers and tables as the report has them, in Markdown."""


def number(value, digits=1):
    return "–" if value is None else f"{value:,.{digits}f}"


def times(value):
    return "–" if value is None else f"{value:.2f}×"


def percent(value):
    return "–" if value is None else f"{100 * value:.0f} %"


def table(headings, lines):
    rule = ["---"] + ["---:"] * (len(headings) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in [headings, rule, *lines]) + "\n"


def met(whether):
    return "met" if whether else "**missed**"
