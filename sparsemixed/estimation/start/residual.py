"""Where a search over the errors' parameters starts: the best of a few places on the scale of the observed gaps."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsemixed.design.values import ResidualPart
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.interface import Objective
from sparsemixed.structures.residual_errors.by_level import ByLevel
from sparsemixed.structures.residual_errors.gaps import neighbouring_gaps


def residual_start(objective: Objective, theta: np.ndarray, part: ResidualPart, moments: np.ndarray | None) -> Any:
    """The evaluation at theta of the random effects and the best start of the errors; levels of by() one after the other.

    A family offers its `starts`; where it has a single one, nothing is tried.

    Parameters
    ----------
    theta : (n_theta,) float64
        Of the random effects.
    moments : see `ResidualStructure.start`

    Raises
    ------
    NumericalError
        The system breaks down at every one of them.
    """
    rho = part.structure.start(moments)
    best = None
    for where, places in _offers(part, moments):
        found = []
        for place in places if len(places) > 1 or best is None else ():
            trial = rho.copy()
            trial[where] = place
            found.append(_evaluated(objective, np.append(theta, trial)))
        known = [at for at in found if at is not None]
        if known:
            best = min(known, key=lambda at: at.deviance)
            rho = best.theta[theta.size :]
    return best if best is not None else objective.evaluate(np.append(theta, rho))


def interior_starts(part: ResidualPart) -> list[np.ndarray]:
    """All starts that the family offers, the same rank in every level of by(), the others as by default."""
    offers = _offers(part, None)
    found = []
    for k in range(max(len(places) for _, places in offers)):
        rho = part.structure.start()
        for where, places in offers:
            rho[where] = places[min(k, len(places) - 1)]
        found.append(rho)
    return found


def _offers(part: ResidualPart, moments: np.ndarray | None) -> list[tuple[slice, list[np.ndarray]]]:
    """Places in rho, and what may stand there."""
    structure = part.structure
    if not isinstance(structure, ByLevel):
        return [(slice(None), structure.starts(_typical(part.t, part.codes), moments))]
    t, level = part.t[:, 0], part.t[:, 1]
    offers = []
    for k, own in enumerate(structure.structures):
        where, rows = structure.slices[k], level == k
        offers.append((slice(where.start + (k > 0), where.stop), own.starts(_typical(t[rows], part.codes[rows]), moments)))
    return offers


def _typical(t: np.ndarray, codes: np.ndarray) -> float:
    """Median gap between neighbours in time; one where there are none."""
    if t.ndim > 1:
        return 1.0
    gaps = neighbouring_gaps(t, codes)
    return float(np.median(gaps)) if gaps.size else 1.0


def _evaluated(objective: Objective, theta: np.ndarray) -> Any:
    try:
        return objective.evaluate(theta)
    except NumericalError:
        return None
