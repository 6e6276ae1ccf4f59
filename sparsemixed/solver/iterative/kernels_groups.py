"""Compiled products of the iterative solver with H (q0, q2), whose cells are used as they are: k0 numbers for every entry.

Conventions of `solver.kernels`. x and what comes out have few columns, which are padded to whole vectors of the processor. bounds
(parts + 1,) int64: the groups of every part. What goes back to the columns of H is summed in each part by itself, and the sums
are added in order (`add_parts`): as long as the parts do not depend on the number of threads, no digit does. panel: x as
`padded` has it.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled, compiled_part, compiled_stretches
from sparsemixed.solver.kernels_panels import add_rows_back, rows_times_panel
from sparsemixed.solver.vectors import WIDTH, load, plus, prefetch, store, zeros

ZERO, ONE, EIGHT = np.uint64(0), np.uint64(1), np.uint64(WIDTH)
AHEAD = np.uint64(32)
"""Entries before its turn at which a row of a panel is sent for: those of rare columns are far away (measured)."""


@compiled
def padded(x, panel):
    """Fill panel (q, _) with x (q, m) and columns of zeros beside it."""
    m = x.shape[1]
    for c in range(x.shape[0]):
        for v in range(m):
            panel[c, v] = x[c, v]
        for v in range(m, panel.shape[1]):
            panel[c, v] = 0.0


@compiled_part
def clear_part(sums, first, q):
    """Zeros in the sums of a part, which begin in row `first`."""
    for c in range(first, first + q):
        for v in range(sums.shape[1]):
            sums[c, v] = 0.0


@compiled_stretches(lambda sums, out: len(out))
def add_parts(first, last, sums, out):
    """out (q, m): the sums of all parts (parts q, _), in order."""
    for c in range(first, last):
        for v in range(out.shape[1]):
            total = sums[c, v]
            for row in range(c + out.shape[0], sums.shape[0], out.shape[0]):
                total += sums[row, v]
            out[c, v] = total


@compiled_part
def row_of_eight(i, indptr, columns, entries, panel, R):
    """R[0] = H_i panel for a group with one row and a panel of one vector."""
    x, begin, end, last = zeros(), np.uint64(indptr[i]), np.uint64(indptr[i + ONE]), np.uint64(columns.size) - ONE
    for t in range(begin, end):
        prefetch(panel, np.uint64(columns[min(t + AHEAD, last)]), ZERO)
        x = plus(x, entries[t, ZERO], load(panel, np.uint64(columns[t]), ZERO))
    store(R, ZERO, ZERO, x)


@compiled_part
def row_of_sixteen(i, indptr, columns, entries, panel, R):
    """As `row_of_eight`, of two vectors."""
    x, y, begin, end = zeros(), zeros(), np.uint64(indptr[i]), np.uint64(indptr[i + ONE])
    last = np.uint64(columns.size) - ONE
    for t in range(begin, end):
        ahead = np.uint64(columns[min(t + AHEAD, last)])
        prefetch(panel, ahead, ZERO)
        prefetch(panel, ahead, EIGHT)
        c, p = np.uint64(columns[t]), entries[t, ZERO]
        x, y = plus(x, p, load(panel, c, ZERO)), plus(y, p, load(panel, c, EIGHT))
    store(R, ZERO, ZERO, x)
    store(R, ZERO, EIGHT, y)


@compiled_part
def eight_back(i, indptr, columns, entries, R, row, sums, first):
    """sums[first + c] += H_i'R[row] for a group with one row and R of one vector."""
    x, begin, end, last = load(R, row, ZERO), np.uint64(indptr[i]), np.uint64(indptr[i + ONE]), np.uint64(columns.size) - ONE
    for t in range(begin, end):
        prefetch(sums, first + np.uint64(columns[min(t + AHEAD, last)]), ZERO)
        c = first + np.uint64(columns[t])
        store(sums, c, ZERO, plus(load(sums, c, ZERO), entries[t, ZERO], x))


@compiled_part
def sixteen_back(i, indptr, columns, entries, R, row, sums, first):
    """As `eight_back`, of two vectors."""
    x, y, begin, end = load(R, row, ZERO), load(R, row, EIGHT), np.uint64(indptr[i]), np.uint64(indptr[i + ONE])
    last = np.uint64(columns.size) - ONE
    for t in range(begin, end):
        ahead = first + np.uint64(columns[min(t + AHEAD, last)])
        prefetch(sums, ahead, ZERO)
        prefetch(sums, ahead, EIGHT)
        c, p = first + np.uint64(columns[t]), entries[t, ZERO]
        store(sums, c, ZERO, plus(load(sums, c, ZERO), p, x))
        store(sums, c, EIGHT, plus(load(sums, c, EIGHT), p, y))


@compiled_part
def rows_of_group(i, indptr, columns, entries, panel, R):
    """R (k0, _) = H_i panel; of single rows what comes next is sent for, and nothing computed twice."""
    if entries.shape[1] == 1 and panel.shape[1] == WIDTH:
        row_of_eight(i, indptr, columns, entries, panel, R)
    elif entries.shape[1] == 1 and panel.shape[1] == 2 * WIDTH:
        row_of_sixteen(i, indptr, columns, entries, panel, R)
    else:
        rows_times_panel(i, indptr, columns, entries, panel, R, ZERO, ZERO)


@compiled_part
def group_back(i, indptr, columns, entries, R, row, sums, first):
    """sums[first + c] += H_i' times the k0 rows of R from `row` on."""
    if entries.shape[1] == 1 and R.shape[1] == WIDTH:
        eight_back(i, indptr, columns, entries, R, row, sums, first)
    elif entries.shape[1] == 1 and R.shape[1] == 2 * WIDTH:
        sixteen_back(i, indptr, columns, entries, R, row, sums, first)
    else:
        add_rows_back(i, indptr, columns, entries, R, row, sums, first)


@compiled_stretches(lambda bounds, *_: bounds.size - 1)
def times_blocks(first, last, bounds, blocks, indptr, entries, out):
    """out[t] = blocks[i] @ entries[t] for every entry t of group i. blocks (J0, k0, k0); entries, out (nnz, k0)."""
    k0 = entries.shape[1]
    for part in range(first, last):
        for i in range(bounds[part], bounds[part + 1]):
            for t in range(indptr[i], indptr[i + 1]):
                for a in range(k0):
                    total = 0.0
                    for b in range(k0):
                        total += blocks[i, a, b] * entries[t, b]
                    out[t, a] = total


@compiled_stretches(lambda bounds, *_: bounds.size - 1)
def rows_times_block(first, last, bounds, indptr, columns, entries, panel, out):
    """out (q0, m) = H x."""
    k0, m = entries.shape[1], out.shape[1]
    for part in range(first, last):
        R = np.empty((k0, panel.shape[1]))
        for i in range(bounds[part], bounds[part + 1]):
            rows_of_group(np.uint64(i), indptr, columns, entries, panel, R)
            for a in range(k0):
                for v in range(m):
                    out[i * k0 + a, v] = R[a, v]


@compiled_stretches(lambda bounds, *_: bounds.size - 1)
def columns_times_block(first, last, bounds, indptr, columns, entries, panel, out_sums):
    """out_sums (parts q2, _): H'x by the groups of each part."""
    k0, q2 = np.uint64(entries.shape[1]), out_sums.shape[0] // (bounds.size - 1)
    for part in range(first, last):
        clear_part(out_sums, part * q2, q2)
        for i in range(np.uint64(bounds[part]), np.uint64(bounds[part + 1])):
            group_back(i, indptr, columns, entries, panel, i * k0, out_sums, np.uint64(part) * np.uint64(q2))


@compiled_stretches(lambda bounds, *_: bounds.size - 1)
def square_times_block(first, last, bounds, indptr, columns, entries, panel, out_sums):
    """The same of H'H x, group by group, so that what is between the two is never stored."""
    k0, q2 = entries.shape[1], out_sums.shape[0] // (bounds.size - 1)
    for part in range(first, last):
        clear_part(out_sums, part * q2, q2)
        begin, R = np.uint64(part) * np.uint64(q2), np.empty((k0, panel.shape[1]))
        for i in range(np.uint64(bounds[part]), np.uint64(bounds[part + 1])):
            rows_of_group(i, indptr, columns, entries, panel, R)
            group_back(i, indptr, columns, entries, R, ZERO, out_sums, begin)
