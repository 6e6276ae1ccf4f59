"""Where a search over the errors' parameters starts: the best of a few places on the scale of the observed gaps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sparsemixed.design.values import ResidualPart
from sparsemixed.estimation.interface import E, Objective, ScoreDerivatives
from sparsemixed.estimation.trial import evaluated
from sparsemixed.structures.residual_errors.base import ResidualStructure
from sparsemixed.structures.residual_errors.by_level import ByLevel
from sparsemixed.structures.residual_errors.gaps import neighbouring_gaps


def residual_start(
    objective: Objective[E, ScoreDerivatives], theta: np.ndarray, part: ResidualPart, residual: np.ndarray | None
) -> E:
    """The evaluation at theta of the random effects and the best start of the errors; levels of by() one after the other.

    A family offers its `starts`; where it has a single one, nothing is tried.

    Parameters
    ----------
    theta : (n_theta,) float64
        Of the random effects.
    residual : (n,) float64 or None
        Of the fixed part alone, where its moments are those of the errors: without random effects.

    Raises
    ------
    NumericalError
        The system breaks down at every one of them.
    """
    rho, best = start_of_moments(part, residual), None
    for share in _shares(part, residual):
        places = share.structure.starts(share.typical, share.moments)
        if len(places) == 1:
            rho[share.where] = places[0]
            continue
        trials = []
        for place in places:
            trial = rho.copy()
            trial[share.where] = place
            trials.append(evaluated(objective, np.append(theta, trial)))
        best = min((at for at in trials if at is not None), key=lambda at: at.deviance, default=best)
        if best is not None:
            rho = best.theta[theta.size :].copy()
    return (
        best if best is not None and np.array_equal(best.theta[theta.size :], rho) else objective.evaluate(np.append(theta, rho))
    )


def has_many_maxima(part: ResidualPart) -> bool:
    """Whether errors of this kind have several maxima at the gaps of some level of by()."""
    return any(share.structure.has_many_maxima(share.typical) for share in _shares(part, None))


def start_of_moments(part: ResidualPart, residual: np.ndarray | None) -> np.ndarray:
    """rho of the residual's moments as if there were no random effects, level of by() by level; independence without one."""
    rho = part.structure.start()
    for share in _shares(part, residual):
        rho[share.where] = share.structure.start(share.moments)
    return rho


def other_starts(part: ResidualPart, residual: np.ndarray) -> list[np.ndarray]:
    """Places rho from which to search once more where a search has ended at a limit, the same rank in every level of by().

    Parameters
    ----------
    residual : (n,) float64
        Of the fixed part alone.
    """
    shares = _shares(part, residual)
    offers = [share.structure.others(share.typical, share.moments) for share in shares]
    found = []
    for k in range(max(len(places) for places in offers)):
        rho = part.structure.start()
        for share, places in zip(shares, offers, strict=True):
            rho[share.where] = places[k % len(places)]
        found.append(rho)
    return found


class _Share(NamedTuple):
    """A structure's place in rho, the median gap between neighbours in time of its groups, and the moments of its errors."""

    structure: ResidualStructure
    where: slice
    typical: float
    moments: np.ndarray | None


def _shares(part: ResidualPart, residual: np.ndarray | None) -> list[_Share]:
    """One share for every level of by()."""
    structure = part.structure
    if not isinstance(structure, ByLevel):
        t = part.t
        return [_Share(structure, slice(0, structure.n_rho), _typical(t, part.codes), _moments(part, t, part.codes, residual))]
    found = []
    for k, own in enumerate(structure.structures):
        where, rows = structure.inside[k], part.t[:, 1] == k
        t, codes = part.t[rows, 0], part.codes[rows]
        moments = _moments(part, t, codes, None if residual is None else residual[rows])
        found.append(_Share(own, where, _typical(t, codes), moments))
    return found


def _typical(t: np.ndarray, codes: np.ndarray) -> float:
    gaps = neighbouring_gaps(t, codes)
    return float(np.median(gaps)) if gaps.size else 1.0


def _moments(part: ResidualPart, t: np.ndarray, codes: np.ndarray, residual: np.ndarray | None) -> np.ndarray | None:
    """(p, p) mean products of the residuals at every pair of levels of t(); None where some level has none."""
    if part.levels is None or residual is None or part.structure.independent_rows:
        return None
    p, place = len(part.levels), t.astype(np.int64)
    groups, codes = np.unique(codes, return_inverse=True)
    table, seen = np.zeros((groups.size, p)), np.zeros((groups.size, p))
    table[codes, place], seen[codes, place] = residual, 1.0
    moments = (table.T @ table) / np.maximum(seen.T @ seen, 1.0)
    return moments if np.all(np.diag(moments) > 0) else None
