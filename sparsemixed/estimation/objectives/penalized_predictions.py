"""Best linear unbiased predictions of the random effects and their uncertainty, from the penalised system."""

from __future__ import annotations

from sparsemixed.estimation.interface import Predictions, SphericalDerivatives, SphericalEvaluation
from sparsemixed.estimation.parameters import NO_TERM, ThetaMap


def random_effects(parameters: ThetaMap, derivatives: SphericalDerivatives, count: int, reml: bool) -> Predictions:
    """b (J, k) and Var(b - b_hat) (J, k, k) of every term, in the order of the design, which has `count` of them.

    Var(b - b_hat) is sigma2 Lambda N Lambda' after maximum likelihood, which takes beta as known as it does the variance
    parameters; after REML beta is estimated, and sigma2 Lambda U Phi U' Lambda' comes to it (Henderson 1975).
    """
    at, blocks = derivatives.at, derivatives.inverse_diagonals()
    variances: list = [None] * count
    for t, r in enumerate(parameters.order):
        if r == NO_TERM:
            continue
        factor, inverse = at.factors[t], blocks[t]
        if reml:
            inverse = inverse + derivatives.fixed_blocks[t]
        variances[r] = at.sigma2 * (factor @ inverse @ factor.T)
    return predicted_means(parameters, at, count), tuple(variances)


def predicted_means(parameters: ThetaMap, at: SphericalEvaluation, count: int) -> tuple:
    """b (J, k) of every term."""
    means: list = [None] * count
    for t, (r, where) in enumerate(zip(parameters.order, at.cp.slices, strict=True)):
        if r != NO_TERM:
            means[r] = at.u[where].reshape(-1, at.cp.k[t]) @ at.factors[t].T
    return tuple(means)
