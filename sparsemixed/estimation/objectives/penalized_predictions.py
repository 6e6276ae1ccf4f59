"""Best linear unbiased predictions of the random effects and their uncertainty, from the penalised system."""

from __future__ import annotations

import numpy as np

from sparsemixed.estimation.objectives.penalized import Objective
from sparsemixed.estimation.objectives.penalized_derivatives import Derivatives
from sparsemixed.estimation.parameters import NOBODY


def random_effects(
    objective: Objective, derivatives: Derivatives, count: int
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """b (J, k) and Var(b - b_hat) (J, k, k) of every term, in the order of the design."""
    at, cp = derivatives.at, objective.cp
    blocks = derivatives.inverse_diagonals()
    means: list = [None] * count
    variances: list = [None] * count
    for t, (r, where) in enumerate(zip(objective.parameters.order, cp.slices(), strict=True)):
        if r == NOBODY:
            continue
        k, factor = cp.k[t], derivatives.factors[t]
        spread = at.U[where].reshape(cp.n_groups[t], k, at.U.shape[1])
        inverse = blocks[t] + spread @ at.XVX_inverse @ spread.transpose(0, 2, 1)
        means[r] = at.u[where].reshape(-1, k) @ factor.T
        variances[r] = at.sigma2 * (factor @ inverse @ factor.T)
    return tuple(means), tuple(variances)
