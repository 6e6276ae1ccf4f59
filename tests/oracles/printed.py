"""Comparing printed tables."""

from __future__ import annotations

import math
import re


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
