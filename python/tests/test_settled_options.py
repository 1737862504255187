"""The session options that an optimised form can't honour: C++, Python and the docs name the same."""

import re
from fnmatch import fnmatchcase

from conftest import ROOT
from trims.onnxruntime import _options


def in_cpp():
    """key -> values without effect"""
    text = (ROOT / "adapters/onnxruntime/option_check.cc").read_text()
    table = re.search(r"kSettled = std::to_array<Entry>\(\{(.*?)\}\);", text, re.DOTALL)[1]
    rows = re.findall(r'\{"([^"]+)",\s*"([^"]*)"\}', table)
    assert len(rows) == len(dict(rows)) == table.count("{")  # each once, and each was understood
    return {key: {"", value} for key, value in rows}


def in_docs():
    """Patterns of keys, in the rows that say `original`."""
    rows = [line.split("|") for line in (ROOT / "docs/adapters.md").read_text().splitlines() if "| `original`" in line]
    return {key for row in rows for key in re.findall(r"`((?:session|optimization|ep|mlas)\.[^`=]+)`", row[1])}


def test_cpp_and_python_have_the_same():
    assert {key: set(values) for key, values in _options._SETTLED.items()} == in_cpp()


def test_the_docs_have_them_too():
    keys, patterns = set(in_cpp()), in_docs()
    assert patterns and not {pattern for pattern in patterns if not any(fnmatchcase(key, pattern) for key in keys)}
    assert not {key for key in keys if not any(fnmatchcase(key, pattern) for pattern in patterns)}
