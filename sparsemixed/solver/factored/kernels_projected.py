"""Compiled loops of `solver.factored.projected`: sparse rows of groups times dense columns, and back.

Conventions of `solver.kernels`. Eight columns are taken at a time, laid out side by side, so that they stay in the processor's
cache however often a row is met.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_apart

PANEL = 8


@compiled_apart
def gather(indptr, columns, entries, a, panel, s, R):
    """R[i, a, s:s + 8] = sum over the entries of group i times the rows of panel (q2, S) that they stand in."""
    for i in range(np.uint64(indptr.size - 1)):
        x0 = x1 = x2 = x3 = x4 = x5 = x6 = x7 = 0.0
        for t in range(np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])):
            x, c = entries[t, a], np.uint64(columns[t])
            x0 += x * panel[c, s]
            x1 += x * panel[c, s + 1]
            x2 += x * panel[c, s + 2]
            x3 += x * panel[c, s + 3]
            x4 += x * panel[c, s + 4]
            x5 += x * panel[c, s + 5]
            x6 += x * panel[c, s + 6]
            x7 += x * panel[c, s + 7]
        R[i, a, s], R[i, a, s + 1], R[i, a, s + 2], R[i, a, s + 3] = x0, x1, x2, x3
        R[i, a, s + 4], R[i, a, s + 5], R[i, a, s + 6], R[i, a, s + 7] = x4, x5, x6, x7


@compiled_apart
def scatter(indptr, columns, entries, a, weights, R, s, out):
    """out[c, s:s + 8] += entries of column c times the rows sum_b weights[b] R[i, b] of the groups i that meet it."""
    k0 = np.uint64(weights.size)
    for i in range(np.uint64(indptr.size - 1)):
        x0 = x1 = x2 = x3 = x4 = x5 = x6 = x7 = 0.0
        for b in range(k0):
            x = weights[b]
            x0 += x * R[i, b, s]
            x1 += x * R[i, b, s + 1]
            x2 += x * R[i, b, s + 2]
            x3 += x * R[i, b, s + 3]
            x4 += x * R[i, b, s + 4]
            x5 += x * R[i, b, s + 5]
            x6 += x * R[i, b, s + 6]
            x7 += x * R[i, b, s + 7]
        for t in range(np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])):
            x, c = entries[t, a], np.uint64(columns[t])
            out[c, s] += x * x0
            out[c, s + 1] += x * x1
            out[c, s + 2] += x * x2
            out[c, s + 3] += x * x3
            out[c, s + 4] += x * x4
            out[c, s + 5] += x * x5
            out[c, s + 6] += x * x6
            out[c, s + 7] += x * x7


@compiled_apart
def add_gram(R, k, width, gram):
    """gram (k0 k, k0 k), lower triangle, += sums over groups i and over the blocks of k columns of v v', v = R[i, :, block]."""
    k0 = R.shape[1]
    v = np.empty(k0 * k)
    for i in range(R.shape[0]):
        for first in range(0, width, k):
            for a in range(k0):
                for c in range(k):
                    v[a * k + c] = R[i, a, first + c]
            for x in range(k0 * k):
                for y in range(x + 1):
                    gram[x, y] += v[x] * v[y]


@compiled_apart
def through_groups(indptr, columns, entries, C, k, basis, gram, out):
    """With R = F C', F (q0, q2) of `entries` (nnz, k0) and C (m, q2) the rows of groups of k: sums of R, and R'B F for every B.

    basis (n, k0, k0): B, repeated over groups; gram (k0 k, k0 k): the sums over the blocks X (k0, k) of R of the products of two
    entries, lower triangle, zeros on entry; out (n, m, q2).
    """
    m, q2 = C.shape
    k0 = entries.shape[1]
    per = max(1, PANEL // k) * k
    S = -(-per // PANEL) * PANEL
    panel, back = np.zeros((q2, S)), np.empty((q2, S))
    R = np.empty((indptr.size - 1, k0, S))
    for begin in range(0, m, per):
        width = min(per, m - begin)
        for v in range(S):
            for c in range(q2):
                panel[c, v] = C[begin + v, c] if v < width else 0.0
        for s in range(0, S, PANEL):
            for a in range(k0):
                gather(indptr, columns, entries, a, panel, s, R)
        add_gram(R, k, width, gram)
        for n in range(basis.shape[0]):
            back[:] = 0.0
            for a in range(k0):
                if basis[n, a].any():
                    for s in range(0, S, PANEL):
                        scatter(indptr, columns, entries, a, basis[n, a], R, s, back)
            for v in range(width):
                for c in range(q2):
                    out[n, begin + v, c] = back[c, v]
