"""Compiled loops of the bordered Schur complement: threads of Python run them side by side, each with arrays of its own.

Conventions of `solver.kernels`, with the border's columns among the others: every group has P more entries at its end, in columns
q2 ... q2 + P - 1. `terms` (T + 1,) are the first columns of the remaining terms and then q2; `lambdas` (T, m, m) their factors,
of which the first k_t rows and columns count; `widths` (T,) are the k_t.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_sums


@compiled_sums
def eliminate(first, indptr, columns, cross, right, lambda0, terms, widths, lambdas, half):
    """Fill half (nnz + J0 P, k0) with inv(L_i) times the rows of Lambda'Z'[Z_2 X y]Lambda of every group i, L_i L_i' = M_ii.

    first (J0, k0, k0), cross (nnz, k0), right (J0, k0, P): of the data; indptr, columns: with the border's entries.
    Returns the sum of log|M_ii|, NaN where one is not positive definite.
    """
    k0, P, logdet = first.shape[1], right.shape[2], 0.0
    K, B, x = np.zeros((k0, k0)), np.zeros((k0, k0)), np.zeros(k0)
    for i in range(first.shape[0]):
        for a in range(k0):  # B = Lambda'A_i Lambda + I, its lower triangle
            for b in range(a + 1):
                total = 1.0 if a == b else 0.0
                for c in range(k0):
                    inner = 0.0
                    for d in range(k0):
                        inner += first[i, c, d] * lambda0[d, b]
                    total += lambda0[c, a] * inner
                B[a, b] = total
        for c in range(k0):  # B becomes its Cholesky factor
            for m in range(c):
                B[c, c] -= B[c, m] * B[c, m]
            if not B[c, c] > 0.0:
                return np.nan
            B[c, c] = np.sqrt(B[c, c])
            logdet += 2.0 * np.log(B[c, c])
            for r in range(c + 1, k0):
                for m in range(c):
                    B[r, c] -= B[r, m] * B[c, m]
                B[r, c] /= B[c, c]
        for a in range(k0):  # K = inv(L) Lambda'
            for b in range(k0):
                total = lambda0[b, a]
                for m in range(a):
                    total -= B[a, m] * K[m, b]
                K[a, b] = total / B[a, a]
        e, t, stop = indptr[i] - i * P, 0, indptr[i + 1] - (i + 1) * P
        while e < stop:
            at = e + i * P
            while columns[at] >= terms[t + 1]:
                t += 1
            k = widths[t]
            for b in range(k):  # x = Lambda_t' cross, and then its rows by K
                for d in range(k0):
                    x[d] = 0.0
                for c in range(k):
                    weight = lambdas[t, c, b]
                    for d in range(k0):
                        x[d] += weight * cross[e + c, d]
                for a in range(k0):
                    total = 0.0
                    for d in range(k0):
                        total += K[a, d] * x[d]
                    half[at + b, a] = total
            e += k
        for j in range(P):
            for a in range(k0):
                total = 0.0
                for d in range(k0):
                    total += K[a, d] * right[i, d, j]
                half[stop + i * P + j, a] = total
    return logdet


@compiled_sums
def lay_pairs(t, u, first_row, first_col, rows, cols, values, lambdas, out):
    """out[row, col] += Lambda_t' values Lambda_u, cell by cell; rows, cols (c,): levels; values (c, k_t, k_u)."""
    kt, ku = values.shape[1], values.shape[2]
    for n in range(rows.size):
        row, col = first_row + rows[n] * kt, first_col + cols[n] * ku
        for a in range(kt):
            for b in range(ku):
                total = 0.0
                for c in range(kt):
                    inner = 0.0
                    for d in range(ku):
                        inner += values[n, c, d] * lambdas[u, d, b]
                    total += lambdas[t, c, a] * inner
                out[row + a, col + b] += total


@compiled_sums
def lay_border(right, corner, terms, widths, lambdas, out):
    """The upper triangle of out (N, N): the identity, Lambda'Z_2'[X y] (right is without Lambda) and [X y]'[X y] (corner)."""
    q, P = right.shape
    for row in range(q):
        out[row, row:] = 0.0
        out[row, row] = 1.0
    for t in range(widths.size):
        k = widths[t]
        for start in range(terms[t], terms[t + 1], k):
            for a in range(k):
                for j in range(P):
                    total = 0.0
                    for c in range(k):
                        total += lambdas[t, c, a] * right[start + c, j]
                    out[start + a, q + j] = total
    out[q:, q:] = corner


@compiled_sums
def subtract_groups(colptr, entry, end, columns, half, out):
    """out[c, r] -= sum over groups of half[r] . half[c], r >= c, entry by entry; columns (nnz,) uint32."""
    k = half.shape[1]
    for c in range(colptr.size - 1):
        row = out[c]
        for e in range(colptr[c], colptr[c + 1]):
            p = entry[e]
            if k == 1:
                weight = half[p, 0]
                for t in range(p, end[e]):
                    row[columns[t]] -= weight * half[t, 0]
            else:
                for t in range(p, end[e]):
                    total = 0.0
                    for a in range(k):
                        total += half[t, a] * half[p, a]
                    row[columns[t]] -= total


@compiled_sums
def spread_entries(indptr, columns, half, out):
    """Entries (nnz, k0) into the rows of out (N, q0), which is zero where there are none."""
    k = half.shape[1]
    for i in range(indptr.size - 1):
        for t in range(indptr[i], indptr[i + 1]):
            for a in range(k):
                out[columns[t], i * k + a] = half[t, a]


@compiled_sums
def subtract_full(spread, block, out):
    """out -= spread spread', upper triangle, `block` rows at a time; spread (N, q0)."""
    N = spread.shape[0]
    for start in range(0, N, block):
        stop = min(start + block, N)
        out[start:stop, start:] -= np.dot(spread[start:stop], spread[start:].T)
