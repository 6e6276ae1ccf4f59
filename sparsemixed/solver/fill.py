"""What a sparse Cholesky factor would hold, from the pattern alone: the elimination tree and the counts of its columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numba import njit

from sparsemixed.solver.cholmod import SparseFactor


class Fill(NamedTuple):
    """Nonzeros of L, and the multiplications of the factorization: the sum of the squared column counts."""

    nonzeros: float
    flops: float


def predicted_fill(lower: sp.csc_matrix, most: float) -> Fill:
    """The fill of a symmetric matrix in CHOLMOD's order; infinite beyond `most` nonzeros.

    Parameters
    ----------
    lower : csc_matrix (q, q)
        Its lower triangle.

    Examples
    --------
    >>> arrow = sp.csc_matrix(np.tril(np.eye(4) + np.eye(1, 4).T @ np.ones((1, 4)) + np.ones((4, 1)) @ np.eye(1, 4)))
    >>> predicted_fill(arrow, 1e6)
    Fill(nonzeros=7.0, flops=13.0)
    """
    order = SparseFactor(lower).permutation()
    whole = sp.csr_matrix(lower + sp.tril(lower, -1).T)[order][:, order]
    below = sp.csr_matrix(sp.tril(whole, -1))
    counts = np.ones(order.size, np.int64)
    if not column_counts(below.indptr, below.indices, int(most), counts):
        return Fill(float("inf"), float("inf"))
    return Fill(float(counts.sum()), float((counts.astype(np.float64) ** 2).sum()))


@njit(cache=True)
def column_counts(indptr, indices, most, out):
    """Add to out (q,) the entries below the diagonal of every column of L; False once they are more than `most`.

    indptr, indices: the strictly lower triangle, row by row. Row i of L is the union of the paths in the elimination tree from
    the columns of row i up to i (Liu 1990, section 3); the tree grows along.
    """
    q = out.size
    parent, mark = np.full(q, -1), np.full(q, -1)
    total = 0
    for i in range(q):
        mark[i] = i
        for e in range(indptr[i], indptr[i + 1]):
            j = indices[e]
            while mark[j] != i:
                if parent[j] < 0:
                    parent[j] = i
                out[j] += 1
                total += 1
                mark[j] = i
                j = parent[j]
        if total > most:
            return False
    return True
