"""Compiled loops of influence: rows of inv(V_0)Z_2 Lambda_2 for many groups side by side."""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_stretches


@compiled_stretches(lambda place, *_: len(place))
def eliminated_rows(begin, end, place, z, F, start, widths, out):
    """out (G, m, w) = -z F' for the rows of each group, zero elsewhere.

    place (G, m) bool: which rows are there; z (G, m, k0): their rows of Z_0 Lambda_0; F (nnz, k0): of which group g has the
    entries start[g] to start[g] + widths[g].
    """
    m, w, k = out.shape[1], out.shape[2], F.shape[1]
    for g in range(begin, end):
        for i in range(m):
            for c in range(w):
                total = 0.0
                if place[g, i] and c < widths[g]:
                    for a in range(k):
                        total -= z[g, i, a] * F[start[g] + c, a]
                out[g, i, c] = total


@compiled_stretches(lambda place, *_: len(place))
def add_own_cells(begin, end, place, rows, start, cell, own, out):
    """Add to out (G, m, w) each row's columns of one term: own (n, k) from entry cell (n,) on; group g begins at start[g]."""
    k = own.shape[1]
    for g in range(begin, end):
        for i in range(place.shape[1]):
            if place[g, i]:
                row = rows[g, i]
                for a in range(k):
                    out[g, i, np.int64(cell[row]) - start[g] + a] += own[row, a]
