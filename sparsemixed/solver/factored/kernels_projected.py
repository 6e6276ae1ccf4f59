"""Compiled loops of `solver.factored.projected`: sparse rows of groups times dense columns, and back.

Conventions of `solver.kernels`. Eight columns are taken at a time, laid out side by side, so that they stay in the processor's
cache however often a row is met. R (J0 k0, S) has the k0 rows of group i at i k0.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_apart, compiled_sums
from sparsemixed.solver.vectors import WIDTH, load, plus, store, zeros

ONE, TWO = np.uint64(1), np.uint64(2)


@compiled_apart
def gather(indptr, columns, entries, panel, s, R):
    """R[i k0 + a, s:s + 8] = sum over the entries of group i times the rows of panel (q2, S) that they stand in."""
    k0 = np.uint64(entries.shape[1])
    for i in range(np.uint64(indptr.size - 1)):
        begin, end, a = np.uint64(indptr[i]), np.uint64(indptr[i + ONE]), np.uint64(0)
        while a + ONE < k0:
            first, second = zeros(), zeros()
            for t in range(begin, end):
                row = load(panel, columns[t], s)
                first = plus(first, entries[t, a], row)
                second = plus(second, entries[t, a + ONE], row)
            store(R, i * k0 + a, s, first)
            store(R, i * k0 + a + ONE, s, second)
            a += TWO
        if a < k0:
            total = zeros()
            for t in range(begin, end):
                total = plus(total, entries[t, a], load(panel, columns[t], s))
            store(R, i * k0 + a, s, total)


@compiled_apart
def scatter(indptr, columns, entries, B, R, s, V, out):
    """out[c, s:s + 8] += entries of column c times the rows of B R_i, over the groups i that meet it; V (k0, 8): scratch."""
    k0, zero = np.uint64(entries.shape[1]), np.uint64(0)
    first, last = zero, k0
    while not B[first].any():
        first += ONE
    while not B[last - ONE].any():
        last -= ONE
    for i in range(np.uint64(indptr.size - 1)):
        for a in range(first, last):
            row = zeros()
            for b in range(k0):
                row = plus(row, B[a, b], load(R, i * k0 + b, s))
            store(V, a, zero, row)
        begin, end = np.uint64(indptr[i]), np.uint64(indptr[i + ONE])
        if last == first + ONE:
            row = load(V, first, zero)
            for t in range(begin, end):
                c = np.uint64(columns[t])
                store(out, c, s, plus(load(out, c, s), entries[t, first], row))
        else:
            for t in range(begin, end):
                c = np.uint64(columns[t])
                total = load(out, c, s)
                for a in range(first, last):
                    total = plus(total, entries[t, a], load(V, a, zero))
                store(out, c, s, total)


@compiled_sums
def add_gram(R, k0, k, width, gram):
    """gram (k0 k, k0 k), lower triangle, += sums over groups i and over the blocks of k columns of v v', v = R_i[:, block]."""
    if k0 * k == 1:
        total = 0.0
        for i in range(R.shape[0]):
            for v in range(R.shape[1]):  # what is beyond `width` is zero
                total += R[i, v] * R[i, v]
        gram[0, 0] += total
        return
    v = np.empty(k0 * k)
    for i in range(0, R.shape[0], k0):
        for first in range(0, width, k):
            for a in range(k0):
                for c in range(k):
                    v[a * k + c] = R[i + a, first + c]
            for x in range(k0 * k):
                for y in range(x + 1):
                    gram[x, y] += v[x] * v[y]


@compiled_apart
def through_groups(indptr, columns, entries, C, k, basis, gram, out):
    """With R = F C', F (q0, q2) of `entries` (nnz, k0) and C (m, q2) the rows of groups of k: sums of R, and R'B F for every B.

    basis (n, k0, k0): B, none of them zero, repeated over groups; gram (k0 k, k0 k), zeros on entry, lower triangle: sums over
    the blocks (k0, k) of R of the products of two of their entries; out (n, m, q2).
    """
    m, q2, k0 = C.shape[0], C.shape[1], entries.shape[1]
    per = max(1, WIDTH // k) * k
    S = -(-per // WIDTH) * WIDTH
    panel, back = np.zeros((q2, S)), np.empty((q2, S))
    R, V = np.empty(((indptr.size - 1) * k0, S)), np.empty((k0, WIDTH))
    for begin in range(0, m, per):
        width = min(per, m - begin)
        for v in range(S):
            for c in range(q2):
                panel[c, v] = C[begin + v, c] if v < width else 0.0
        for s in range(0, S, WIDTH):
            gather(indptr, columns, entries, panel, s, R)
        add_gram(R, k0, k, width, gram)
        for n in range(basis.shape[0]):
            back[:] = 0.0
            for s in range(0, S, WIDTH):
                scatter(indptr, columns, entries, basis[n], R, s, V, back)
            for v in range(width):
                for c in range(q2):
                    out[n, begin + v, c] = back[c, v]
