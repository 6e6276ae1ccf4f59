"""Compiled loops over independent clusters of rows; clusters are sorted by pattern.

start (G + 1,) int64: clusters of pattern g are start[g]:start[g + 1]; rows (N, m, P): [X y] of every cluster.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled, compiled_stretches


@compiled_stretches(lambda start, *_: start.size - 1)
def pattern_moments(begin, end, start, rows, out):
    """out[g, a, b, c, d] = sum over clusters i of pattern g of rows[i, a, c] rows[i, b, d]; out (G, m, m, P, P), zeroed."""
    m, p = rows.shape[1], rows.shape[2]
    for g in range(begin, end):
        for i in range(start[g], start[g + 1]):
            for a in range(m):
                for b in range(m):
                    for c in range(p):
                        x = rows[i, a, c]
                        for d in range(p):
                            out[g, a, b, c, d] += x * rows[i, b, d]


@compiled
def add_quadratic(rows, weights, half, out):
    """out += rows' weights rows; rows (m, P), weights (m, m), out (P, P); half (m, P): scratch."""
    m, p = rows.shape
    for a in range(m):
        for d in range(p):
            total = 0.0
            for b in range(m):
                total += weights[a, b] * rows[b, d]
            half[a, d] = total
    for c in range(p):
        for d in range(p):
            total = 0.0
            for a in range(m):
                total += rows[a, c] * half[a, d]
            out[c, d] += total


@compiled_stretches(lambda start, *_: start.size - 1)
def quadratic_forms(begin, end, start, rows, weights, out):
    """out[g] = sum over clusters i of pattern g of rows[i]' weights[g] rows[i]; weights (G, m, m), out (G, P, P), zeroed."""
    m, p = rows.shape[1], rows.shape[2]
    for g in range(begin, end):
        half = np.empty((m, p))
        for i in range(start[g], start[g + 1]):
            add_quadratic(rows[i], weights[g], half, out[g])


@compiled_stretches(lambda start, rows, weights, *_: len(weights))
def many_quadratic_forms(begin, end, start, rows, weights, out):
    """out[k] = sum over all clusters of rows[i]' weights[k, g] rows[i]; weights (K, G, m, m), out (K, P, P), zeroed."""
    m, p = rows.shape[1], rows.shape[2]
    for k in range(begin, end):
        half = np.empty((m, p))
        for g in range(start.size - 1):
            for i in range(start[g], start[g + 1]):
                add_quadratic(rows[i], weights[k, g], half, out[k])


@compiled_stretches(lambda start, *_: start.size - 1)
def outer_forms(begin, end, start, rows, weights, out):
    """out[g] = sum over clusters i of pattern g of rows[i] weights rows[i]'; weights (P, P), out (G, m, m), zeroed."""
    m, p = rows.shape[1], rows.shape[2]
    for g in range(begin, end):
        half = np.empty((m, p))
        for i in range(start[g], start[g + 1]):
            for a in range(m):
                for d in range(p):
                    total = 0.0
                    for c in range(p):
                        total += rows[i, a, c] * weights[c, d]
                    half[a, d] = total
            for a in range(m):
                for b in range(m):
                    total = 0.0
                    for d in range(p):
                        total += half[a, d] * rows[i, b, d]
                    out[g, a, b] += total
