"""The priors of a case, laid out for its objective, and starting points where their densities are not zero."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.errors import NotAvailableError
from sparsemixed.estimation.interface import Penalty
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.estimation.problems.values import Case

FLOOR = 0.1
"""Standard deviation that a random effect gives rows at the start, over that of the errors."""


def penalty(case: Case, layout: ThetaMap, n_theta: int) -> Penalty | None:
    """What the priors add to the likelihood; None without priors."""
    prior = case.spec.estimation.prior
    if prior is None:
        return None
    from sparsemixed.estimation.asked_penalty import penalty_of  # delayed: no fit without priors needs densities

    part = case.design.residual
    orthogonal = case.reduction.orthogonal
    return penalty_of(prior, layout, n_theta, part is None, case.design.names, orthogonal, case.reml)


def inside(case: Case, layout: ThetaMap, theta: np.ndarray, mean_squares: Sequence[np.ndarray]) -> np.ndarray:
    """theta (n,) with every variance and eigenvalue raised off zero, where there are priors.

    Parameters
    ----------
    mean_squares : sequence of (k,)
        Of the columns of each engine term.
    """
    if case.spec.estimation.prior is None:
        return theta
    theta = theta.copy()
    for place in layout.places:
        squares = np.asarray(mean_squares[place.term][place.columns])
        factor = place.structure.factor(theta[place.theta])
        floor = FLOOR**2 / np.where(squares > 0, squares, 1.0)
        theta[place.theta] = place.structure.nearest(factor @ factor.T + np.diag(floor))
    return theta


def refuse_penalty(case: Case, why: str) -> None:
    """Raise where there are priors, and a problem that does not know them."""
    if case.spec.estimation.prior is not None:
        raise NotAvailableError(f"prior= {why}")
