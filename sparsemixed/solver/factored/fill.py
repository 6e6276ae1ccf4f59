"""What a sparse Cholesky factor would hold, from the pattern alone: the elimination tree and the counts of its columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sparsemixed.delayed import sp
from sparsemixed.errors import FactorTooLargeError
from sparsemixed.solver.factored.kernels import column_counts
from sparsemixed.solver.factored.sparse_factor import analyse


class Fill(NamedTuple):
    """Nonzeros of L, and the multiplications of the factorization: the sum of the squared column counts."""

    nonzeros: float
    flops: float


def predicted_fill(lower: sp.csc_matrix, most: float) -> Fill:
    """The fill of a symmetric matrix in its factor's order; infinite beyond `most` nonzeros, or where none is found.

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
    try:
        order = analyse(lower).permutation()
    except FactorTooLargeError:
        return Fill(float("inf"), float("inf"))
    whole = sp.csr_matrix(lower + sp.tril(lower, -1).T)[order][:, order]
    below = sp.csr_matrix(sp.tril(whole, -1))
    counts = np.ones(order.size, np.int64)
    if not column_counts(below.indptr, below.indices, int(most), counts):
        return Fill(float("inf"), float("inf"))
    return Fill(float(counts.sum()), float((counts.astype(np.float64) ** 2).sum()))
