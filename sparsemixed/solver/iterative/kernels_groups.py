"""Compiled products of the iterative solver with H (q0, q2), whose cells are used as they are: k0 numbers for every entry.

Conventions of `solver.kernels`. x and what comes out have few columns, which are padded to whole vectors of the processor. bounds
(parts + 1,) int64: the groups of every part. What goes back to the columns of H is summed in each part by itself, and the sums
are added in order: as long as the parts do not depend on the number of threads, no digit does.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from sparsemixed.solver.compiled import compiled, compiled_parallel
from sparsemixed.solver.kernels_aligned import aligned
from sparsemixed.solver.kernels_panels import add_rows_back, rows_times_panel
from sparsemixed.solver.vectors import WIDTH

ZERO = np.uint64(0)


@compiled
def padded(x):
    """x (q, m) with columns of zeros up to whole vectors."""
    m = x.shape[1]
    panel = aligned(x.shape[0], -(-m // WIDTH) * WIDTH)
    for c in range(x.shape[0]):
        for v in range(m):
            panel[c, v] = x[c, v]
        for v in range(m, panel.shape[1]):
            panel[c, v] = 0.0
    return panel


@compiled
def zeros_of_parts(parts, q, m):
    """Sums (parts q, whole vectors) for every part."""
    sums = aligned(parts * q, -(-m // WIDTH) * WIDTH)
    sums[:] = 0.0
    return sums


@compiled
def add_parts(sums, out):
    """out (q, m) = the sums of all parts (parts q, _)."""
    q, m = out.shape
    out[:] = 0.0
    for first in range(0, sums.shape[0], q):
        for c in range(q):
            for v in range(m):
                out[c, v] += sums[first + c, v]


@compiled_parallel
def rows_times_block(bounds, indptr, columns, entries, x, out):
    """out (q0, m) = H x."""
    k0, m, panel = entries.shape[1], x.shape[1], padded(x)
    for part in prange(bounds.size - 1):
        R = np.empty((k0, panel.shape[1]))
        for i in range(bounds[part], bounds[part + 1]):
            rows_times_panel(np.uint64(i), indptr, columns, entries, panel, R, ZERO, ZERO)
            for a in range(k0):
                for v in range(m):
                    out[i * k0 + a, v] = R[a, v]


@compiled_parallel
def columns_times_block(bounds, indptr, columns, entries, x, out):
    """out (q2, m) = H'x."""
    k0, q2, panel = np.uint64(entries.shape[1]), np.uint64(out.shape[0]), padded(x)
    sums = zeros_of_parts(bounds.size - 1, out.shape[0], out.shape[1])
    for part in prange(bounds.size - 1):
        for i in range(np.uint64(bounds[part]), np.uint64(bounds[part + 1])):
            add_rows_back(i, indptr, columns, entries, panel, i * k0, sums, np.uint64(part) * q2)
    add_parts(sums, out)


@compiled_parallel
def square_times_block(bounds, indptr, columns, entries, x, out):
    """out (q2, m) = H'H x, group by group, so that what is between the two is never stored."""
    k0, q2, panel = entries.shape[1], np.uint64(out.shape[0]), padded(x)
    sums = zeros_of_parts(bounds.size - 1, out.shape[0], out.shape[1])
    for part in prange(bounds.size - 1):
        R = np.empty((k0, panel.shape[1]))
        for i in range(np.uint64(bounds[part]), np.uint64(bounds[part + 1])):
            rows_times_panel(i, indptr, columns, entries, panel, R, ZERO, ZERO)
            add_rows_back(i, indptr, columns, entries, R, ZERO, sums, np.uint64(part) * q2)
    add_parts(sums, out)
