"""Starting values by MIVQUE(0): quadratic forms of the residual, from the cross-products alone.

For the projected residual r = Qy and each random column c, E|Z_c'r|^2 is linear in the variances with coefficients
|Z_c'Q Z_d|_F^2 (Hartley, Rao & LaMotte 1978); solving those equations costs no factorization.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.optimize import nnls

from sparsemixed.solver.crossproducts import CrossProducts


def mivque_start(cp: CrossProducts) -> list[np.ndarray]:
    """One diagonal (k, k) covariance over sigma2 for each term; X must be orthonormal and y orthogonal to it.

    Every variance is kept positive (at least a thousandth of the residual variance per unit of the column's mean
    square), because the deviance is stationary at zero.
    """
    p, n = cp.ZtXy.shape[1] - 1, cp.n
    owner = _column_owner(cp)
    components = int(owner.max()) + 1
    indicator = sp.csr_array((np.ones(cp.q), (np.arange(cp.q), owner)), shape=(cp.q, components))
    ztx, zty = cp.ZtXy[:, :p], cp.ZtXy[:, p]
    trace = indicator.T @ (cp.matrix.diagonal() - (ztx**2).sum(axis=1))
    system = np.empty((components + 1, components + 1))
    system[:-1, :-1] = _projected_norms(cp, ztx, indicator, owner)
    system[:-1, -1] = system[-1, :-1] = trace
    system[-1, -1] = n - p
    moments = np.append(indicator.T @ zty**2, cp.XytXy[p, p])
    scale = 1.0 / np.sqrt(np.maximum(np.diag(system), np.finfo(float).tiny))
    variance = nnls(system * np.outer(scale, scale), moments * scale)[0] * scale
    total = cp.XytXy[p, p] / max(n - p, 1)
    sigma2 = max(variance[-1], 0.05 * total)
    mean_square = np.maximum(trace, np.finfo(float).tiny) / n
    relative = np.maximum(variance[:-1] / sigma2, 1e-3 / mean_square)
    return _as_matrices(cp, relative)


def _column_owner(cp: CrossProducts) -> np.ndarray:
    """(q,) number of the random column (term by term) that each random effect belongs to."""
    first = np.cumsum((0, *cp.k[:-1]))
    return np.concatenate([f + np.tile(np.arange(k), j) for f, k, j in zip(first, cp.k, cp.n_groups, strict=True)])


def _projected_norms(cp: CrossProducts, ztx: np.ndarray, indicator: sp.csr_array, owner: np.ndarray) -> np.ndarray:
    """|Z_c'Q Z_d|_F^2 for all pairs of random columns, Q = I - XX'."""
    a = cp.matrix
    squares = sp.csr_array((a.data**2, a.indices, a.indptr), shape=a.shape)
    norms = (indicator.T @ (squares @ indicator)).toarray()
    count = indicator.shape[1]
    grams = np.empty((count, ztx.shape[1], ztx.shape[1]))
    for c in range(count):
        rows = owner == c
        grams[c] = ztx[rows].T @ ztx[rows]
        # <A_cd, X_c X_d'> for every d at once
        picked = np.where(rows[:, None], ztx, 0.0)
        norms[c] -= 2.0 * (indicator.T @ ((a @ picked) * ztx).sum(axis=1))
    return norms + np.einsum("cab,dab->cd", grams, grams)


def _as_matrices(cp: CrossProducts, variances: np.ndarray) -> list[np.ndarray]:
    stops = np.cumsum(cp.k)
    return [np.diag(variances[stop - k : stop]) for stop, k in zip(stops, cp.k, strict=True)]
