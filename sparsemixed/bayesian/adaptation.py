"""Proposals fitted to weighted draws: by EM, and then with the skewness and the degrees of freedom that the draws suggest."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from sparsemixed.bayesian.proposal import TMixture
from sparsemixed.bayesian.special import logsumexp, stdtrit

STEPS = 3
"""Of EM in every adaptation: the sample that they fit is random itself."""
RIDGE = 0.02
"""Share of the former scale that stays in a fitted one, per draw that is missing to a sure one."""
LEAST_SHARE = 0.02
SURE, FEWEST = 8, 150
"""Effective draws per dimension, and in all, from which a component's own skewness and degrees of freedom are fitted: fewer make
the tails too light where the posterior has a long one."""
DEGREES = (5.0, 8.0, 13.0, 21.0)
"""Of freedom that are tried: tails that are lighter than those of the last would be a risk without a gain."""
BULK = 0.2
"""Share from which a component stands for the bulk of the posterior, and not for what may lie around it."""
SKEWS, CLIPPED = np.linspace(-1.2, 1.2, 97), 4.0
"""Values of e that are tabulated, and standard deviations beyond which a draw says no more of its sign's side."""


def fitted(mixture: TMixture, phi: np.ndarray, weights: np.ndarray, axes: np.ndarray) -> TMixture:
    """A few steps of EM from a mixture without skewness to draws (S, n) with weights (S,) of sum one (Cappe et al. 2008).

    Where weights are few, scales keep a part of what they were, and correlations along the first `axes` (c, n, n) of components
    are smaller than those of the draws.
    """
    n, v = phi.shape[1], mixture.degrees
    for _ in range(STEPS):
        member = _members(mixture, phi, weights)
        pull = (v + n) / (v + mixture.distances(phi))
        shares, centres, roots = member.sum(axis=0), [], []
        for c, root in enumerate(mixture.roots):
            own, count = member[:, c] * pull[:, c], _effective(member[:, c])
            total = float(own.sum())
            if total <= 0 or count < 2:
                centres.append(mixture.centres[c])
                roots.append(root)
                continue
            keep = min(1.0, 2.0 * n / count)
            centre = (1 - keep) * (own @ phi / total) + keep * mixture.centres[c]
            off = phi - centre
            scale = (own[:, None] * off).T @ off / max(float(member[:, c].sum()), 1e-300)
            scale = _shrunk(scale, axes[c], count)
            roots.append(np.linalg.cholesky((1 - keep) * scale + (keep + RIDGE) * (root @ root.T)))
            centres.append(centre)
        shares = np.maximum(shares, LEAST_SHARE)
        mixture = replace(mixture, shares=shares / shares.sum(), centres=np.array(centres), roots=np.array(roots))
    return mixture


def shaped(mixture: TMixture, phi: np.ndarray, weights: np.ndarray, axes: np.ndarray) -> TMixture:
    """The same mixture, of which components with enough draws have their mean, covariance, and skewness along principal axes.

    Of the degrees of freedom those that make the draws likeliest.
    """
    n, member = phi.shape[1], _members(mixture, phi, weights)
    centres, roots, degrees, skews = (x.copy() for x in (mixture.centres, mixture.roots, mixture.degrees, mixture.skews))
    for c in range(len(mixture.shares)):
        own, count = member[:, c], _effective(member[:, c])
        if count >= max(SURE * n, FEWEST) and mixture.shares[c] > BULK:
            centres[c], roots[c], degrees[c], skews[c] = _component(phi, own / own.sum(), count, axes[c])
    return replace(mixture, centres=centres, roots=roots, degrees=degrees, skews=skews)


def _members(mixture: TMixture, phi: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(S, c): the weights, shared out to components by how likely each has made a draw."""
    parts = mixture.log_parts(phi)
    return np.exp(parts - logsumexp(parts, axis=1, keepdims=True)) * weights[:, None]


def _effective(weights: np.ndarray) -> float:
    return float(weights.sum() ** 2 / max((weights**2).sum(), 1e-300))


def _shrunk(scale: np.ndarray, axes: np.ndarray, count: float) -> np.ndarray:
    """A matrix (n, n) from draws worth `count`, without the part of its correlations in the basis of `axes` that is their noise.

    There are n (n - 1) / 2 of them: from a few hundred draws in twenty dimensions they would make a worse proposal than none.
    """
    n, inverse = len(axes), np.linalg.inv(axes)
    inner = inverse @ scale @ inverse.T
    size = np.sqrt(np.diag(inner))
    off = inner / np.outer(size, size) - np.eye(n)
    square = float((off**2).sum()) / max(n * (n - 1), 1)
    share = np.clip(1.0 - 1.0 / (count * square), 0.0, 1.0) if square > 0 else 0.0
    root = axes * size
    return root @ (np.eye(n) + share * off) @ root.T


def _component(
    phi: np.ndarray, weights: np.ndarray, count: float, axes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """Centre, root, degrees and skewness from draws with weights of sum one that are worth `count`."""
    mean = weights @ phi
    off = phi - mean
    values, axes = np.linalg.eigh(_shrunk((weights[:, None] * off).T @ off, axes, count))
    size = np.sqrt(np.maximum(values, 1e-12 * values[-1]))
    third = weights @ np.clip(off @ axes / size, -CLIPPED, CLIPPED) ** 3
    third *= third**2 / (third**2 + 6.0 / count)  # as much of it as is not noise
    best, found = -np.inf, None
    for v in DEGREES:
        e, middle, spread = _of_skewness(v, third)
        root = axes * (size / spread)
        one = mean - root @ middle, root, v, e
        own = TMixture(np.ones(1), one[0][None], root[None], np.array([v]), e[None])
        value = float(weights @ own.log_density(phi))
        if value > best:
            best, found = value, one
    assert found is not None
    return found


def _of_skewness(v: float, third: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """e (n,) of these skewnesses (n,), with the mean and the standard deviation of what it makes of a t with v degrees."""
    middle, spread, skewness = _moments(v)
    e = np.interp(third, skewness, SKEWS)
    return e, np.interp(e, SKEWS, middle), np.interp(e, SKEWS, spread)


@cache
def _moments(v: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, standard deviation and skewness of sinh(arcsinh t + e) at every e of `SKEWS`, t cut off where draws are."""
    t = stdtrit(v, (np.arange(4000) + 0.5) / 4000)[:, None]
    y = t * np.cosh(SKEWS) + np.sqrt(1 + t * t) * np.sinh(SKEWS)
    middle, spread = y.mean(axis=0), y.std(axis=0)
    return middle, spread, (np.clip((y - middle) / spread, -CLIPPED, CLIPPED) ** 3).mean(axis=0)
