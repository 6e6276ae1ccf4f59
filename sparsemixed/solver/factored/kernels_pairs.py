"""Compiled loops over pairs of groups of the eliminated term: X_ij = F_i N F_j' by sparse rows F, and sums of its products.

Conventions of `solver.kernels`. N (q2, q2) is dense and symmetric. The groups j stand side by side, eight in a vector of the
processor, and of X no more is there at a time than the rows of one group i.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_apart, compiled_part
from sparsemixed.solver.kernels_panels import rows_times_panel
from sparsemixed.solver.vectors import WIDTH, load, plus_each, store

ZERO = np.uint64(0)


@compiled_part
def rows_times_dense(begin, end, indptr, columns, entries, N, panel, R):
    """R = F N of the groups from begin to end, zero beyond q2; panel (q2, vectors): scratch; R (groups k0, several panels)."""
    q2, k0, width = N.shape[0], np.uint64(entries.shape[1]), panel.shape[1]
    for s in range(0, R.shape[1], width):
        whole = max(min(width, q2 - s) // WIDTH * WIDTH, 0)
        for c in range(np.uint64(q2)):
            for v in range(0, whole, WIDTH):
                store(panel, c, np.uint64(v), load(N, c, np.uint64(s + v)))
        if whole < width:
            for c in range(q2):
                for v in range(whole, width):
                    panel[c, v] = N[c, s + v] if s + v < q2 else 0.0
        for i in range(np.uint64(begin), np.uint64(end)):
            rows_times_panel(i, indptr, columns, entries, panel, R, (i - np.uint64(begin)) * k0, np.uint64(s))


@compiled_part
def side_by_side(R, k0, begin, panel):
    """panel[c, (u k0 + a) 8 + v] = R[j k0 + a, c] with j the group begin + 8 u + v, zero beyond the last one."""
    groups, lanes = R.shape[0] // k0, panel.shape[1] // (WIDTH * k0)
    for u in range(lanes):
        for a in range(k0):
            at = (u * k0 + a) * WIDTH
            for v in range(WIDTH):
                j = begin + u * WIDTH + v
                if j < groups:
                    for c in range(panel.shape[0]):
                        panel[c, at + v] = R[j * k0 + a, c]
                else:
                    for c in range(panel.shape[0]):
                        panel[c, at + v] = 0.0


@compiled_part
def add_products(X, first, rows, k0, gram, start):
    """gram[start + x n + y] += X_ac X_bd, lane by lane, at x = (a, c) and y = (b, d) up to x; n = rows k0.

    X (_, vectors): its rows from `first` on, with k0 vectors for every eight groups; gram (_, 8).
    """
    n = rows * k0
    for lane in range(0, X.shape[1], WIDTH * k0):
        for x in range(n):
            left = load(X, np.uint64(first + x // k0), np.uint64(lane + (x % k0) * WIDTH))
            for y in range(x + 1):
                right = load(X, np.uint64(first + y // k0), np.uint64(lane + (y % k0) * WIDTH))
                place = np.uint64(start + x * n + y)
                store(gram, place, ZERO, plus_each(load(gram, place, ZERO), left, right))


@compiled_apart
def pair_products(indptr, columns, entries, N, begin, end, lanes, terms, widths, panel, X, R, gram, own):
    """Of the groups j from begin to end: X_jj, and products X_ac X_bd summed over pairs i > j, and over columns of N F_j'.

    lanes: how many times eight groups are taken side by side; terms (T + 1,), widths (T,): first columns of the remaining terms,
    and of their groups; panel (q2, w), X (k0, w) and R ((end - begin) k0, the multiple of w from q2 on): scratch, w = 8 lanes k0;
    gram (numbers, 8), zeros: for the sums, which are those over the 8, of every term and last of the pairs, n n each for n = k k0,
    at (a, c) before (b, d) and no further; own (end - begin, k0, k0): X_jj.
    """
    k0, last = entries.shape[1], indptr.size - 1
    rows_times_dense(begin, end, indptr, columns, entries, N, panel, R)
    for first in range(begin, end, lanes * WIDTH):
        side_by_side(R, k0, first - begin, panel)
        start, stop = 0, min(first + lanes * WIDTH, end)
        for t in range(widths.size):
            k = widths[t]
            for c in range(terms[t], terms[t + 1], k):
                add_products(panel, c, k, k0, gram, start)
            start += (k * k0) ** 2
        for i in range(first, stop):
            rows_times_panel(np.uint64(i), indptr, columns, entries, panel, X, ZERO, ZERO)
            for j in range(i, stop):  # every pair once, with i the later one
                for c in range(k0):
                    at = ((j - first) // WIDTH * k0 + c) * WIDTH + (j - first) % WIDTH
                    for a in range(k0):
                        if j == i:
                            own[i - begin, a, c] = X[a, at]
                        X[a, at] = 0.0
            add_products(X, 0, k0, k0, gram, start)
        for i in range(stop, last):
            rows_times_panel(np.uint64(i), indptr, columns, entries, panel, X, ZERO, ZERO)
            add_products(X, 0, k0, k0, gram, start)
