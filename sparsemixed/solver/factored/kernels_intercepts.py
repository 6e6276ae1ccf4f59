"""Compiled loop of `solver.factored.projected_intercepts`: rows times F'F, F the sparse rows of groups with one effect each."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_apart, compiled_stretches
from sparsemixed.solver.vectors import WIDTH, load, plus, store, zeros

ZERO, ONE, TWO, THREE, FOUR, EIGHT, SIXTEEN = (np.uint64(number) for number in (0, 1, 2, 3, 4, WIDTH, 2 * WIDTH))


@compiled_stretches(lambda schedule, *_: len(schedule))
def subtract_products(first, last, schedule, colptr, entry, end, columns, left, right, fresh, out):
    """As `kernels.subtract_dense`, for left and right (nnz,)."""
    for part in range(np.uint64(first), np.uint64(last)):
        for s in range(np.uint64(schedule.shape[1])):
            if schedule[part, s] < 0:
                continue
            c = np.uint64(schedule[part, s])
            if fresh:
                for r in range(c, np.uint64(out.shape[1])):
                    out[c, r] = 0.0
            for e in range(np.uint64(colptr[c]), np.uint64(colptr[c + ONE])):
                p = np.uint64(entry[e])
                weight = right[p]
                for t in range(p, np.uint64(end[e])):
                    out[c, np.uint64(columns[t])] -= weight * left[t]


@compiled_stretches(lambda schedule, *_: len(schedule))
def gather_products(first, last, schedule, colptr, entry, begin, end, columns, values, inverse, out):
    """As `kernels.gather_dense`, for values and out (nnz,): four sums beside each other, none of which waits for the others."""
    for part in range(np.uint64(first), np.uint64(last)):
        for s in range(np.uint64(schedule.shape[1])):
            if schedule[part, s] < 0:
                continue
            c = np.uint64(schedule[part, s])
            for e in range(np.uint64(colptr[c]), np.uint64(colptr[c + ONE])):
                t, stop = np.uint64(begin[e]), np.uint64(end[e])
                whole = t + (stop - t) // FOUR * FOUR
                x = y = z = w = 0.0
                while t < whole:
                    x += values[t] * inverse[c, np.uint64(columns[t])]
                    y += values[t + ONE] * inverse[c, np.uint64(columns[t + ONE])]
                    z += values[t + TWO] * inverse[c, np.uint64(columns[t + TWO])]
                    w += values[t + THREE] * inverse[c, np.uint64(columns[t + THREE])]
                    t += FOUR
                while t < stop:
                    x += values[t] * inverse[c, np.uint64(columns[t])]
                    t += ONE
                out[np.uint64(entry[e])] = (x + y) + (z + w)


@compiled_apart
def times_squares(indptr, columns, entries, C, panel, back, out):
    """out = C F'F for C, out (m, q2) and F (J, q2) of entries (nnz,), group by group: F_i C' is used at once and never kept.

    Sixteen rows of C at a time, laid out side by side in two vectors of the processor, so that the columns that a group meets are
    still at hand when its sums go back to them, and two chains of sums run beside each other. panel, back (q2, 16): scratch.
    """
    m, q2 = np.uint64(C.shape[0]), np.uint64(C.shape[1])
    for begin in range(ZERO, m, SIXTEEN):
        width = min(SIXTEEN, m - begin)
        for v in range(SIXTEEN):
            for c in range(q2):
                panel[c, v] = C[begin + v, c] if v < width else 0.0
                back[c, v] = 0.0
        for i in range(np.uint64(indptr.size) - ONE):
            first, last = np.uint64(indptr[i]), np.uint64(indptr[i + ONE])
            left, right = zeros(), zeros()
            for t in range(first, last):
                c = np.uint64(columns[t])
                left = plus(left, entries[t], load(panel, c, ZERO))
                right = plus(right, entries[t], load(panel, c, EIGHT))
            for t in range(first, last):
                c = np.uint64(columns[t])
                store(back, c, ZERO, plus(load(back, c, ZERO), entries[t], left))
                store(back, c, EIGHT, plus(load(back, c, EIGHT), entries[t], right))
        for v in range(width):
            for c in range(q2):
                out[begin + v, c] = back[c, v]
