"""Compiled loops of the exact solver: arrays in, arrays out.

Conventions: group i of the eliminated term owns entries `indptr[i]:indptr[i + 1]` of the cross block; entry t belongs to
column `columns[t]` of the remaining system and holds k0 numbers. Nothing is modified unless named `out`.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled


@compiled
def sort_rows(codes, n_groups):
    """Counting sort. codes (n,) int32 -> order (n,) int64 of the rows by group, start (n_groups + 1,) int64."""
    start = np.zeros(n_groups + 1, np.int64)
    for code in codes:
        start[code + 1] += 1
    for i in range(n_groups):
        start[i + 1] += start[i]
    cursor = start[:-1].copy()
    order = np.empty(codes.size, np.int64)
    for row in range(codes.size):
        order[cursor[codes[row]]] = row
        cursor[codes[row]] += 1
    return order, start


@compiled
def count_cells(order, start, groups, width, last, out):
    """Add `width` to out[i] (n_groups,) for every level that group i meets.

    order, start: rows sorted by level (`sort_rows`); groups (n,) int32: group of each row; last (n_groups,) int64: scratch.
    """
    last[:] = -1
    for level in range(start.size - 1):
        for s in range(start[level], start[level + 1]):
            i = groups[order[s]]
            if last[i] != level:
                last[i] = level
                out[i] += width


@compiled
def fill_cells(order, start, groups, width, offset, last, cursor, place, out_columns, out_cell):
    """Write each met level's columns into its group's stretch, levels ascending.

    cursor (n_groups,) int64: next free entry of each group, advanced; last, place (n_groups,) int64: scratch;
    out_columns (nnz,) int32; out_cell (n,) int32: first entry of the cell of each row.
    """
    last[:] = -1
    for level in range(start.size - 1):
        for s in range(start[level], start[level + 1]):
            row = order[s]
            i = groups[row]
            if last[i] != level:
                last[i] = level
                place[i] = cursor[i]
                for a in range(width):
                    out_columns[cursor[i] + a] = offset + level * width + a
                cursor[i] += width
            out_cell[row] = place[i]


@compiled
def find_cells(groups, columns_of_rows, indptr, columns, out_cell):
    """The entry of each row's column in the stretch of its group, in a pattern that is there: what `fill_cells` found.

    groups (n,) int32, columns_of_rows (n,) int64; indptr, columns: the pattern, ascending in each stretch; out_cell (n,) int32.
    """
    for row in range(groups.size):
        low, high = indptr[groups[row]], indptr[groups[row] + 1] - 1
        wanted = columns_of_rows[row]
        while low < high:
            middle = (low + high) // 2
            if columns[middle] < wanted:
                low = middle + 1
            else:
                high = middle
        out_cell[row] = low


@compiled
def scatter_outer(index, left, right, out):
    """out[index[row]] += outer(left[row], right[row]). index (n,), left (n, a), right (n, b), out (m, a, b)."""
    for row in range(index.size):
        i = index[row]
        for a in range(left.shape[1]):
            x = left[row, a]
            for b in range(right.shape[1]):
                out[i, a, b] += x * right[row, b]


@compiled
def add_group_outers(indptr, left, right, out):
    """out[i] += outer(left[t], right[t]) for every entry t of group i. left (nnz, a), right (nnz, b), out (J, a, b)."""
    for i in range(indptr.size - 1):
        for t in range(indptr[i], indptr[i + 1]):
            for a in range(left.shape[1]):
                x = left[t, a]
                for b in range(right.shape[1]):
                    out[i, a, b] += x * right[t, b]


@compiled
def lay_out(indptr, columns, entries, out):
    """out[i k + a, columns[t]] = entries[t, a] for every entry t of group i; entries (nnz, k), out (J k, q) zero elsewhere."""
    k = entries.shape[1]
    for i in range(indptr.size - 1):
        for t in range(indptr[i], indptr[i + 1]):
            for a in range(k):
                out[i * k + a, columns[t]] = entries[t, a]


@compiled
def factor_blocks(blocks, out_lower, out_inverse):
    """Cholesky factors and their inverses of blocks (J, k, k); outputs (J, k, k). Returns -1, or the first bad block."""
    k = blocks.shape[1]
    for i in range(blocks.shape[0]):
        for c in range(k):
            pivot = blocks[i, c, c]
            for m in range(c):
                pivot -= out_lower[i, c, m] * out_lower[i, c, m]
            if not pivot > 0.0:
                return i
            pivot = np.sqrt(pivot)
            out_lower[i, c, c] = pivot
            for r in range(c + 1, k):
                out_lower[i, c, r] = 0.0
                total = blocks[i, r, c]
                for m in range(c):
                    total -= out_lower[i, r, m] * out_lower[i, c, m]
                out_lower[i, r, c] = total / pivot
        for c in range(k):
            for r in range(c):
                out_inverse[i, r, c] = 0.0
            out_inverse[i, c, c] = 1.0 / out_lower[i, c, c]
            for r in range(c + 1, k):
                total = 0.0
                for m in range(c, r):
                    total -= out_lower[i, r, m] * out_inverse[i, m, c]
                out_inverse[i, r, c] = total / out_lower[i, r, r]
    return -1


@compiled
def apply_blocks(blocks, indptr, entries, transpose, out):
    """out[t] = blocks[i] @ entries[t] for every entry t of group i (blocks[i].T with `transpose`). entries, out (nnz, k)."""
    k = entries.shape[1]
    for i in range(indptr.size - 1):
        for t in range(indptr[i], indptr[i + 1]):
            for a in range(k):
                total = 0.0
                for b in range(k):
                    total += (blocks[i, b, a] if transpose else blocks[i, a, b]) * entries[t, b]
                out[t, a] = total
