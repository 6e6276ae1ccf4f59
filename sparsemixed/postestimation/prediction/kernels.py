"""Compiled loops over predicted rows: each touches the entries of its own groups alone."""

from __future__ import annotations

from sparsemixed.solver.compiled import compiled_stretches


@compiled_stretches(lambda z, *_: len(z))
def add_term(begin, end, z, codes, moves, own, out_moved, out):
    """What one term adds to rows: out_moved[row] -= z moves[group] and out[row] += z own[group] z.

    z (m, k), codes (m,) int64, negative for groups that are not known; moves (J, k, r), own (J, k, k).
    """
    k, rank = z.shape[1], out_moved.shape[1]
    for row in range(begin, end):
        group = codes[row]
        if group < 0:
            continue
        total = 0.0
        for a in range(k):
            value = z[row, a]
            if value == 0.0:
                continue
            for c in range(rank):
                out_moved[row, c] -= value * moves[group, a, c]
            for b in range(k):
                total += value * own[group, a, b] * z[row, b]
        out[row] += total


@compiled_stretches(lambda z, *_: len(z))
def add_pair(begin, end, z, codes, w, others, indptr, groups, values, out, out_apart):
    """Twice the covariances of the contributions of two terms: out[row] += 2 z values w.

    z (m, k), w (m, l) and their groups (m,) int64; indptr, groups, values as in `PairErrors`. Rows in which both act and whose
    groups never met are marked in out_apart (m,) bool.
    """
    for row in range(begin, end):
        group, other = codes[row], others[row]
        if group < 0 or other < 0:
            continue
        acting = 0
        for a in range(z.shape[1]):
            if z[row, a] != 0.0:
                acting |= 1
        for b in range(w.shape[1]):
            if w[row, b] != 0.0:
                acting |= 2
        if acting != 3:
            continue
        low, high = indptr[group], indptr[group + 1]
        stop = high
        while low < high:
            middle = (low + high) // 2
            if groups[middle] < other:
                low = middle + 1
            else:
                high = middle
        if low == stop or groups[low] != other:
            out_apart[row] = True
            continue
        total = 0.0
        for a in range(z.shape[1]):
            for b in range(w.shape[1]):
                total += z[row, a] * values[low, a, b] * w[row, b]
        out[row] += 2.0 * total
