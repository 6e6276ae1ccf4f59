"""Compiled loops that find a pattern of cross-products, or join two; conventions of `solver.kernels`."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled, compiled_part, compiled_stretches

WORD, ONE = 64, np.uint64(1)
"""Levels that one number has a bit for."""


@compiled_part
def levels_of(codes, order, begin, end, bits, out):
    """The distinct levels of rows order[begin:end] in the order in which they are met; out (n_levels,). Returns how many.

    bits: zeros, and zeros again at the end.
    """
    count = 0
    for s in range(begin, end):
        code = codes[order[s]] if order.size else codes[s]
        bit = ONE << np.uint64(code % WORD)
        if not bits[code // WORD] & bit:
            bits[code // WORD] |= bit
            out[count] = code
            count += 1
    for m in range(count):
        bits[out[m] // WORD] = 0
    return count


@compiled_stretches(lambda bounds, *_: bounds.size - 1)
def count_levels(first, last, bounds, start, order, codes, n_levels, width, out):
    """out[i] += width times the levels that group i meets.

    The rows of group i are order[start[i]:start[i + 1]], or start[i]:start[i + 1] themselves where `order` is empty; codes (n,)
    int32: level of each row; bounds (parts + 1,): the groups of every part.
    """
    for part in range(first, last):
        bits, met = np.zeros(n_levels // WORD + 1, np.uint64), np.empty(n_levels, np.int32)
        for i in range(bounds[part], bounds[part + 1]):
            out[i] += width * levels_of(codes, order, start[i], start[i + 1], bits, met)


@compiled_stretches(lambda bounds, *_: bounds.size - 1)
def fill_levels(first, last, bounds, start, order, codes, n_levels, width, offset, cursor, out_columns, out_cell):
    """Write each met level's columns into its group's stretch, levels ascending, and the first entry of the cell of each row.

    Rows as in `count_levels`. cursor (n_groups,) int64: next free entry of each group, advanced; out_columns (nnz,) int32;
    out_cell (n,) int32.
    """
    for part in range(first, last):
        bits, met = np.zeros(n_levels // WORD + 1, np.uint64), np.empty(n_levels, np.int32)
        place = np.empty(n_levels, np.int32)
        for i in range(bounds[part], bounds[part + 1]):
            count = levels_of(codes, order, start[i], start[i + 1], bits, met)
            met[:count].sort()
            for m in range(count):
                place[met[m]] = cursor[i]
                for a in range(width):
                    out_columns[cursor[i] + a] = offset + met[m] * width + a
                cursor[i] += width
            for s in range(start[i], start[i + 1]):
                row = order[s] if order.size else s
                out_cell[row] = place[codes[row]]


@compiled
def union_counts(a_indptr, a_columns, b_indptr, b_columns, out):
    """out[i + 1] = number of distinct columns of row i in either pattern; out (n + 1,) int64."""
    for i in range(a_indptr.size - 1):
        e, f, count = a_indptr[i], b_indptr[i], 0
        while e < a_indptr[i + 1] or f < b_indptr[i + 1]:
            left = a_columns[e] if e < a_indptr[i + 1] else 2147483647
            right = b_columns[f] if f < b_indptr[i + 1] else 2147483647
            if left <= right:
                e += 1
            if right <= left:
                f += 1
            count += 1
        out[i + 1] = count


@compiled
def union_sums(a_indptr, a_columns, a, b_indptr, b_columns, b, indptr, out_columns, out):
    """Columns (nnz,) and sums (nnz, k) of the union, rows as in `union_counts`; a and b (nnz, k)."""
    for i in range(a_indptr.size - 1):
        e, f = a_indptr[i], b_indptr[i]
        for g in range(indptr[i], indptr[i + 1]):
            left = a_columns[e] if e < a_indptr[i + 1] else 2147483647
            right = b_columns[f] if f < b_indptr[i + 1] else 2147483647
            out_columns[g] = min(left, right)
            if left <= right:
                for c in range(a.shape[1]):
                    out[g, c] += a[e, c]
                e += 1
            if right <= left:
                for c in range(b.shape[1]):
                    out[g, c] += b[f, c]
                f += 1


@compiled
def add_weighted_squares(indptr, columns, entries, rows, weights, label, out):
    """out[a, label] += rows[i, a] and out[label, a] += weights[column], times the square of every entry (nnz, k0).

    rows (J0, k0): a weight of every row of the matrix; weights, label (q2,): one of every column, and its place in out (c, c).
    """
    for i in range(indptr.size - 1):
        for t in range(indptr[i], indptr[i + 1]):
            j = columns[t]
            for a in range(entries.shape[1]):
                square = entries[t, a] * entries[t, a]
                out[a, label[j]] += rows[i, a] * square
                out[label[j], a] += weights[j] * square


@compiled
def meet(indptr, columns, place, out):
    """out[place[j], c] = True where columns j and c of a pattern by groups meet in one of them; place (q2,): -1 for no place."""
    for i in range(indptr.size - 1):
        for t in range(indptr[i], indptr[i + 1]):
            if place[columns[t]] >= 0:
                for u in range(indptr[i], indptr[i + 1]):
                    out[place[columns[t]], columns[u]] = True


@compiled
def add_rows_times(indptr, columns, entries, x, out):
    """out += H x for the H (J0 k, q2) that has entries (nnz, k) on a pattern by groups; x (m, q2), out (m, J0 k), by columns."""
    k = entries.shape[1]
    for c in range(x.shape[0]):
        for i in range(indptr.size - 1):
            for a in range(k):
                total = 0.0
                for t in range(indptr[i], indptr[i + 1]):
                    total += entries[t, a] * x[c, np.uint32(columns[t])]
                out[c, i * k + a] += total


@compiled
def add_columns_times(indptr, columns, entries, x, out):
    """out += H'x, H as in `add_rows_times`; x (m, J0 k), out (m, q2), by columns."""
    k = entries.shape[1]
    for c in range(x.shape[0]):
        for i in range(indptr.size - 1):
            for a in range(k):
                value = x[c, i * k + a]
                for t in range(indptr[i], indptr[i + 1]):
                    out[c, np.uint32(columns[t])] += entries[t, a] * value


@compiled
def add_cells_times(rows, cols, values, row, col, both, x, out):
    """out += G x where G has the cells values (c, k, l) of levels rows and cols (c,), the first of which begin at row and col.

    With `both` those of the transpose too. x, out (m, q2), by columns.
    """
    _, k, l = values.shape
    for c in range(x.shape[0]):
        for t in range(rows.size):
            i, j = row + rows[t] * k, col + cols[t] * l
            for a in range(k):
                for b in range(l):
                    out[c, i + a] += values[t, a, b] * x[c, j + b]
                    if both:
                        out[c, j + b] += values[t, a, b] * x[c, i + a]
