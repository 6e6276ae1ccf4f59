"""Compiled loops of the Schur complement: elimination; of the sparse one also Cholesky factorization and selected inverse.

Conventions of `solver.kernels`. The factorization and the selected inverse work on a fixed pattern: a lower triangle in CSC, rows
ascending, diagonal first, closed under elimination. They also work in complex arithmetic, which gives exact directional
derivatives: for an analytic f, Im f(S + i h D) / h is the derivative to rounding when h is tiny (Squire & Trapp 1998), so neither
needs a hand-written derivative.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled, compiled_stretches, compiled_within

ZERO, ONE, TWO = np.uint64(0), np.uint64(1), np.uint64(2)
"""Places that cannot be negative need no look whether they count from the end."""


@compiled_within
def subtract_column(c, colptr, entry, end, columns, left, right, out, row):
    """out[row, r] -= sum over groups of left[r] . right[c] for the r >= c that share a group with c.

    colptr (q2 + 1,), entry (nnz,): entries of each column; end (nnz,): end of the group that the entry belongs to; left, right
    (nnz, k0). A row of a matrix and not a vector: a view of one would be counted as a reference, by all threads at once.
    """
    k = np.uint64(left.shape[1])
    for e in range(np.uint64(colptr[c]), np.uint64(colptr[c + ONE])):
        p = np.uint64(entry[e])
        for t in range(p, np.uint64(end[e])):
            total = 0.0
            for a in range(k):
                total += left[t, a] * right[p, a]
            out[row, np.uint64(columns[t])] -= total


@compiled_stretches(lambda schedule, *_: len(schedule))
def subtract_dense(first, last, schedule, colptr, entry, end, columns, left, right, fresh, out):
    """out[c, r] -= sum over groups of left[r] . right[c], r >= c: dense Schur complement, columns owned by threads.

    schedule (parts, width) int64: columns of each part, -1 padded; fresh: whether nothing is in out (q2, q2) yet, and its upper
    triangle is set to zero first. Others as in `subtract_column`.
    """
    for part in range(np.uint64(first), np.uint64(last)):
        for s in range(np.uint64(schedule.shape[1])):
            if schedule[part, s] >= 0:
                c = np.uint64(schedule[part, s])
                if fresh:
                    out[c, c:] = 0.0
                subtract_column(c, colptr, entry, end, columns, left, right, out, c)


@compiled_stretches(lambda schedule, *_: len(schedule))
def gather_dense(first, last, schedule, colptr, entry, begin, end, columns, values, inverse, out):
    """out[p] = sum over entries t of the same group of values[t] * inverse[column of p, column of t].

    values, out (nnz, k0); inverse (q2, q2) symmetric. Others as in `subtract_dense`; begin (nnz,): start of the group. Two of the
    k0 at a time, with two sums of each beside each other: none waits for the others; of an odd number the last is taken twice.
    """
    k = np.uint64(values.shape[1])
    for part in range(np.uint64(first), np.uint64(last)):
        for s in range(np.uint64(schedule.shape[1])):
            if schedule[part, s] < 0:
                continue
            c = np.uint64(schedule[part, s])
            for e in range(np.uint64(colptr[c]), np.uint64(colptr[c + ONE])):
                p, t0, stop = np.uint64(entry[e]), np.uint64(begin[e]), np.uint64(end[e])
                whole = t0 + (stop - t0) // TWO * TWO
                for a in range(ZERO, k, TWO):
                    b = a + ONE if a + ONE < k else a
                    xa = ya = xb = yb = 0.0
                    for t in range(t0, whole, TWO):
                        x, y = inverse[c, np.uint64(columns[t])], inverse[c, np.uint64(columns[t + ONE])]
                        xa += values[t, a] * x
                        ya += values[t + ONE, a] * y
                        xb += values[t, b] * x
                        yb += values[t + ONE, b] * y
                    if whole < stop:
                        x = inverse[c, np.uint64(columns[whole])]
                        xa += values[whole, a] * x
                        xb += values[whole, b] * x
                    out[p, a], out[p, b] = xa + ya, xb + yb


@compiled_stretches(lambda columns, *_: len(columns))
def sandwich_dense(first, last, columns, rows, inverse, out):
    """out[g] = rows[g] N rows[g]' with N the entries of inverse (q2, q2) among columns[g]; columns (G, w), rows (G, m, w)."""
    w, m = columns.shape[1], rows.shape[1]
    for g in range(first, last):
        N, half = np.empty((w, w)), np.empty(w)
        for a in range(w):
            for b in range(w):
                N[a, b] = inverse[columns[g, a], columns[g, b]]
        for i in range(m):
            for a in range(w):
                half[a] = 0.0
            for b in range(w):
                x = rows[g, i, b]
                if x != 0.0:
                    for a in range(w):
                        half[a] += x * N[b, a]
            for j in range(i + 1):
                total = 0.0
                for a in range(w):
                    total += half[a] * rows[g, j, a]
                out[g, i, j] = total
                out[g, j, i] = total


@compiled_stretches(lambda schedule, *_: len(schedule))
def subtract_sparse(first, last, schedule, colptr, entry, end, columns, left, right, indptr, indices, out):
    """As `subtract_dense`, into the lower triangle (indptr, indices) whose values are `out`."""
    for part in range(first, last):
        work = np.zeros((1, indptr.size - 1))
        for s in range(schedule.shape[1]):
            if schedule[part, s] >= 0:
                c = np.uint64(schedule[part, s])
                subtract_column(c, colptr, entry, end, columns, left, right, work, ZERO)
                for e in range(indptr[c], indptr[c + ONE]):
                    out[e] += work[0, indices[e]]
                    work[0, indices[e]] = 0.0


@compiled_stretches(lambda schedule, *_: len(schedule))
def gather_sparse(first, last, schedule, colptr, entry, begin, end, columns, values, indptr, indices, inverse, out):
    """As `gather_dense`, from the full symmetric CSC pattern (indptr, indices) whose values are `inverse`."""
    k = values.shape[1]
    for part in range(first, last):
        work = np.zeros(indptr.size - 1)
        for s in range(schedule.shape[1]):
            c = schedule[part, s]
            if c < 0:
                continue
            for e in range(indptr[c], indptr[c + 1]):
                work[indices[e]] = inverse[e]
            for e in range(colptr[c], colptr[c + 1]):
                p = entry[e]
                for a in range(k):
                    total = 0.0
                    for t in range(begin[e], end[e]):
                        total += values[t, a] * work[columns[t]]
                    out[p, a] = total
            for e in range(indptr[c], indptr[c + 1]):
                work[indices[e]] = 0.0


@compiled
def column_counts(indptr, indices, most, out):
    """Add to out (q,) the entries below the diagonal of every column of L; False once they are more than `most`.

    indptr, indices: the strictly lower triangle, row by row. Row i of L is the union of the paths in the elimination tree from
    the columns of row i up to i (Liu 1990, section 3); the tree grows along.
    """
    q = out.size
    parent, mark = np.full(q, -1), np.full(q, -1)
    total = 0
    for i in range(q):
        mark[i] = i
        for e in range(indptr[i], indptr[i + 1]):
            j = indices[e]
            while mark[j] != i:
                if parent[j] < 0:
                    parent[j] = i
                out[j] += 1
                total += 1
                mark[j] = i
                j = parent[j]
        if total > most:
            return False
    return True


@compiled
def column_rows(indptr, indices, colptr, rows):
    """Rows of every column of L into rows (nnz,), ascending, the diagonal first; colptr (q + 1,) from `column_counts`."""
    q = colptr.size - 1
    parent, mark, free = np.full(q, -1), np.full(q, -1), colptr[:-1].copy()
    for i in range(q):
        rows[free[i]] = i
        free[i] += 1
        mark[i] = i
        for e in range(indptr[i], indptr[i + 1]):
            j = indices[e]
            while mark[j] != i:
                if parent[j] < 0:
                    parent[j] = i
                rows[free[j]] = i
                free[j] += 1
                mark[j] = i
                j = parent[j]


@compiled
def factor_in_place(indptr, indices, data, work):
    """Overwrite the lower triangle `data` of S by L with L L.T = S. work (q,), zero on entry and on return.

    Returns -1, or the first column whose pivot is not positive: S is not positive definite then, and `data` means nothing.
    """
    for j in range(indptr.size - 1):
        first = indptr[j]
        if not data[first].real > 0.0:
            return j
        pivot = np.sqrt(data[first])
        data[first] = pivot
        for e in range(first + 1, indptr[j + 1]):
            data[e] /= pivot
            work[indices[e]] = data[e]
        for e in range(first + 1, indptr[j + 1]):
            k, weight = indices[e], data[e]
            for f in range(indptr[k], indptr[k + 1]):
                data[f] -= weight * work[indices[f]]
        for e in range(first + 1, indptr[j + 1]):
            work[indices[e]] = 0.0
    return -1


@compiled
def solve_in_place(indptr, indices, lower, b):
    """Overwrite b (q, m), C-ordered, by inv(L L.T) b."""
    q, m = b.shape
    for j in range(q):
        first = indptr[j]
        for c in range(m):
            b[j, c] /= lower[first]
        for e in range(first + 1, indptr[j + 1]):
            i, weight = indices[e], lower[e]
            for c in range(m):
                b[i, c] -= weight * b[j, c]
    for j in range(q - 1, -1, -1):
        first = indptr[j]
        for e in range(first + 1, indptr[j + 1]):
            i, weight = indices[e], lower[e]
            for c in range(m):
                b[j, c] -= weight * b[i, c]
        for c in range(m):
            b[j, c] /= lower[first]


@compiled
def selected_inverse(indptr, indices, lower, weights, work, place, out):
    """Entries of Z = inv(L).T D inv(L) on the pattern of L (Takahashi, Fagan & Chen 1973; Erisman & Tinney 1975).

    Columns from last to first: with l the scaled column of L below its pivot d,
    Z_ij = -sum_k Z_ik l_k for i > j and Z_jj = D_j / d^2 - sum_k l_k Z_kj.

    lower (nnz,): values of L; weights (q,): D, ones for the inverse of L L.T; work (q,), place (q,) int64: scratch, place -1
    on entry; out (nnz,).
    """
    for j in range(indptr.size - 2, -1, -1):
        first, last = indptr[j], indptr[j + 1]
        pivot = lower[first]
        for e in range(first + 1, last):
            place[indices[e]] = e
            work[indices[e]] = lower[e] / pivot
            out[e] = 0.0
        for e in range(first + 1, last):
            k = indices[e]
            weight = work[k]
            out[e] -= out[indptr[k]] * weight
            for f in range(indptr[k] + 1, indptr[k + 1]):
                i = indices[f]
                target = place[i]
                if target >= 0:
                    out[target] -= out[f] * weight
                    out[e] -= out[f] * work[i]
        total = weights[j] / (pivot * pivot)
        for e in range(first + 1, last):
            total -= work[indices[e]] * out[e]
            place[indices[e]] = -1
        out[first] = total


@compiled
def column_positions(indptr, indices, rows, cols, out):
    """out[e] = position of (rows[e], cols[e]) in the pattern, by bisection."""
    for e in range(rows.size):
        low, high = indptr[cols[e]], indptr[cols[e] + 1]
        while low < high:
            middle = (low + high) // 2
            if indices[middle] < rows[e]:
                low = middle + 1
            else:
                high = middle
        out[e] = low
