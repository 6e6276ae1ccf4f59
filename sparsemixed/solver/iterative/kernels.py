"""Compiled sums over the cells of groups and of columns: what the traces of the iterative solver know exactly."""

from __future__ import annotations

from numba import prange

from sparsemixed.solver.compiled import compiled, compiled_parallel


@compiled_parallel
def group_quadratics(indptr, columns, entries, first, width, inverse, out):
    """out[i] += sum over the cells of group i of F_cell' inverse_level F_cell, the diagonal of F inv(D) F'.

    entries (nnz, k0): F, whose cells are `width` consecutive entries; for every column of S: first (q2,): first column
    of its level; width (q2,): columns of its level, 0 for columns to leave out; inverse (q2, kmax): its row of the level's
    inverse block. out (J0, k0, k0).
    """
    k0 = entries.shape[1]
    for i in prange(indptr.size - 1):
        for e in range(indptr[i], indptr[i + 1]):
            j = columns[e]
            base = e - (j - first[j])
            for b in range(width[j]):
                weight = inverse[j, b]
                for x in range(k0):
                    for y in range(k0):
                        out[i, x, y] += weight * entries[e, x] * entries[base + b, y]


@compiled
def column_products(indptr, columns, entries, first, width, out):
    """out[j, b] += sum over entries e of column j of entries[e] . entries[the cell's entry b]: diagonal blocks of H'H.

    Arguments as in `group_quadratics`; out (q2, kmax).
    """
    k0 = entries.shape[1]
    for e in range(columns.size):
        j = columns[e]
        base = e - (j - first[j])
        for b in range(width[j]):
            total = 0.0
            for x in range(k0):
                total += entries[e, x] * entries[base + b, x]
            out[j, b] += total
