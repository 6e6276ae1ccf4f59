"""Compiled loops over pairs of groups of the eliminated term: X_ij = F_i N F_j' by sparse rows F, and sums of its products.

Conventions of `solver.kernels`. N (q2, q2) is dense and symmetric. The groups j stand side by side, eight in a vector of the
processor, and of X no more is there at a time than the rows of one group i.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_apart, compiled_part, compiled_within
from sparsemixed.solver.kernels_panels import rows_times_panel
from sparsemixed.solver.vectors import WIDTH, load, plus_each, store

ZERO, ONE, EIGHT = np.uint64(0), np.uint64(1), np.uint64(WIDTH)


@compiled_within
def rows_times_dense(begin, end, indptr, columns, entries, N, panel, R):
    """R = F N of the groups from begin to end, zero beyond q2; panel (q2, vectors): scratch; R (groups k0, several panels)."""
    q2, k0, width = np.uint64(N.shape[0]), np.uint64(entries.shape[1]), np.uint64(panel.shape[1])
    for s in range(ZERO, np.uint64(R.shape[1]), width):
        for c in range(q2):
            for v in range(ZERO, width, EIGHT):
                if s + v + EIGHT <= q2:
                    store(panel, c, v, load(N, c, s + v))
                else:
                    for w in range(v, v + EIGHT):
                        panel[c, w] = N[c, s + w] if s + w < q2 else 0.0
        for i in range(begin, end):
            rows_times_panel(i, indptr, columns, entries, panel, R, (i - begin) * k0, s)


@compiled_within
def side_by_side(R, k0, begin, lanes, panel):
    """panel[c, (u k0 + a) 8 + v] = R[j k0 + a, c] with j the group begin + 8 u + v, for all u below `lanes`."""
    for u in range(lanes):
        for a in range(k0):
            for v in range(EIGHT):
                row, at = (begin + u * EIGHT + v) * k0 + a, (u * k0 + a) * EIGHT + v
                for c in range(np.uint64(panel.shape[0])):
                    panel[c, at] = R[row, c]


@compiled_part
def add_products(X, first, rows, k0, gram, start):
    """gram[start + x n + y] += X_ac X_bd, lane by lane, at x = (a, c) and y = (b, d) up to x; n = rows k0.

    X (_, vectors): its rows from `first` on, with k0 vectors for every eight groups; gram (_, 8).
    """
    for lane in range(ZERO, np.uint64(X.shape[1]), EIGHT * k0):
        line = start
        for a in range(rows):
            for c in range(k0):
                left, place = load(X, first + a, lane + c * EIGHT), line
                for b in range(a + ONE):
                    for d in range(k0 if b < a else c + ONE):
                        right = load(X, first + b, lane + d * EIGHT)
                        store(gram, place, ZERO, plus_each(load(gram, place, ZERO), left, right))
                        place += ONE
                line += rows * k0


@compiled_apart
def pair_products(indptr, columns, entries, N, begin, end, lanes, terms, widths, panel, X, R, gram, own):
    """Of the groups j from begin to end: X_jj, and products X_ac X_bd summed over pairs i > j, and over columns of N F_j'.

    lanes: how many times eight groups are taken side by side; terms (T + 1,), widths (T,): first columns of the remaining terms,
    and of their groups; panel, X, R: scratch, as `projected_pairs.pair_memory` lays it out; gram (numbers, 8), zeros: for the
    sums, which are those over the 8, of every term and last of the pairs, n n each for n = k k0, at (a, c) before (b, d) and no
    further; own (end - begin, k0, k0): X_jj.
    """
    k0, behind = np.uint64(entries.shape[1]), np.uint64(indptr.size) - ONE
    start, stop, side = np.uint64(begin), np.uint64(end), np.uint64(lanes)
    rows_times_dense(start, stop, indptr, columns, entries, N, panel, R)
    for first in range(start, stop, side * EIGHT):
        side_by_side(R, k0, first - start, side, panel)
        place, last = ZERO, min(first + side * EIGHT, stop)
        for t in range(np.uint64(widths.size)):
            k = np.uint64(widths[t])
            for c in range(np.uint64(terms[t]), np.uint64(terms[t + ONE]), k):
                add_products(panel, c, k, k0, gram, place)
            place += k * k0 * k * k0
        for i in range(first, behind):
            rows_times_panel(i, indptr, columns, entries, panel, X, ZERO, ZERO)
            for j in range(i, last):  # every pair once, with i the later one
                for c in range(k0):
                    at = ((j - first) // EIGHT * k0 + c) * EIGHT + (j - first) % EIGHT
                    for a in range(k0):
                        if j == i:
                            own[i - start, a, c] = X[a, at]
                        X[a, at] = 0.0
            add_products(X, ZERO, k0, k0, gram, place)
