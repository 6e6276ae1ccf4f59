"""Compiled loops over pieces of rows, from begin to end, which threads share out: `solver.rows`."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_sums


@compiled_sums
def times_matrix(rows, matrix, begin, end, out):
    """out[row] = rows[row] matrix; rows (n, a), matrix (a, b), from the last column to the first."""
    # A signed place might be negative, and count from the end, which is looked at again and again.
    last = np.uint64(matrix.shape[1]) - np.uint64(1)
    for row in range(np.uint64(begin), np.uint64(end)):
        for back in range(last + np.uint64(1)):
            j, total = last - back, 0.0
            for i in range(np.uint64(rows.shape[1])):
                total += rows[row, i] * matrix[i, j]
            out[row, j] = total


@compiled_sums
def subtract_fitted(Q, fitted, y, begin, end, out):
    """out[row] = y[row] - Q[row] fitted."""
    for row in range(np.uint64(begin), np.uint64(end)):
        total = y[row]
        for i in range(np.uint64(Q.shape[1])):
            total -= Q[row, i] * fitted[i]
        out[row] = total


@compiled_sums
def add_group_products(codes, Z, X, y, begin, end, out):
    """out[group] = Z_i'[X y Z] of the groups whose rows, which stand together, are those from begin to end."""
    k, p = np.uint64(Z.shape[1]), np.uint64(X.shape[1])
    one, start, stop = np.uint64(1), np.uint64(begin), np.uint64(end)
    while start < stop:
        i, behind = codes[start], start + one
        while behind < stop and codes[behind] == i:
            behind += one
        for a in range(k):
            for b in range(p):
                total = 0.0
                for row in range(start, behind):
                    total += Z[row, a] * X[row, b]
                out[i, a, b] = total
            total = 0.0
            for row in range(start, behind):
                total += Z[row, a] * y[row]
            out[i, a, p] = total
            for b in range(a + one):
                total = 0.0
                for row in range(start, behind):
                    total += Z[row, a] * Z[row, b]
                out[i, a, p + one + b] = total
                out[i, b, p + one + a] = total
        start = behind
