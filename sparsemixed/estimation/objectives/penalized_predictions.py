"""Best linear unbiased predictions of the random effects and their uncertainty, from the penalised system."""

from __future__ import annotations

from sparsemixed.estimation.interface import Predictions, SphericalDerivatives
from sparsemixed.estimation.parameters import NO_TERM, Parameters


def random_effects(parameters: Parameters, derivatives: SphericalDerivatives, count: int) -> Predictions:
    """b (J, k) and Var(b - b_hat) (J, k, k) of every term, in the order of the design, which has `count` of them."""
    at, blocks = derivatives.at, derivatives.inverse_diagonals()
    cp = at.cp
    means: list = [None] * count
    variances: list = [None] * count
    for t, (r, where) in enumerate(zip(parameters.order, cp.slices(), strict=True)):
        if r == NO_TERM:
            continue
        k, factor = cp.k[t], at.factors[t]
        spread = at.U[where].reshape(cp.n_groups[t], k, at.U.shape[1])
        inverse = blocks[t] + spread @ at.XVX_inverse @ spread.transpose(0, 2, 1)
        means[r] = at.u[where].reshape(-1, k) @ factor.T
        variances[r] = at.sigma2 * (factor @ inverse @ factor.T)
    return tuple(means), tuple(variances)
