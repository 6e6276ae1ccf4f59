"""Compiled loops over sparse rows of groups and panels: a few dense columns side by side, which stay in the processor's cache.

Conventions of `solver.kernels`. A panel (q2, m) has m a multiple of eight.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_part, compiled_within
from sparsemixed.solver.vectors import WIDTH, load, plus, store, zeros

ZERO, ONE, TWO, EIGHT = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(WIDTH)


@compiled_within
def rows_times_four(begin, end, columns, entries, a, b, panel, s, out, row, column):
    """As `rows_times_panel`, rows a and b of a group, and four vectors from column s on."""
    s1, s2, s3 = s + EIGHT, s + EIGHT + EIGHT, s + EIGHT + EIGHT + EIGHT
    x, x1, x2, x3 = zeros(), zeros(), zeros(), zeros()
    y, y1, y2, y3 = zeros(), zeros(), zeros(), zeros()
    for t in range(begin, end):
        c, first, second = np.uint64(columns[t]), entries[t, a], entries[t, b]
        p, p1, p2, p3 = load(panel, c, s), load(panel, c, s1), load(panel, c, s2), load(panel, c, s3)
        x, x1, x2, x3 = plus(x, first, p), plus(x1, first, p1), plus(x2, first, p2), plus(x3, first, p3)
        y, y1, y2, y3 = plus(y, second, p), plus(y1, second, p1), plus(y2, second, p2), plus(y3, second, p3)
    store(out, row + a, column + s, x)
    store(out, row + a, column + s1, x1)
    store(out, row + a, column + s2, x2)
    store(out, row + a, column + s3, x3)
    store(out, row + b, column + s, y)
    store(out, row + b, column + s1, y1)
    store(out, row + b, column + s2, y2)
    store(out, row + b, column + s3, y3)


@compiled_part
def rows_times_panel(i, indptr, columns, entries, panel, out, row, column):
    """out[row + a, column:] = F_i[a] panel for the k0 rows of group i; panel (q2, m).

    Two rows and four vectors at a time, or two, so that their sums stay in registers; of an odd number of either the last stands
    in for its neighbour.
    """
    k0, width = np.uint64(entries.shape[1]), np.uint64(panel.shape[1])
    begin, end = np.uint64(indptr[i]), np.uint64(indptr[i + ONE])
    s = ZERO
    while s < width:
        four = s + EIGHT + EIGHT + EIGHT < width
        other = s + EIGHT if s + EIGHT < width else s
        a = ZERO
        while a < k0:
            b = a + ONE if a + ONE < k0 else a
            if four:
                rows_times_four(begin, end, columns, entries, a, b, panel, s, out, row, column)
            else:
                x, y, z, w = zeros(), zeros(), zeros(), zeros()
                for t in range(begin, end):
                    first, second = load(panel, columns[t], s), load(panel, columns[t], other)
                    x, y = plus(x, entries[t, a], first), plus(y, entries[t, a], second)
                    z, w = plus(z, entries[t, b], first), plus(w, entries[t, b], second)
                store(out, row + a, column + s, x)
                store(out, row + a, column + other, y)
                store(out, row + b, column + s, z)
                store(out, row + b, column + other, w)
            a += TWO
        s += EIGHT * (TWO + TWO if four else TWO)


@compiled_part
def add_rows_back(i, indptr, columns, entries, R, row, panel, first):
    """panel[first + c] += the entries of column c in group i times the k0 rows of R from `row` on; R (_, m).

    Two rows and two vectors at a time, as in `rows_times_panel`; of an odd number the last stands in for its neighbour.
    """
    k0, width = np.uint64(entries.shape[1]), np.uint64(panel.shape[1])
    begin, end = np.uint64(indptr[i]), np.uint64(indptr[i + ONE])
    s = ZERO
    while s < width:
        other = s + EIGHT if s + EIGHT < width else s
        a = ZERO
        while a < k0:
            x, y = load(R, row + a, s), load(R, row + a, other)
            if a + ONE < k0:
                z, w = load(R, row + a + ONE, s), load(R, row + a + ONE, other)
                for t in range(begin, end):
                    c, p, q = first + np.uint64(columns[t]), entries[t, a], entries[t, a + ONE]
                    left, right = load(panel, c, s), load(panel, c, other)
                    store(panel, c, s, plus(plus(left, p, x), q, z))
                    store(panel, c, other, plus(plus(right, p, y), q, w))
            else:
                for t in range(begin, end):
                    c, p = first + np.uint64(columns[t]), entries[t, a]
                    left, right = load(panel, c, s), load(panel, c, other)
                    store(panel, c, s, plus(left, p, x))
                    store(panel, c, other, plus(right, p, y))
            a += TWO
        s += EIGHT + EIGHT
