"""Compiled loops of the sparse Schur complement; conventions of `solver.kernels`."""

from __future__ import annotations

import numpy as np
from numba import njit, prange


@njit(cache=True, parallel=True)
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


@njit(cache=True, parallel=True)
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
