"""The manual's examples as printed, and comparing printed tables."""

from __future__ import annotations

import math
import re
from pathlib import Path

SESSIONS = sorted((Path(__file__).parents[1] / "reporting" / "sessions").glob("*.txt"))
STEP = re.compile(r"^\. (?P<typed>.*(?:\n> .*)*)\n(?P<printed>(?:(?!\. ).*\n)*)", re.MULTILINE)


def steps(text):
    """What is typed, on one line, and what is printed, of every command of a session."""
    found = list(STEP.finditer(text))
    assert "".join(step[0] for step in found) == text
    return [(step["typed"].replace("\n>", ""), step["printed"].strip("\n")) for step in found]


def output(example, place=0):
    """One of the outputs of an example of the manual, not counting commands that print nothing."""
    text = next(path for path in SESSIONS if path.stem == f"example_{example:02}").read_text(encoding="utf-8")
    return [printed for _, printed in steps(text) if printed][place]


def same_layout(got, want):
    """Whether two texts agree in every place.

    Numbers may differ by 1e-4, as printed figures are rounded and come from fits that stop short of the optimum.
    """
    got_lines, want_lines = got.splitlines(), want.splitlines()
    return len(got_lines) == len(want_lines) and all(map(same_line, got_lines, want_lines))


def same_line(got, want):
    pieces, wanted = list(re.finditer(r"\S+", got)), list(re.finditer(r"\S+", want))
    return len(pieces) == len(wanted) and all(
        a.end() == b.end() and (a.group() == b.group() or nearly(a.group(), b.group()))
        for a, b in zip(pieces, wanted, strict=True)
    )


def nearly(got, want):
    try:
        return math.isclose(float(got), float(want), rel_tol=1e-4, abs_tol=1.01e-7)
    except ValueError:
        return False
