"""Marginal likelihoods from draws of the posterior themselves: bridge sampling (Meng & Wong 1996).

With N1 draws of the posterior p / Z and N2 of a proposal q, s1 and s2 their shares,

    Z = mean over q of p / (s1 p + s2 Z q)  /  mean over p of q / (s1 p + s2 Z q),

solved by iteration, which has the smallest error of all such ratios. Half of the posterior's draws make the proposal, and the
other half are those of the formula (Overstall & Forster 2010); a chain's draws count as many as are effective. The error is the
relative one of both means (Fruehwirth-Schnatter 2004).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsemixed.bayesian.adaptation import fitted
from sparsemixed.bayesian.proposal import TMixture
from sparsemixed.bayesian.special import logsumexp

DEGREES, STEPS, SAME = 5.0, 1000, 1e-10
"""Degrees of freedom of the proposal; iterations, and the change of log Z that ends them."""


def bridged(
    phi: np.ndarray, log_density: Callable[[np.ndarray], np.ndarray], share: float, random: np.random.Generator
) -> tuple[float, float]:
    """Log of the integral of a density and its Monte Carlo error, from draws of it.

    Parameters
    ----------
    phi : (S, n)
        Chain after chain.
    log_density : callable
        Unnormalised, (S,) at (S, n).
    share : float
        Effective draws for each draw.
    random : Generator
        Of the proposal's draws, of which there are half as many.
    """
    first, second = np.array_split(phi, 2)  # one chain each, of two: what the proposal saw is not what the formula sees
    proposal = _proposal(first)
    drawn = proposal.draw(len(second), random)
    own, other = (log_density(x) - proposal.log_density(x) for x in (second, drawn))
    count = share * len(second)
    s1, s2 = np.log(count / (count + len(drawn))), np.log(len(drawn) / (count + len(drawn)))
    log_z, before = float(np.median(own)), np.inf

    def logs() -> tuple[np.ndarray, np.ndarray]:
        return other - np.logaddexp(s1 + other, s2 + log_z), -np.logaddexp(s1 + own, s2 + log_z)

    for _ in range(STEPS):
        if abs(log_z - before) < SAME:
            break
        over, under = logs()
        before, log_z = log_z, float(logsumexp(over) - np.log(len(over)) - logsumexp(under) + np.log(len(under)))
    over, under = logs()
    return log_z, float(np.sqrt(_relative(over) / len(over) + _relative(under) / count))


def _proposal(phi: np.ndarray) -> TMixture:
    """A multivariate t and a wider one, fitted to draws."""
    n, root = phi.shape[1], np.linalg.cholesky(np.cov(phi, rowvar=False).reshape(phi.shape[1], -1))
    centre, roots = phi.mean(axis=0), np.array([root, 2.0 * root])
    start = TMixture(np.array([0.9, 0.1]), np.array([centre, centre]), roots, np.full(2, DEGREES), np.zeros((2, n)))
    return fitted(start, phi, np.full(len(phi), 1.0 / len(phi)), roots)


def _relative(logs: np.ndarray) -> float:
    """Variance over squared mean of exp(logs)."""
    values = np.exp(logs - logs.max())
    return float(values.var() / values.mean() ** 2)
