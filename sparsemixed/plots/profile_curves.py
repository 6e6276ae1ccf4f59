"""Profiles between their places: zeta as a cubic through values and exact slopes (Hermite), and its derivative."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparsemixed.errors import OptionError, suggestion
from sparsemixed.plots.cubics import hermite
from sparsemixed.plots.subject import Subject

AT_END = "at the end of its range"
"""Of a parameter whose profile goes nowhere, a correlation estimated at 1."""
BETWEEN = 12
"""Places from one place of a profile to the next."""


def profile_result(
    subject: Any, names: str | Sequence[str] | None, level: float | None, stddeviations: bool, criterion: str | None = None
) -> tuple[Any, list[str]]:
    """The profile, made here of a fit, and the names in it that have a curve.

    Raises
    ------
    OptionError
        None has one; a name that is not in the result.
    """
    if isinstance(subject, Subject):
        found = subject.results.profile(names, level, criterion, stddeviations=None if names is not None else stddeviations)
    else:
        found = subject
    every: list[str] = found.limits.index.tolist()
    asked = None if isinstance(subject, Subject) else [names] if isinstance(names, str) else names
    wanted = every if asked is None else list(asked)
    for name in wanted:
        if name not in every:
            raise OptionError(f"plot.profile: there is no {name!r}{suggestion(str(name), every)}; there are {', '.join(every)}")
    # A correlation beside a variance of zero has limits, -1 and 1, and no value.
    known = np.isfinite(found.limits.loc[wanted].to_numpy(dtype=float))
    curves = [name for name, (estimate, low, high) in zip(wanted, known, strict=True) if estimate and (low or high)]
    if not curves:
        raise OptionError("plot.profile: none of the parameters has a profile")
    return found, curves


def between(curve: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values (m,), zeta and its slope by the value, cubic between the places of a curve; where a slope is missing, straight."""
    known: Any = curve[np.isfinite(curve["value"]) & np.isfinite(curve["zeta"])].drop_duplicates("value")
    x, y, slope = (known[name].to_numpy(dtype=float) for name in ("value", "zeta", "slope"))
    if len(x) < 2:
        return x, y, slope
    width = np.diff(x)
    secant = np.diff(y) / width
    nearest = np.append(secant, secant[-1])
    m = np.where(np.isfinite(slope), slope, nearest)
    places = np.append((x[:-1, None] + width[:, None] * np.arange(BETWEEN) / BETWEEN).ravel(), x[-1])
    return places, *hermite(x, y, m, places)
