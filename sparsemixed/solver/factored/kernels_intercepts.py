"""Compiled loop of `solver.factored.projected_intercepts`: rows times F'F, F the sparse rows of groups with one effect each."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_apart
from sparsemixed.solver.kernels_aligned import aligned
from sparsemixed.solver.vectors import WIDTH, load, plus, store, zeros

ZERO, ONE, EIGHT = np.uint64(0), np.uint64(1), np.uint64(WIDTH)


@compiled_apart
def times_squares(indptr, columns, entries, C, out):
    """out = C F'F for C, out (m, q2) and F (J, q2) of entries (nnz,), group by group: F_i C' is used at once and never kept.

    Sixteen rows of C at a time, laid out side by side in two vectors of the processor, so that the columns that a group meets are
    still at hand when its sums go back to them, and two chains of sums run beside each other.
    """
    m, q2 = C.shape
    panel, back = aligned(q2, 2 * WIDTH), aligned(q2, 2 * WIDTH)
    for begin in range(0, m, 2 * WIDTH):
        width = min(2 * WIDTH, m - begin)
        for v in range(2 * WIDTH):
            for c in range(q2):
                panel[c, v] = C[begin + v, c] if v < width else 0.0
        back[:] = 0.0
        for i in range(np.uint64(indptr.size - 1)):
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
