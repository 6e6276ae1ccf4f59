"""The weighted likelihood of nested models as the integrals that define it (manual, equation 14), one group at a time.

log L of a group is the log of the integral over its random effects of the product of what is below it, each factor raised to
its weight. With normal densities the logarithm of every factor is a quadratic in the effects of the levels above, which
`QuadraticForm` carries up; nothing is shared with the engine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class QuadraticForm:
    """b -> -(b'A b - 2 h'b + c) / 2 over the effects b of all levels above."""

    A: np.ndarray
    h: np.ndarray
    c: float

    def __add__(self, other):
        return QuadraticForm(self.A + other.A, self.h + other.h, self.c + other.c)

    def __mul__(self, weight):
        return QuadraticForm(weight * self.A, weight * self.h, weight * self.c)


def log_likelihood(e, sigma2, levels, row_weights):
    """Weighted log likelihood of residuals e = y - X beta.

    Parameters
    ----------
    levels : list of (codes (n,), Z (n, k), G (k, k), weights (n_groups,)), from the top
        Codes are nested; `weights` are those of the groups themselves, not products.
    row_weights : (n,)
    """
    sizes = [Z.shape[1] for _, Z, _, _ in levels]
    total = _below(e, sigma2, levels, row_weights, np.arange(len(e)), 0, sizes)
    return -0.5 * total.c


def _below(e, sigma2, levels, row_weights, rows, depth, sizes):
    """Sum of the weighted factors of everything inside `rows`, groups of level `depth` and deeper integrated out."""
    above = sum(sizes[:depth])
    if depth == len(levels):
        out = QuadraticForm(np.zeros((above, above)), np.zeros(above), 0.0)
        for i in rows:
            z = np.concatenate([Z[i] for _, Z, _, _ in levels]) if levels else np.zeros(0)
            one = QuadraticForm(np.outer(z, z) / sigma2, z * e[i] / sigma2, e[i] ** 2 / sigma2 + np.log(2 * np.pi * sigma2))
            out = out + one * row_weights[i]
        return out
    codes, _, G, weights = levels[depth]
    out = QuadraticForm(np.zeros((above, above)), np.zeros(above), 0.0)
    for group in np.unique(codes[rows]):
        inside = _below(e, sigma2, levels, row_weights, rows[codes[rows] == group], depth + 1, sizes)
        out = out + _integrated(inside, G, above) * weights[group]
    return out


def _integrated(form, G, above):
    """The integral over the last k effects against their normal density N(0, G), G = root root' perhaps singular."""
    own = slice(above, None)
    values, vectors = np.linalg.eigh(G)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    B = root.T @ form.A[own, own] @ root + np.eye(len(G))
    cross, h, inverse = form.A[:above, own] @ root, root.T @ form.h[own], np.linalg.inv(B)
    return QuadraticForm(
        form.A[:above, :above] - cross @ inverse @ cross.T,
        form.h[:above] - cross @ inverse @ h,
        form.c - h @ inverse @ h + np.linalg.slogdet(B)[1],
    )
