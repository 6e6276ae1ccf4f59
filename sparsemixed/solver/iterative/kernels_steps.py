"""Compiled steps of conjugate gradients: one pass over vectors where array expressions would make several, and copies."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled


@compiled
def advance(active, alpha, p, through, x, r):
    """x += alpha p and r -= alpha through in the columns `active` (c,); returns the squares (c,) of these columns of r.

    alpha (c,); p, through (q, c); x, r (q, m).
    """
    squares = np.zeros(active.size)
    for i in range(p.shape[0]):
        for c in range(active.size):
            v = active[c]
            x[i, v] += alpha[c] * p[i, c]
            left = r[i, v] - alpha[c] * through[i, c]
            r[i, v] = left
            squares[c] += left * left
    return squares


@compiled
def turn(active, kept, beta, r, p, out):
    """out (q, c) = r + beta p in the columns that go on: active (c,) their places in r, kept (c,) those in p; beta (c,)."""
    for i in range(r.shape[0]):
        for c in range(active.size):
            out[i, c] = r[i, active[c]] + beta[c] * p[i, kept[c]]
