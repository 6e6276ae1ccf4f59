"""Compiled loops of the sparse Schur complement; conventions of `solver.kernels`."""

from __future__ import annotations

import numpy as np
from numba import prange

from sparsemixed.solver.compiled import compiled, compiled_parallel


@compiled_parallel
def subtract_sparse(schedule, colptr, entry, end, columns, left, right, indptr, indices, out):
    """As `subtract_dense`, into the lower triangle (indptr, indices) whose values are `out`."""
    k = left.shape[1]
    for part in prange(schedule.shape[0]):
        work = np.zeros(indptr.size - 1)
        for s in range(schedule.shape[1]):
            c = schedule[part, s]
            if c < 0:
                continue
            for e in range(colptr[c], colptr[c + 1]):
                p = entry[e]
                for t in range(p, end[e]):
                    total = 0.0
                    for a in range(k):
                        total += left[t, a] * right[p, a]
                    work[columns[t]] += total
            for e in range(indptr[c], indptr[c + 1]):
                out[e] -= work[indices[e]]
                work[indices[e]] = 0.0


@compiled_parallel
def gather_sparse(schedule, colptr, entry, begin, end, columns, values, indptr, indices, inverse, out):
    """As `gather_dense`, from the full symmetric CSC pattern (indptr, indices) whose values are `inverse`."""
    k = values.shape[1]
    for part in prange(schedule.shape[0]):
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
