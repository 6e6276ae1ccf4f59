"""Compiled algebra of small symmetric matrices, for searches that are compiled as a whole."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_part

SMALLEST_PIVOT = 1e-8
"""Of equations scaled to length one, down to which elimination is as good as least squares."""
MOST_SWEEPS = 30
"""Of Jacobi's rotations over all pairs; a few are enough."""


@compiled_part
def lower_root(matrix, m, out_root):
    """Cholesky factor of the leading (m, m), of which the lower triangle is read; returns the log-determinant, NaN without it."""
    logdet = 0.0
    for c in range(m):
        for r in range(c, m):
            total = matrix[r, c]
            for u in range(c):
                total -= out_root[r, u] * out_root[c, u]
            if r > c:
                out_root[r, c] = total / out_root[c, c]
            elif total > 0.0:
                out_root[c, c] = np.sqrt(total)
                logdet += np.log(total)
            else:
                return np.nan
    return logdet


@compiled_part
def solve_root(root, m, out_x):
    """inv(L L')x in place of x (m,), for L = root (m, m)."""
    for r in range(m):
        for u in range(r):
            out_x[r] -= root[r, u] * out_x[u]
        out_x[r] /= root[r, r]
    for r in range(m - 1, -1, -1):
        for u in range(r + 1, m):
            out_x[r] -= root[u, r] * out_x[u]
        out_x[r] /= root[r, r]


@compiled_part
def eliminate_unknowns(out_matrix, out_right):
    """The solution in place of a right side (m,), by elimination with pivots; False where one of them is small."""
    m = out_right.size
    for c in range(m):
        best = c
        for r in range(c + 1, m):
            if abs(out_matrix[r, c]) > abs(out_matrix[best, c]):
                best = r
        if not abs(out_matrix[best, c]) > SMALLEST_PIVOT:
            return False
        if best != c:
            for d in range(m):
                out_matrix[c, d], out_matrix[best, d] = out_matrix[best, d], out_matrix[c, d]
            out_right[c], out_right[best] = out_right[best], out_right[c]
        for r in range(c + 1, m):
            x = out_matrix[r, c] / out_matrix[c, c]
            for d in range(c, m):
                out_matrix[r, d] -= x * out_matrix[c, d]
            out_right[r] -= x * out_right[c]
    for r in range(m - 1, -1, -1):
        for d in range(r + 1, m):
            out_right[r] -= out_matrix[r, d] * out_right[d]
        out_right[r] /= out_matrix[r, r]
    return True


@compiled_part
def diagonalise(out_matrix, out_vectors):
    """Eigenvalues on the diagonal in place of a symmetric matrix (k, k), eigenvectors in columns, by Jacobi's rotations."""
    k = out_matrix.shape[0]
    for a in range(k):
        for b in range(k):
            out_vectors[a, b] = 1.0 if a == b else 0.0
    for _ in range(MOST_SWEEPS):
        outside, whole = 0.0, 0.0
        for a in range(k):
            for b in range(k):
                whole += out_matrix[a, b] ** 2
                if a != b:
                    outside += out_matrix[a, b] ** 2
        if outside <= 1e-34 * whole:
            return
        for a in range(k):
            for b in range(a + 1, k):
                x = out_matrix[a, b]
                if x == 0.0:
                    continue
                half = (out_matrix[b, b] - out_matrix[a, a]) / (2.0 * x)
                t = (1.0 if half >= 0.0 else -1.0) / (abs(half) + np.sqrt(1.0 + half**2))
                cosine = 1.0 / np.sqrt(1.0 + t**2)
                sine = t * cosine
                for c in range(k):
                    left, right = out_matrix[c, a], out_matrix[c, b]
                    out_matrix[c, a], out_matrix[c, b] = cosine * left - sine * right, sine * left + cosine * right
                for c in range(k):
                    left, right = out_matrix[a, c], out_matrix[b, c]
                    out_matrix[a, c], out_matrix[b, c] = cosine * left - sine * right, sine * left + cosine * right
                    left, right = out_vectors[c, a], out_vectors[c, b]
                    out_vectors[c, a], out_vectors[c, b] = cosine * left - sine * right, sine * left + cosine * right
                # What is left of it is rounding, which no further rotation would take away.
                out_matrix[a, b] = out_matrix[b, a] = 0.0
