"""Compiled sums over the cells of groups and of columns: what the traces of the iterative solver know exactly."""

from __future__ import annotations

from numba import prange

from sparsemixed.solver.compiled import compiled_parallel


@compiled_parallel
def quadratics_and_products(bounds, indptr, columns, entries, first, width, inverse, sums, out_groups, out_columns):
    """Of H = entries (nnz, k0), whose cells are consecutive entries, the diagonal blocks of H inv(D) H' and of H'H.

    out_groups[i] += sum over the cells of group i of H_cell' inverse_level H_cell; out_columns[j, b] = sum over entries e of
    column j of entries[e] . entries[the cell's entry b]. bounds: the groups of every part, which has sums (q2, kmax) of its
    own. For every column of S: first (q2,): first column of its level; width (q2,): columns of its level, 0 for columns to
    leave out; inverse (q2, kmax): its row of the level's inverse block. sums (parts q2, kmax): zeros, used up. out_groups
    (J0, k0, k0).
    """
    k0, q2 = entries.shape[1], out_columns.shape[0]
    for part in prange(bounds.size - 1):
        for i in range(bounds[part], bounds[part + 1]):
            for e in range(indptr[i], indptr[i + 1]):
                j = columns[e]
                base = e - (j - first[j])
                for b in range(width[j]):
                    weight, total = inverse[j, b], 0.0
                    for x in range(k0):
                        total += entries[e, x] * entries[base + b, x]
                        for y in range(k0):
                            out_groups[i, x, y] += weight * entries[e, x] * entries[base + b, y]
                    sums[part * q2 + j, b] += total
    for j in prange(q2):
        for b in range(out_columns.shape[1]):
            total = 0.0
            for row in range(j, sums.shape[0], q2):
                total += sums[row, b]
            out_columns[j, b] = total
