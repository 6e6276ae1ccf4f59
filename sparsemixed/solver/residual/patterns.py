"""Independent clusters of rows, grouped by pattern: clusters of one pattern share their covariance matrix.

A cluster is a set of rows that no random effect and no residual group links to rows outside it. Two clusters have the same
pattern when their times, their residual groups and their random-effects columns agree row by row; then the likelihood
needs only the sums of their cross-products, and its cost does not grow with the number of clusters that share a pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparsemixed.delayed import csgraph, sp
from sparsemixed.solver.crossproducts.crossproducts import TermData
from sparsemixed.solver.residual.kernels import many_quadratic_forms, outer_forms, pattern_moments, quadratic_forms


@dataclass(frozen=True)
class PatternBatch:
    """All clusters of m rows.

    Attributes
    ----------
    t : (G, m) or (G, m, 2) float64
        Times of each pattern (see `structures.residual_errors.base`).
    linked : (G, m, m) bool
        Whether two rows share their residual group.
    shared : tuple of (G, m, m) bool
        For each random term, whether two rows share its group.
    columns : tuple of (G, m, k) float64
    start : (G + 1,) int64
        Clusters of each pattern, in the order of `index`.
    index : (N, m) int64
        Rows of every cluster.
    rows : (N, m, P) float64
        [X y].
    moments : (G, m, m, P, P) float64 or None
        Sums of cross-products by pattern, where they are smaller than the rows.
    """

    t: np.ndarray
    linked: np.ndarray
    shared: tuple[np.ndarray, ...]
    columns: tuple[np.ndarray, ...]
    start: np.ndarray
    index: np.ndarray
    rows: np.ndarray
    moments: np.ndarray | None

    @property
    def counts(self) -> np.ndarray:
        """(G,) clusters of each pattern."""
        return np.diff(self.start).astype(float)

    def quadratic(self, weights: np.ndarray) -> np.ndarray:
        """(P, P) sum over all clusters of rows' weights rows; weights (G, m, m)."""
        if self.moments is not None:
            return np.tensordot(weights, self.moments, axes=3)
        out = np.zeros((len(self.start) - 1, *self.rows.shape[2:] * 2))
        quadratic_forms(self.start, self.rows, np.ascontiguousarray(weights), out)
        return out.sum(axis=0)

    def quadratics(self, weights: np.ndarray) -> np.ndarray:
        """(K, P, P) the same for K sets of weights (K, G, m, m)."""
        if self.moments is not None:
            return np.tensordot(weights, self.moments, axes=3)
        out = np.zeros((len(weights), *self.rows.shape[2:] * 2))
        many_quadratic_forms(self.start, self.rows, np.ascontiguousarray(weights), out)
        return out

    def outer(self, weights: np.ndarray) -> np.ndarray:
        """(G, m, m) sums by pattern of rows weights rows'; weights (P, P)."""
        if self.moments is not None:
            return np.tensordot(self.moments, weights, axes=2)
        m = self.rows.shape[1]
        out = np.zeros((len(self.start) - 1, m, m))
        outer_forms(self.start, self.rows, np.ascontiguousarray(weights), out)
        return out


def independent_blocks(codes: Sequence[np.ndarray], sizes: Sequence[int]) -> np.ndarray:
    """(n,) independent cluster of each row, given several groupings of the rows."""
    offsets = np.cumsum((0, *sizes))
    nodes = [c.astype(np.int64) + o for c, o in zip(codes, offsets, strict=False)]
    ends = [(nodes[0], other) for other in nodes[1:]] or [(nodes[0], nodes[0])]
    left, right = (np.concatenate(x) for x in zip(*ends, strict=True))
    graph = sp.coo_array((np.ones(left.size, np.int8), (left, right)), shape=(offsets[-1],) * 2)
    return csgraph.connected_components(graph, directed=False)[1][nodes[0]]


def pattern_batches(
    terms: Sequence[TermData], groups: np.ndarray, n_groups: int, t: np.ndarray, rows: np.ndarray
) -> list[PatternBatch]:
    """Sort rows into independent blocks, the blocks into batches by size, and find each batch's patterns.

    Parameters
    ----------
    terms : sequence of TermData
    groups : (n,) int32
        Residual (lowest-level) groups.
    n_groups : int
    t : (n,) or (n, 2) float64
        Time of each row, and its level of by() where there is one.
    rows : (n, P) float64
        [X y].
    """
    cluster = independent_blocks([groups, *(term.codes for term in terms)], [n_groups, *(term.n_groups for term in terms)])
    time = t if t.ndim == 1 else t[:, 0]
    order = np.lexsort((time, groups, cluster))
    sizes = np.bincount(cluster)
    ends = np.cumsum(sizes[sizes > 0])
    widths = sizes[sizes > 0]
    batches = []
    for m in np.unique(widths):
        first = (ends - widths)[widths == m]
        index = order[first[:, None] + np.arange(m)]
        batches.append(_bucket(terms, groups, t, rows, index))
    return batches


def _bucket(terms, groups, t, rows, index: np.ndarray) -> PatternBatch:
    linked, shared = _same(groups, index), [_same(term.codes, index) for term in terms]
    columns = [term.columns[index] for term in terms]
    parts = [t[index], linked, *shared, *columns]
    signature = np.column_stack([p.reshape(len(index), -1).astype(np.float64) for p in parts])
    pattern, first = _patterns(signature)
    by_pattern = np.argsort(pattern, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(pattern))])
    index = index[by_pattern]
    data = np.ascontiguousarray(rows[index])
    return PatternBatch(
        t=t[index][start[:-1]],
        linked=linked[first],
        shared=tuple(s[first] for s in shared),
        columns=tuple(c[first] for c in columns),
        start=start,
        index=index,
        rows=data,
        moments=_moments(start, data),
    )


def _same(codes: np.ndarray, index: np.ndarray) -> np.ndarray:
    """(N, m, m): whether two rows of a cluster share a group."""
    own = codes[index]
    return own[:, :, None] == own[:, None, :]


def _patterns(signature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pattern of each row of `signature`, and the first row of each pattern."""
    signature = np.ascontiguousarray(signature + 0.0)
    bits = signature.view(np.uint64)
    factors = np.random.default_rng(0).integers(1, 2**63, bits.shape[1], dtype=np.uint64) | np.uint64(1)
    # Sorting one hash of each row is far cheaper than sorting rows; equal hashes of unequal rows are checked for.
    _, first, pattern = np.unique(bits @ factors, return_index=True, return_inverse=True)
    if not np.array_equal(signature[first[pattern]], signature):
        packed = signature.view(np.dtype((np.void, signature.itemsize * signature.shape[1]))).ravel()
        _, first, pattern = np.unique(packed, return_index=True, return_inverse=True)
    return pattern.ravel(), first


def _moments(start: np.ndarray, rows: np.ndarray) -> np.ndarray | None:
    n, m, p = rows.shape
    if (len(start) - 1) * m * p > 4 * n:
        return None
    out = np.zeros((len(start) - 1, m, m, p, p))
    pattern_moments(start, rows, out)
    return out
