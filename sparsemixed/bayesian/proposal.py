"""Proposals: mixtures of skewed multivariate t distributions, drawn from and evaluated.

A component is x = centre + root y with y = t cosh(e) + sqrt(1 + t^2) sinh(e), element by element, of a multivariate t: the
sinh-arcsinh transformation sinh(arcsinh t + e) (Jones & Pewsey 2009), whose inverse is that with -e, and whose tails those of t.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparsemixed.bayesian.mode import Mode
from sparsemixed.bayesian.special import gammaln, logsumexp

DEGREES = 5.0
"""Of freedom of every t in a few dimensions: tails heavier than the posterior's, at little cost. At modes in more there are
as many as dimensions: with fewer the radius varies much more than that of the posterior."""
WIDE_SHARE = 0.12
"""Of the wider second component of every mode."""
TAIL_SHARE, MOST_TAILS = 0.12, 0.4
"""Share of a component along a long tail, and of all of these together at most."""
PRIOR_VARIANCE = float(np.pi**2 / 12)
"""Of atanh of a correlation that is uniform."""


@dataclass(frozen=True)
class TMixture:
    """Shares (c,), centres (c, n), roots (c, n, n) of the scale matrices, degrees of freedom (c,) and skewness e (c, n)."""

    shares: np.ndarray
    centres: np.ndarray
    roots: np.ndarray
    degrees: np.ndarray
    skews: np.ndarray

    def draw(self, count: int, random: np.random.Generator) -> np.ndarray:
        """Independent draws (count, n)."""
        n = self.centres.shape[1]
        which = random.choice(len(self.shares), size=count, p=self.shares)
        t, degrees = random.standard_normal((count, n)), self.degrees[which]
        t *= np.sqrt(degrees / random.chisquare(degrees))[:, None]
        if self.skews.any():
            t = skewed(t, self.skews[which])
        return self.centres[which] + np.einsum("sab,sb->sa", self.roots[which], t)

    def _straightened(self, phi: np.ndarray, c: int) -> tuple[np.ndarray, float | np.ndarray]:
        """The t (n, S) that a component has made phi (S, n) of, and the log determinant of dt / dy (S,)."""
        y, skew = np.linalg.solve(self.roots[c], (phi - self.centres[c]).T), self.skews[c]
        if not skew.any():
            return y, 0.0
        t = skewed(y, -skew[:, None])
        return t, 0.5 * (np.log1p(t * t) - np.log1p(y * y)).sum(axis=0)

    def distances(self, phi: np.ndarray) -> np.ndarray:
        """Squared lengths (S, c) of the t of every component."""
        return np.array([(self._straightened(phi, c)[0] ** 2).sum(axis=0) for c in range(len(self.shares))]).T

    def log_parts(self, phi: np.ndarray) -> np.ndarray:
        """Log of share times density of every component (S, c)."""
        n, out = self.centres.shape[1], np.empty((len(phi), len(self.shares)))
        for c, v in enumerate(self.degrees):
            t, jacobian = self._straightened(phi, c)
            constant = gammaln((v + n) / 2) - gammaln(v / 2) - 0.5 * n * np.log(v * np.pi)
            constant = constant - np.linalg.slogdet(self.roots[c])[1]
            out[:, c] = constant + jacobian - 0.5 * (v + n) * np.log1p((t * t).sum(axis=0) / v)
        with np.errstate(divide="ignore"):
            return np.log(self.shares) + out

    def log_density(self, phi: np.ndarray) -> np.ndarray:
        """Log densities (S,)."""
        return logsumexp(self.log_parts(phi), axis=1)


def skewed(t: np.ndarray, e: np.ndarray) -> np.ndarray:
    """sinh(arcsinh t + e).

    Examples
    --------
    >>> import numpy as np
    >>> t = np.array([-2.0, 0.0, 3.0])
    >>> skewed(skewed(t, np.array(0.7)), np.array(-0.7)).round(12)
    array([-2.,  0.,  3.])
    """
    return t * np.cosh(e) + np.sqrt(1.0 + t * t) * np.sinh(e)


def at_modes(modes: Sequence[Mode]) -> TMixture:
    """A t at every mode and a wider one around it, and one along every long tail."""
    mass = np.array([mode.log_mass for mode in modes])
    shares = np.exp(mass - logsumexp(mass))
    shares = 0.8 * shares + 0.2 / len(modes)
    roots = np.array([np.linalg.cholesky(mode.covariance) for mode in modes])
    centres = np.array([mode.phi for mode in modes])
    both = np.concatenate([(1 - WIDE_SHARE) * shares, WIDE_SHARE * shares])
    n = centres.shape[1]
    degrees = np.repeat([max(DEGREES, n), DEGREES], len(modes))
    # In many dimensions little is needed for a much larger volume.
    centres, roots = np.concatenate([centres, centres]), np.concatenate([roots, (1.0 + 2.0 / np.sqrt(n)) * roots])
    tails = [(mode, *tail) for mode in modes for tail in mode.tails]
    if not tails:
        return TMixture(both, centres, roots, degrees, np.zeros_like(centres))
    away, spread = [], []
    for mode, k, reach, lost in tails:
        axis, centre = np.eye(len(mode.phi))[k], mode.phi.copy()
        covariance = 1.5 * mode.covariance + (0.5 * reach) ** 2 * np.outer(axis, axis)
        centre[k] -= 0.5 * reach
        for j in lost:  # as wide as the prior, in the middle between it and the mode
            centre[j] *= 0.5
            covariance[j, j] += PRIOR_VARIANCE
        away.append(centre)
        spread.append(np.linalg.cholesky(covariance))
    own = np.full(len(tails), min(TAIL_SHARE, MOST_TAILS / len(tails)))
    both = np.concatenate([(1 - own.sum()) * both, own])
    centres, degrees = np.concatenate([centres, away]), np.append(degrees, np.full(len(tails), DEGREES))
    return TMixture(both, centres, np.concatenate([roots, spread]), degrees, np.zeros_like(centres))
