"""Compiled loops of the exact solver: arrays in, arrays out.

Conventions: group i of the eliminated term owns entries `indptr[i]:indptr[i + 1]` of the cross block; entry t belongs to
column `columns[t]` of the remaining system and holds k0 numbers. Nothing is modified unless named `out`.

Places are unsigned wherever they can be: a signed one might be negative and count from the end. To look whether it does takes a
part of a loop's time, and half of the time in which it is compiled.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled

ZERO, ONE = np.uint64(0), np.uint64(1)


@compiled
def number_cells(order, start, groups, met, out_cell, out_group, out_level):
    """Number the cells in which levels and groups meet, level by level: how many there are.

    order (n,) int32, start (n_levels + 1,) int64: rows by level; groups (n,) int32: group of each row; met (n_groups,) int64:
    scratch, -1 on entry; out_cell (n,) int32: the cell of each row; out_group, out_level (n or less,) int32: of each cell.
    """
    count = 0
    for level in range(np.uint64(start.size) - ONE):
        first = count
        for s in range(np.uint64(start[level]), np.uint64(start[level + ONE])):
            row = np.uint64(order[s])
            i = np.uint64(groups[row])
            if met[i] < first:
                met[i] = count
                out_group[np.uint64(count)] = i
                out_level[np.uint64(count)] = level
                count += 1
            out_cell[row] = met[i]
    return count


@compiled
def find_cells(groups, columns_of_rows, indptr, columns, out_cell):
    """The entry of each row's column in the stretch of its group, in a pattern that is there: what `cells_of` found.

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
    n, k, m = np.uint64(index.size), np.uint64(left.shape[1]), np.uint64(right.shape[1])
    for row in range(n):
        i = np.uint64(index[row])
        for a in range(k):
            x = left[row, a]
            for b in range(m):
                out[i, a, b] += x * right[row, b]


@compiled
def sort_rows(codes, cursor, out_order):
    """Rows group by group. codes (n,) int32: group of each; cursor (J,) int64: next place of each, advanced; out_order (n,)."""
    for row in range(np.uint64(codes.size)):
        i = np.uint64(codes[row])
        out_order[np.uint64(cursor[i])] = row
        cursor[i] += 1


@compiled
def lay_out(indptr, columns, entries, out):
    """out[i k + a, columns[t]] = entries[t, a] for every entry t of group i; entries (nnz, k), out (J k, q) zero elsewhere."""
    k = np.uint64(entries.shape[1])
    for i in range(np.uint64(indptr.size) - ONE):
        for t in range(np.uint64(indptr[i]), np.uint64(indptr[i + ONE])):
            for a in range(k):
                out[i * k + a, np.uint64(columns[t])] = entries[t, a]


@compiled
def factor_blocks(blocks, out_lower, out_inverse):
    """Cholesky factors and their inverses of blocks (J, k, k); outputs (J, k, k). Returns -1, or the first bad block."""
    k = np.uint64(blocks.shape[1])
    for i in range(np.uint64(blocks.shape[0])):
        for c in range(k):
            pivot = blocks[i, c, c]
            for m in range(c):
                pivot -= out_lower[i, c, m] * out_lower[i, c, m]
            if not pivot > 0.0:
                return np.int64(i)
            pivot = np.sqrt(pivot)
            out_lower[i, c, c] = pivot
            for r in range(c + ONE, k):
                out_lower[i, c, r] = 0.0
                total = blocks[i, r, c]
                for m in range(c):
                    total -= out_lower[i, r, m] * out_lower[i, c, m]
                out_lower[i, r, c] = total / pivot
        for c in range(k):
            for r in range(c):
                out_inverse[i, r, c] = 0.0
            out_inverse[i, c, c] = 1.0 / out_lower[i, c, c]
            for r in range(c + ONE, k):
                total = 0.0
                for m in range(c, r):
                    total -= out_lower[i, r, m] * out_inverse[i, m, c]
                out_inverse[i, r, c] = total / out_lower[i, r, r]
    return -1


@compiled
def apply_blocks(blocks, indptr, entries, transpose, out):
    """out[t] = blocks[i] @ entries[t] for every entry t of group i (blocks[i].T with `transpose`). entries, out (nnz, k)."""
    k = np.uint64(entries.shape[1])
    for i in range(np.uint64(indptr.size) - ONE):
        for t in range(np.uint64(indptr[i]), np.uint64(indptr[i + ONE])):
            for a in range(k):
                total = 0.0
                for b in range(k):
                    total += (blocks[i, b, a] if transpose else blocks[i, a, b]) * entries[t, b]
                out[t, a] = total
