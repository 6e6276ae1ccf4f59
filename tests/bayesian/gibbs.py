"""A plain Gibbs sampler for models with normal coefficients and conjugate variances, written from the full conditionals."""

from __future__ import annotations

import numpy as np


def gibbs(y, X, Zs, prior_sd, shape, scale, count, burn, seed):
    """Draws of (beta, one variance for every Z, residual variance): normal(0, prior_sd^2) and inverse gamma(shape, scale).

    Each Z (n, J) is of one set of independent effects; all coefficients and effects are drawn together.
    """
    rng, n, p = np.random.default_rng(seed), *X.shape
    W, sizes = np.hstack([X, *Zs]), [Z.shape[1] for Z in Zs]
    WW, Wy = W.T @ W, W.T @ y
    variances, sigma2, out = np.full(len(Zs), float(y.var() / 2)), float(y.var() / 2), []
    for step in range(count + burn):
        precision = np.concatenate(
            [np.full(p, prior_sd**-2.0), *(np.full(j, 1 / v) for j, v in zip(sizes, variances, strict=True))]
        )
        lower = np.linalg.cholesky(WW / sigma2 + np.diag(precision))
        mean = np.linalg.solve(lower.T, np.linalg.solve(lower, Wy / sigma2))
        theta = mean + np.linalg.solve(lower.T, rng.standard_normal(len(mean)))
        start = p
        for k, j in enumerate(sizes):
            b = theta[start : start + j]
            variances[k] = (scale + 0.5 * b @ b) / rng.gamma(shape + 0.5 * j)
            start += j
        e = y - W @ theta
        sigma2 = (scale + 0.5 * e @ e) / rng.gamma(shape + 0.5 * n)
        if step >= burn:
            out.append([*theta[:p], *variances, sigma2])
    return np.array(out)


def batch_errors(draws, batches=50):
    """Monte Carlo standard errors of the means of a chain (S, k), by batch means."""
    means = draws[: len(draws) // batches * batches].reshape(batches, -1, draws.shape[1]).mean(axis=1)
    return means.std(axis=0, ddof=1) / np.sqrt(batches)
