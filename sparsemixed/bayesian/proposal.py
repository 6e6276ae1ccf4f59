"""Proposals: mixtures of multivariate t distributions, drawn from, evaluated, and fitted to weighted draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparsemixed.bayesian.mode import Mode
from sparsemixed.bayesian.special import gammaln, logsumexp

DEGREES = 5.0
"""Of freedom of every t: heavier tails than those of the posterior, at little cost."""
WIDE, WIDE_SHARE = 2.0, 0.12
"""How much wider the second component of every mode is, and its share."""
TAIL_SHARE, MOST_TAILS = 0.12, 0.4
"""Share of a component along a long tail, and of all of these together at most."""
PRIOR_VARIANCE = float(np.pi**2 / 12)
"""Of atanh of a correlation that is uniform."""
STEPS = 3
"""Of EM in every adaptation: the sample that they fit is random itself."""
RIDGE = 0.02
"""Share of the former scale that stays in a fitted one, per draw that is missing to a sure one."""


@dataclass(frozen=True)
class TMixture:
    """Shares (c,), centres (c, n) and lower roots (c, n, n) of the scale matrices, all with the same degrees of freedom."""

    shares: np.ndarray
    centres: np.ndarray
    roots: np.ndarray
    degrees: float = DEGREES

    def draw(self, count: int, random: np.random.Generator) -> np.ndarray:
        """Independent draws (count, n)."""
        n = self.centres.shape[1]
        which = random.choice(len(self.shares), size=count, p=self.shares)
        normal = random.standard_normal((count, n))
        scale = np.sqrt(self.degrees / random.chisquare(self.degrees, count))
        return self.centres[which] + scale[:, None] * np.einsum("sab,sb->sa", self.roots[which], normal)

    def distances(self, phi: np.ndarray) -> np.ndarray:
        """Squared Mahalanobis distances (S, c)."""
        out = np.empty((len(phi), len(self.shares)))
        for c, (centre, root) in enumerate(zip(self.centres, self.roots, strict=True)):
            out[:, c] = np.sum(np.linalg.solve(root, (phi - centre).T) ** 2, axis=0)
        return out

    def log_parts(self, phi: np.ndarray) -> np.ndarray:
        """Log of share times density of every component (S, c)."""
        n, v = self.centres.shape[1], self.degrees
        logdet = np.log(np.abs(np.einsum("caa->ca", self.roots))).sum(axis=1)
        constant = gammaln((v + n) / 2) - gammaln(v / 2) - 0.5 * n * np.log(v * np.pi) - logdet
        with np.errstate(divide="ignore"):
            return np.log(self.shares) + constant - 0.5 * (v + n) * np.log1p(self.distances(phi) / v)

    def log_density(self, phi: np.ndarray) -> np.ndarray:
        """Log densities (S,)."""
        return logsumexp(self.log_parts(phi), axis=1)


def at_modes(modes: Sequence[Mode]) -> TMixture:
    """A t at every mode and a wider one around it, and one along every long tail."""
    mass = np.array([mode.log_mass for mode in modes])
    shares = np.exp(mass - logsumexp(mass))
    shares = 0.8 * shares + 0.2 / len(modes)
    roots = np.array([np.linalg.cholesky(mode.covariance) for mode in modes])
    centres = np.array([mode.phi for mode in modes])
    both = np.concatenate([(1 - WIDE_SHARE) * shares, WIDE_SHARE * shares])
    centres, roots = np.concatenate([centres, centres]), np.concatenate([roots, WIDE * roots])
    tails = [(mode, *tail) for mode in modes for tail in mode.tails]
    if not tails:
        return TMixture(both, centres, roots)
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
    return TMixture(both, np.concatenate([centres, away]), np.concatenate([roots, spread]))


def fitted(mixture: TMixture, phi: np.ndarray, weights: np.ndarray) -> TMixture:
    """A few steps of EM from a mixture to draws (S, n) with weights (S,) that sum to one (Cappe et al. 2008).

    Where weights are few, scales keep a part of what they were.
    """
    n, v = phi.shape[1], mixture.degrees
    for _ in range(STEPS):
        parts = mixture.log_parts(phi)
        member = np.exp(parts - logsumexp(parts, axis=1, keepdims=True)) * weights[:, None]
        pull = (v + n) / (v + mixture.distances(phi))
        shares, centres, roots = member.sum(axis=0), [], []
        for c, root in enumerate(mixture.roots):
            own = member[:, c] * pull[:, c]
            total, count = float(own.sum()), float(member[:, c].sum() ** 2 / max((member[:, c] ** 2).sum(), 1e-300))
            before = root @ root.T
            if total <= 0 or count < 2:
                centres.append(mixture.centres[c])
                roots.append(root)
                continue
            keep = min(1.0, 2.0 * n / count)
            centre = (1 - keep) * (own @ phi / total) + keep * mixture.centres[c]
            off = phi - centre
            scale = (own[:, None] * off).T @ off / max(float(member[:, c].sum()), 1e-300)
            roots.append(np.linalg.cholesky((1 - keep) * scale + (keep + RIDGE) * before))
            centres.append(centre)
        shares = np.maximum(shares, 0.02)
        mixture = TMixture(shares / shares.sum(), np.array(centres), np.array(roots), v)
    return mixture
