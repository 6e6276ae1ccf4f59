"""The other parameters along a profile: all of them at their best for each value of the one that is profiled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.inference.profile.criteria import Criteria, Criterion
from sparsemixed.inference.profile.local import Local
from sparsemixed.inference.profile.targets import Target

NOTHING = 1e-14
"""Share of a variance at the peak that is rounding: beside it a correlation has no value."""


def traces(sources: Criteria, target: Target, others: Sequence[Target], x: np.ndarray) -> np.ndarray:
    """(k, l) values of `others`, as they are shown, at places x (k, size) of the profile of `target`.

    Coefficients that the place does not hold are the best ones there, beta_hat + Phi K' inv(K Phi K') (b - K beta_hat) with
    those that it does. NaN stands for what has no value (a correlation beside a variance of zero), goes by another criterion, or
    where the system breaks down.
    """
    criterion, surface = sources.of(target), sources.peak(target).surface
    own = [i for i, other in enumerate(others) if sources.of(other) is criterion]
    found = np.full((len(x), len(others)), np.nan)
    needed = any(others[i].coefficients for i in own)
    for row, place in zip(found, x, strict=True):
        at = surface.tried(place) if needed else None
        if at is not None or not needed:
            row[own] = [_value(criterion, others[i], place[: surface.n_theta + 1], at) for i in own]
    return found


def _value(criterion: Criterion, other: Target, variances: np.ndarray, at: Local | None) -> float:
    peak = criterion.peak(other.coefficients)
    held = np.zeros(0) if at is None else peak.surface.held.start + peak.surface.held.K @ at.coefficients
    x = np.concatenate([variances, held])
    value = other.psi(x).value
    gone = other.kind == "correlation" and any(not one(x).value > NOTHING * one(peak.x).value for one in other.variances)
    return other.shown(value) if np.isfinite(value) and not gone else float("nan")
