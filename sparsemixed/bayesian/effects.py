"""Random effects: posterior means and covariances without drawing them, and exact draws.

Given the variance parameters, effects and coefficients are jointly normal (Henderson 1975; Lindley & Smith 1972). Means and
covariances of the effects are mixtures over draws of the variance parameters; a draw takes one solution with the factor of the
penalised system: u = u_hat + sigma inv(L')z.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sparsemixed.bayesian.perturbed import spherical_draws
from sparsemixed.bayesian.posterior import Posterior
from sparsemixed.bayesian.sums import MarginalSums, marginal_sums
from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.estimation.parameters import NO_TERM

MIXED, MIXED_LARGE, LARGE = 400, 24, 1000
"""Draws of the variance parameters that moments are taken over; of large and iterative systems, that take seconds each, fewer."""


def with_effects(posterior: Posterior) -> Posterior:
    """The posterior with the moments of its random effects.

    Raises
    ------
    OptionError
        The model has no random effects.
    """
    if posterior.effects:
        return posterior
    if not posterior.fit.design.random:
        raise OptionError("bayes: the model has no random effects")
    sums = marginal_sums(posterior.fit)
    large = sums.iterative or sums.objective.cp.q_schur >= LARGE
    if sums.iterative and sums.objective.can_be_exact:
        sums.objective.probes.exhaust()  # else the variances of single effects are off by a few per cent
    count = min(MIXED_LARGE if large else MIXED, len(posterior.sigma))
    means, squares = None, None
    for s in np.linspace(0, len(posterior.sigma) - 1, count).astype(int):
        b, variance = _moments(sums, posterior, int(s))
        if means is None:
            means, squares = [np.zeros_like(x) for x in b], [np.zeros_like(x) for x in variance]
        for r, (x, v) in enumerate(zip(b, variance, strict=True)):
            means[r] += x / count
            squares[r] += (v + x[:, :, None] * x[:, None, :]) / count  # type: ignore[index]
    assert means is not None
    assert squares is not None
    variances = [q - m[:, :, None] * m[:, None, :] for q, m in zip(squares, means, strict=True)]
    return replace(posterior, effects=tuple(means), effects_var=tuple(variances))


def _moments(sums: MarginalSums, posterior: Posterior, s: int) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Means (J, k) and covariances (J, k, k) of the effects as named, given the variance parameters of a draw."""
    objective, design = sums.objective, posterior.fit.design
    at, sigma2 = objective.evaluate(posterior.theta[s]), float(posterior.sigma[s] ** 2)
    K, g0 = posterior.precision, posterior.prior_mean
    if posterior.flat:
        moved = replace(at, sigma2=sigma2)
    else:
        xx = np.linalg.inv(at.XVX_inverse)
        inverse = np.linalg.inv(xx + sigma2 * K)
        moved = replace(at, sigma2=sigma2, XVX_inverse=inverse, beta=inverse @ (xx @ at.beta + sigma2 * K @ g0))
    return sums.layout.named_effects(*objective.predictions(design, objective.derivatives(moved)))


def effect_draws(posterior: Posterior, which: np.ndarray, seed: int) -> Iterator[tuple[int, tuple[np.ndarray, ...]]]:
    """Exact draws of the random effects, jointly with the coefficients of the same draws: (J, k) term by term of the design.

    Parameters
    ----------
    which : (m,) int
        Of the posterior's draws.
    seed : int

    Raises
    ------
    NotAvailableError
        Groups that stand for several of their kind, each with effects of its own.
    """
    design = posterior.fit.design
    if design.weights is not None and design.weights.replicates_groups:
        raise NotAvailableError("bayes: effects of groups with weights are not drawn: each group stands for several")
    sums, random = marginal_sums(posterior.fit), np.random.default_rng(seed)
    cp, layout, spread = sums.objective.cp, sums.layout, spherical_draws(sums, random)
    zeros = [np.zeros((term.n_groups, term.k, term.k)) for term in design.random]
    for s in which:
        at = sums.objective.evaluate(posterior.theta[s])
        at = replace(at, beta=posterior.gamma[s])
        u = at.u + posterior.sigma[s] * spread(at)
        found: list = [None] * len(design.random)
        for t, (r, where) in enumerate(zip(layout.order, cp.slices, strict=True)):
            if r != NO_TERM:
                found[r] = u[where].reshape(-1, cp.k[t]) @ at.factors[t].T
        yield int(s), layout.named_effects(found, zeros)[0]
