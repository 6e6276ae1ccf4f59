"""Compiled loops over independent groups, many at a time: arrays in, arrays out.

Conventions: numbers of a group stand in the last place, (k, k, J) and (k, P, J), so that the innermost loops run over groups and
are vectorized; scratch has room for `LANES` of them. R is upper triangular. Nothing is modified unless named `out`.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_sums

LANES = 64
"""Groups that are worked on together: their numbers stay in the first cache."""
NO_PIVOT = 8.0 * 2.220446049250313e-16
"""Share of a column's square up to which what earlier columns leave of it is rounding."""


@compiled_sums
def group_roots(first, right, out_root, out_q):
    """R with R'R = Z_i'Z_i and q = inv(R')Z_i'[X y] of every group; rows of zeros for columns that earlier ones make up.

    first (J, k, k), right (J, k, P); out_root (k, k, J), out_q (k, P, J).
    """
    k, width = right.shape[1], right.shape[2]
    for i in range(first.shape[0]):
        for c in range(k):
            pivot = first[i, c, c]
            for m in range(c):
                pivot -= out_root[m, c, i] ** 2
            inverse = 0.0
            if pivot > NO_PIVOT * first[i, c, c]:
                inverse = 1.0 / np.sqrt(pivot)
            for e in range(k):
                total = 0.0
                if e >= c:
                    total = first[i, c, e]
                    for m in range(c):
                        total -= out_root[m, c, i] * out_root[m, e, i]
                out_root[c, e, i] = total * inverse
            for a in range(width):
                total = right[i, c, a]
                for m in range(c):
                    total -= out_root[m, c, i] * out_q[m, a, i]
                out_q[c, a, i] = total * inverse


@compiled_sums
def eliminate(root, q, lam, start, m, out_T, out_L, out_Y, out_P):
    """Y = inv(L)R and P = inv(L)q of m groups, L L' = I + (R lam)(R lam)'; the diagonal of out_L has the pivots' inverses."""
    k, width = q.shape[0], q.shape[1]
    for r in range(k):
        for c in range(k):
            x = lam[r, c]
            for i in range(m):
                out_T[r, c, i] = root[r, r, start + i] * x
            for d in range(r + 1, k):
                x = lam[d, c]
                if x != 0.0:
                    for i in range(m):
                        out_T[r, c, i] += root[r, d, start + i] * x
    for r in range(k):
        for s in range(r + 1):
            one = 1.0 if r == s else 0.0
            for i in range(m):
                out_L[r, s, i] = one + out_T[r, 0, i] * out_T[s, 0, i]
            for c in range(1, k):
                for i in range(m):
                    out_L[r, s, i] += out_T[r, c, i] * out_T[s, c, i]
            for u in range(s):
                for i in range(m):
                    out_L[r, s, i] -= out_L[r, u, i] * out_L[s, u, i]
            if s < r:
                for i in range(m):
                    out_L[r, s, i] *= out_L[s, s, i]
        for i in range(m):
            out_L[r, r, i] = 1.0 / np.sqrt(out_L[r, r, i])
        for c in range(k):
            for i in range(m):
                out_Y[r, c, i] = root[r, c, start + i] if c >= r else 0.0
            for u in range(r):
                for i in range(m):
                    out_Y[r, c, i] -= out_L[r, u, i] * out_Y[u, c, i]
            for i in range(m):
                out_Y[r, c, i] *= out_L[r, r, i]
        for a in range(width):
            for i in range(m):
                out_P[r, a, i] = q[r, a, start + i]
            for u in range(r):
                for i in range(m):
                    out_P[r, a, i] -= out_L[r, u, i] * out_P[u, a, i]
            for i in range(m):
                out_P[r, a, i] *= out_L[r, r, i]


@compiled_sums
def deviance_sums(root, q, lam, begin, end, out_gram):
    """out_gram (P, P) += sum of P'P over groups begin to end; returns the sum of log|L L'|."""
    k, width = q.shape[0], q.shape[1]
    T, L, Y = np.empty((k, k, LANES)), np.empty((k, k, LANES)), np.empty((k, k, LANES))
    P = np.empty((k, width, LANES))
    logdet = 0.0
    for start in range(begin, end, LANES):
        m = min(LANES, end - start)
        eliminate(root, q, lam, start, m, T, L, Y, P)
        for r in range(k):
            for i in range(m):
                logdet -= np.log(L[r, r, i])
        for a in range(width):
            for b in range(a + 1):
                total = 0.0
                for r in range(k):
                    for i in range(m):
                        total += P[r, a, i] * P[r, b, i]
                out_gram[a, b] += total
    for a in range(width):
        for b in range(a):
            out_gram[b, a] = out_gram[a, b]
    return 2.0 * logdet


@compiled_sums
def derivative_sums(root, q, lam, columns, begin, end, out_H, out_B, out_HH, out_HC):
    """Sums over groups begin to end of what gradient and Hessian take, whatever the directions of lam; s pairs a <= b.

    With H = Z_i'inv(V_i)Z_i (k, k), B = Z_i'inv(V_i)[X y] (k, P) and C = B columns (k, c): out_H (s,) += H, out_B (s, P, P) +=
    outer(B_a, B_b), out_HH (s, s) += outer(H, H), out_HC (s, s) += outer(H, C C').
    """
    k, width, n_columns = q.shape[0], q.shape[1], columns.shape[1]
    s = k * (k + 1) // 2
    T, L, Y = np.empty((k, k, LANES)), np.empty((k, k, LANES)), np.empty((k, k, LANES))
    P, B = np.empty((k, width, LANES)), np.empty((k, width, LANES))
    C, H, CC = np.empty((k, n_columns, LANES)), np.empty((s, LANES)), np.empty((s, LANES))
    for start in range(begin, end, LANES):
        m = min(LANES, end - start)
        eliminate(root, q, lam, start, m, T, L, Y, P)
        for c in range(k):
            for a in range(width):
                for i in range(m):
                    B[c, a, i] = Y[0, c, i] * P[0, a, i]
                for r in range(1, k):
                    for i in range(m):
                        B[c, a, i] += Y[r, c, i] * P[r, a, i]
            for j in range(n_columns):
                for i in range(m):
                    C[c, j, i] = B[c, 0, i] * columns[0, j]
                for a in range(1, width):
                    x = columns[a, j]
                    if x != 0.0:
                        for i in range(m):
                            C[c, j, i] += B[c, a, i] * x
        u = 0
        for a in range(k):
            for b in range(a, k):
                for i in range(m):
                    H[u, i] = Y[0, a, i] * Y[0, b, i]
                    CC[u, i] = C[a, 0, i] * C[b, 0, i]
                for r in range(1, k):
                    for i in range(m):
                        H[u, i] += Y[r, a, i] * Y[r, b, i]
                for j in range(1, n_columns):
                    for i in range(m):
                        CC[u, i] += C[a, j, i] * C[b, j, i]
                for x in range(width):
                    for z in range(width):
                        total = 0.0
                        for i in range(m):
                            total += B[a, x, i] * B[b, z, i]
                        out_B[u, x, z] += total
                u += 1
        for u in range(s):
            total = 0.0
            for i in range(m):
                total += H[u, i]
            out_H[u] += total
            for w in range(s):
                total = 0.0
                for i in range(m):
                    total += H[u, i] * CC[w, i]
                out_HC[u, w] += total
                if w <= u:
                    total = 0.0
                    for i in range(m):
                        total += H[u, i] * H[w, i]
                    out_HH[u, w] += total
                    if w < u:
                        out_HH[w, u] += total


@compiled_sums
def invert(out_matrix, out_scratch):
    """The inverse (k, k) in place of a positive definite matrix, of which the lower triangle is read."""
    k = out_matrix.shape[0]
    for c in range(k):
        for m in range(c):
            out_matrix[c, c] -= out_matrix[c, m] ** 2
        out_matrix[c, c] = np.sqrt(out_matrix[c, c])
        for r in range(c + 1, k):
            for m in range(c):
                out_matrix[r, c] -= out_matrix[r, m] * out_matrix[c, m]
            out_matrix[r, c] /= out_matrix[c, c]
    for c in range(k):
        for r in range(c, k):
            total = 1.0 if r == c else 0.0
            for m in range(c, r):
                total -= out_matrix[r, m] * out_scratch[m, c]
            out_scratch[r, c] = total / out_matrix[r, r]
    for c in range(k):
        for d in range(c + 1):
            total = 0.0
            for r in range(c, k):
                total += out_scratch[r, c] * out_scratch[r, d]
            out_matrix[c, d] = out_matrix[d, c] = total


@compiled_sums
def group_predictions(root, q, lam, columns, sigma2, begin, end, out_means, out_variances):
    """lam U c for the first of `columns` (P, c), and sigma2 lam (N + U C'C U')lam' with all others C, for groups begin to end.

    U = lam'B = inv(M)lam'Z_i'[X y] (k, P) and N = inv(M) (k, k); out_means (J, k), out_variances (J, k, k).
    """
    k, width, n_columns = q.shape[0], q.shape[1], columns.shape[1]
    T, L, Y = np.empty((k, k, LANES)), np.empty((k, k, LANES)), np.empty((k, k, LANES))
    P = np.empty((k, width, LANES))
    A, U, M = np.empty((k, k)), np.empty((k, n_columns)), np.empty((k, k))
    for start in range(begin, end, LANES):
        m = min(LANES, end - start)
        eliminate(root, q, lam, start, m, T, L, Y, P)
        for i in range(m):
            # A = inv(L)R lam, U = A'P columns.
            for r in range(k):
                for c in range(k):
                    total = 0.0
                    for d in range(k):
                        total += Y[r, d, i] * lam[d, c]
                    A[r, c] = total
            for j in range(n_columns):
                for c in range(k):
                    U[c, j] = 0.0
                for r in range(k):
                    total = 0.0
                    for a in range(width):
                        total += P[r, a, i] * columns[a, j]
                    for c in range(k):
                        U[c, j] += A[r, c] * total
            # M = I + T'T: its inverse has no differences.
            for r in range(k):
                for c in range(r + 1):
                    total = 1.0 if r == c else 0.0
                    for d in range(k):
                        total += T[d, r, i] * T[d, c, i]
                    M[r, c] = total
            invert(M, A)
            for c in range(k):
                for d in range(k):
                    for j in range(1, n_columns):
                        M[c, d] += U[c, j] * U[d, j]
            for c in range(k):
                total = 0.0
                for d in range(k):
                    total += lam[c, d] * U[d, 0]
                out_means[start + i, c] = total
                for d in range(k):
                    total = 0.0
                    for e in range(k):
                        total += lam[c, e] * M[e, d]
                    A[c, d] = total
            for c in range(k):
                for d in range(k):
                    total = 0.0
                    for e in range(k):
                        total += A[c, e] * lam[d, e]
                    out_variances[start + i, c, d] = sigma2 * total
