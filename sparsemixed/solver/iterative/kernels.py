"""Compiled sums over the cells of groups and of columns: what the traces of the iterative solver know exactly."""

from __future__ import annotations

from sparsemixed.solver.compiled import compiled_stretches


@compiled_stretches(lambda bounds, *_: bounds.size - 1)
def quadratics_and_products(begin, end, bounds, indptr, columns, entries, first, width, inverse, out_sums, out_groups):
    """Of H = entries (nnz, k0), whose cells are consecutive entries, the diagonal blocks of H inv(D) H' and of H'H.

    out_groups[i] += sum over the cells of group i of H_cell' inverse_level H_cell; out_sums[part, j, b] += sum over entries e of
    column j of entries[e] . entries[the cell's entry b]. bounds: the groups of every part, which has sums (q2, kmax) of its
    own. For every column of S: first (q2,): first column of its level; width (q2,): columns of its level, 0 for columns to
    leave out; inverse (q2, kmax): its row of the level's inverse block. out_sums (parts, q2, kmax); out_groups (J0, k0, k0).
    """
    k0 = entries.shape[1]
    for part in range(begin, end):
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
                    out_sums[part, j, b] += total
