"""Compiled sparse products of the iterative solver: a CSR matrix times a block of vectors, rows shared out by work."""

from __future__ import annotations

import numpy as np
from numba import prange

from sparsemixed.solver.compiled import compiled, compiled_parallel
from sparsemixed.solver.vectors import WIDTH, load, plus, store, zeros

ONE, EIGHT = np.uint64(1), np.uint64(WIDTH)


@compiled
def sparse_rows_times_block(begin, end, indptr, indices, data, x, out):
    """Rows begin to end of out = A x: of each row eight columns at a time, in registers, and then the others."""
    m = np.uint64(x.shape[1])
    whole = m - m % EIGHT
    for i in range(np.uint64(begin), np.uint64(end)):
        first, last = np.uint64(indptr[i]), np.uint64(indptr[i + ONE])
        for c in range(whole // EIGHT):
            total = zeros()
            for e in range(first, last):
                total = plus(total, data[e], load(x, indices[e], EIGHT * c))
            store(out, i, EIGHT * c, total)
        for c in range(whole, m):
            rest = 0.0
            for e in range(first, last):
                rest += data[e] * x[np.uint64(indices[e]), c]
            out[i, c] = rest


@compiled_parallel
def sparse_times_block(bounds, indptr, indices, data, x, out):
    """out = A x for A (n, q) in CSR and x (q, m); out (n, m). bounds (parts + 1,) int64: rows of each part."""
    for part in prange(bounds.size - 1):
        sparse_rows_times_block(bounds[part], bounds[part + 1], indptr, indices, data, x, out)


@compiled
def transpose_pattern(indptr, indices, n_columns, out_indptr, out_rows, out_place):
    """CSR to CSC: rows of each column ascending, and the CSR entry that each CSC entry is.

    out_indptr (n_columns + 1,) int64, zeroed; out_rows, out_place (nnz,).
    """
    for e in range(indices.size):
        out_indptr[indices[e] + 1] += 1
    for j in range(n_columns):
        out_indptr[j + 1] += out_indptr[j]
    cursor = out_indptr[:-1].copy()
    for i in range(indptr.size - 1):
        for e in range(indptr[i], indptr[i + 1]):
            j = indices[e]
            out_rows[cursor[j]] = i
            out_place[cursor[j]] = e
            cursor[j] += 1


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
