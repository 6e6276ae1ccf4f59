"""Selected inverse and Cholesky factorization on a fixed sparse pattern, in real or complex arithmetic.

Complex arithmetic gives exact directional derivatives: for an analytic f, Im f(S + i h D) / h is the derivative to
rounding when h is tiny (Squire & Trapp 1998), so neither kernel needs a hand-written derivative.

A pattern is a lower triangle in CSC, rows ascending, diagonal first, closed under elimination.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled


@compiled
def factor_in_place(indptr, indices, data, work):
    """Overwrite the lower triangle `data` of S by L with L L.T = S. work (q,), zero on entry and on return."""
    for j in range(indptr.size - 1):
        first = indptr[j]
        pivot = np.sqrt(data[first])
        data[first] = pivot
        for e in range(first + 1, indptr[j + 1]):
            data[e] /= pivot
            work[indices[e]] = data[e]
        for e in range(first + 1, indptr[j + 1]):
            k, weight = indices[e], data[e]
            for f in range(indptr[k], indptr[k + 1]):
                data[f] -= weight * work[indices[f]]
        for e in range(first + 1, indptr[j + 1]):
            work[indices[e]] = 0.0


@compiled
def selected_inverse(indptr, indices, lower, weights, work, place, out):
    """Entries of Z = inv(L).T D inv(L) on the pattern of L (Takahashi, Fagan & Chen 1973; Erisman & Tinney 1975).

    Columns from last to first: with l the scaled column of L below its pivot d,
    Z_ij = -sum_k Z_ik l_k for i > j and Z_jj = D_j / d^2 - sum_k l_k Z_kj.

    lower (nnz,): values of L; weights (q,): D, ones for the inverse of L L.T; work (q,), place (q,) int64: scratch, place -1
    on entry; out (nnz,).
    """
    for j in range(indptr.size - 2, -1, -1):
        first, last = indptr[j], indptr[j + 1]
        pivot = lower[first]
        for e in range(first + 1, last):
            place[indices[e]] = e
            work[indices[e]] = lower[e] / pivot
            out[e] = 0.0
        for e in range(first + 1, last):
            k = indices[e]
            weight = work[k]
            out[e] -= out[indptr[k]] * weight
            for f in range(indptr[k] + 1, indptr[k + 1]):
                i = indices[f]
                target = place[i]
                if target >= 0:
                    out[target] -= out[f] * weight
                    out[e] -= out[f] * work[i]
        total = weights[j] / (pivot * pivot)
        for e in range(first + 1, last):
            total -= work[indices[e]] * out[e]
            place[indices[e]] = -1
        out[first] = total


@compiled
def column_positions(indptr, indices, rows, cols, out):
    """out[e] = position of (rows[e], cols[e]) in the pattern, by bisection."""
    for e in range(rows.size):
        low, high = indptr[cols[e]], indptr[cols[e] + 1]
        while low < high:
            middle = (low + high) // 2
            if indices[middle] < rows[e]:
                low = middle + 1
            else:
                high = middle
        out[e] = low
