"""Starting values for designs whose Z'Z is only ever multiplied: variances from moments, covariances from zero.

The equations of `estimation.start.moments` with diagonal weights, for which tr(S_c B D_d B) is a sum of squares of the entries of
B = Z'Z - Z'X X'Z: one pass over the cells.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsemixed.estimation.start.moments import PRIOR, Component, Moments, bounds, mean_squares, positive, solve_bounded
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, pair_indices
from sparsemixed.solver.crossproducts.kernels import add_weighted_squares


def moment_start(cp: CrossProducts, through: Callable[[np.ndarray], np.ndarray]) -> Moments:
    """A start from the cross-products; X must be orthonormal and y orthogonal to it.

    Parameters
    ----------
    through : callable
        Z'Z values for values (q, m).
    """
    p, n = cp.ZtXy.shape[1] - 1, cp.n
    F, zty = cp.ZtXy[:, :p], cp.ZtXy[:, p]
    label, count = _component_of_columns(cp)
    blocks = cp.own_blocks
    diagonal = np.concatenate([np.einsum("iaa->ia", block).ravel() for block in blocks])
    square = np.bincount(label, diagonal, count) / n
    # Of a column of zeros, which stands for levels without data, nothing is known.
    s = np.where(square[label] > 0, 1.0 / (diagonal + PRIOR * np.where(square > 0, square, 1.0)[label]) ** 2, 0.0)
    system = np.empty((count + 1, count + 1))
    system[:-1, :-1] = _squares(cp, s, label, count)
    for d in range(count):
        inside = label == d
        moved = through(F * inside[:, None]) if p else F
        cross = np.bincount(label, s * np.einsum("ia,ia->i", F, moved), count)
        system[:-1, d] += np.bincount(label, s * np.einsum("ia,ab,ib->i", F, F[inside].T @ F[inside], F), count) - 2.0 * cross
    defect = diagonal - np.einsum("ia,ia->i", F, F)
    system[:-1, -1] = np.bincount(label, s * defect, count)
    traces = np.maximum(np.bincount(label, defect, count), 1e-2 * np.bincount(label, diagonal, count))
    system[-1, :-1], system[-1, -1] = traces, n - p
    moments = np.append(np.bincount(label, s * zty**2, count), cp.square)
    total = moments[-1] / max(n - p, 1)
    components = [Component(t, a, a) for t, k in enumerate(cp.k) for a in range(k)]
    values = solve_bounded(system, moments, *bounds(components, traces / n, total))
    covariances = positive(cp, components, values[:-1] / max(values[-1], 0.05 * total), traces / n)
    return Moments(covariances, mean_squares(blocks, n))


def _component_of_columns(cp: CrossProducts) -> tuple[np.ndarray, int]:
    """(q,) which coefficient of which term each random effect is, counted through."""
    starts = np.cumsum((0, *cp.k))
    labels = [start + np.tile(np.arange(k), j) for start, k, j in zip(starts, cp.k, cp.n_groups, strict=False)]
    return np.concatenate(labels), int(starts[-1])


def _squares(cp: CrossProducts, s: np.ndarray, label: np.ndarray, count: int) -> np.ndarray:
    """sum of s_i A_ij^2 over i of component c and j of component d; (count, count)."""
    out = np.zeros((count, count))
    q0, k0 = cp.sizes[0], cp.k[0]
    own = s[:q0].reshape(-1, k0)
    out[:k0, :k0] = np.einsum("ia,iab->ab", own, cp.first**2)
    add_weighted_squares(cp.indptr, cp.columns, cp.cross, own, s[q0:], label[q0:], out)
    for pair in cp.pairs:
        row, col = (index.ravel() + q0 for index in pair_indices(cp, pair))
        square = pair.values.ravel() ** 2
        np.add.at(out, (label[row], label[col]), s[row] * square)
        if pair.t != pair.u:
            np.add.at(out, (label[col], label[row]), s[col] * square)
    return out
