"""Where the entries of one sparse pattern stand in another."""

from __future__ import annotations

import numpy as np

from sparsemixed.delayed import sp
from sparsemixed.solver.factored.kernels import column_positions


def places(pattern: sp.csc_matrix, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """(m,) int64: where the entries (rows[e], cols[e]), which must be there, stand among the values of a sorted CSC pattern."""
    out = np.empty(rows.size, np.int64)
    column_positions(pattern.indptr, pattern.indices, rows, cols, out)
    return out


def places_in_factor(lower: sp.csc_matrix, permutation: np.ndarray, factor: sp.csc_matrix) -> np.ndarray:
    """Positions (nnz,) of the entries of S in its factor.

    Parameters
    ----------
    lower : csc_matrix (q, q)
        Lower triangle of S.
    permutation : (q,) int64
        p with L L' = S[p][:, p].
    factor : csc_matrix (q, q)
        L, or whatever has its pattern.
    """
    place = np.empty(permutation.size, np.int64)
    place[permutation] = np.arange(permutation.size)
    rows = place[lower.indices]
    cols = place[np.repeat(np.arange(permutation.size), np.diff(lower.indptr))]
    return places(factor, np.maximum(rows, cols), np.minimum(rows, cols))


def entries(indptr: np.ndarray, indices: np.ndarray, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """(m,) int64: where the entries (rows[e], cols[e]) stand among the values of a sorted CSC pattern; -1 where there is none.

    Examples
    --------
    >>> entries(np.array([0, 2, 2]), np.array([0, 3]), np.array([3, 1, 3]), np.array([0, 0, 1]))
    array([ 1, -1, -1])
    """
    out = np.empty(rows.size, np.int64)
    column_positions(indptr, indices, rows, cols, out)
    if not len(indices):
        return np.full(rows.size, -1, np.int64)
    there = (out < indptr[cols + 1]) & (indices[np.minimum(out, len(indices) - 1)] == rows)
    return np.where(there, out, -1)
