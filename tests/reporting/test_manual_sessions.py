"""The manual's examples as sessions: what is typed and what is printed, in every place.

A file of `sessions/` holds an example with the figures that the manual prints, in Stata's layout of 78 columns, which its PDF
keeps and public logs of Stata 17 and later show. Here each session is run, and every output compared with the file. What
differs, and why:

- Stata prints an iteration log unless told not to; here it is asked for with `log`. The files leave it out.
- Our fits have no names: `lrtest` says which model, as typed, is taken to be nested, in place of names of stored estimates.
- Example 9 restricts the sample by `if` in place of `keep if`.
- Numbers may differ in the last printed digits (see `printed.nearly`), those of example 5 in `FLAT` by more.
"""

from __future__ import annotations

import re

import pytest

import sparsemixed
from tests.oracles.printed import SESSIONS, nearly, same_layout, same_line, steps

ASSUMPTION = re.compile(r"^Assumption: (?P<small>.*?)\s+nested\s+within\s+(?P<full>.*?)\n\n", re.MULTILINE | re.DOTALL)
FLAT = re.compile(r" (?:var\(hwy\)|var\(_cons\)) \|")
"""Rows of example 5 whose likelihood is flat: the manual's figures stop short of the optimum by up to 7 per cent."""


class Session:
    """What Stata keeps between commands: the data in memory, and estimates by name."""

    def __init__(self, manual_data):
        self.manual_data, self.stored = manual_data, {}

    def run(self, typed):
        """The output of one command."""
        word, rest = re.fullmatch(r"(\w+)\s*(.*)", typed, re.DOTALL).groups()
        if word == "quietly":
            self.run(rest)
            return ""
        return getattr(self, word)(rest) or ""

    def use(self, name):
        self.data = self.manual_data(name)

    def mixed(self, command):
        if not command:
            return self.stored["."].summary(small=False)
        if command == ", small":
            return self.stored["."].summary(small=True)
        self.stored["."] = sparsemixed.mixed(command, self.data)
        return str(self.stored["."])

    def estimates(self, rest):
        _, name = rest.split()
        self.stored[name] = self.stored["."]

    def test(self, hypothesis):
        return str(self.stored["."].test(hypothesis))

    def lrtest(self, names):
        return str(sparsemixed.lrtest(*(self.stored[name] for name in names.split())))

    def model_of(self, name):
        """The command of stored estimates, whose long names are abbreviated in the middle."""
        start, _, end = name.partition("-")
        full = next(one for one in self.stored if one == name or (end and one.startswith(start) and one.endswith(end)))
        return self.stored[full].fit.spec.text


def same(printed, wanted, is_flat):
    if not is_flat:
        return same_layout(printed, wanted)
    pairs = list(zip(printed.splitlines(), wanted.splitlines(), strict=True))
    return all(same_line(a, b) or (FLAT.search(a) and roughly(a, b)) for a, b in pairs)


def roughly(a, b):
    """Two rows with numbers within 7 per cent, or the last digit, at the same places."""
    pieces = list(zip(re.finditer(r"\S+", a), re.finditer(r"\S+", b), strict=True))
    close = [x[0] == y[0] or abs(float(x[0]) - float(y[0])) <= 0.07 * abs(float(y[0])) + 1e-7 for x, y in pieces]
    return all(close) and all(x.end() == y.end() for x, y in pieces)


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_session(path, manual_data):
    session = Session(manual_data)
    for typed, wanted in steps(path.read_text(encoding="utf-8")):
        printed = session.run(typed)
        if typed.startswith("lrtest"):
            ours, theirs = ASSUMPTION.search(printed), ASSUMPTION.search(wanted)
            for side in ("small", "full"):
                assert ours[side].split() == session.model_of(theirs[side]).split()
            printed, wanted = ASSUMPTION.sub("\n\n", printed), ASSUMPTION.sub("\n\n", wanted)
        assert same(printed, wanted, path.stem == "example_05"), printed


def test_every_example_is_there():
    assert [path.stem for path in SESSIONS] == [f"example_{number:02}" for number in range(1, 15)]


def test_layouts_are_compared():
    """That the comparison sees what it should: a place, a word, a digit."""
    line = "        week |   6.209896   .0390124   159.18   0.000     6.133433    6.286359"
    assert same_layout(line, line.replace("6.209896", "6.209897"))
    assert not same_layout(line, line.replace("6.209896", "6.219896"))
    assert not same_layout(line, line.replace("159.18 ", "159.18"))
    assert not same_layout(line, line.replace("week", "weed"))
    assert nearly("1.00001", "1")
    assert not nearly("1.001", "1")
