"""Starting values for one set of groups in one compiled call, where no bound is met: arrays in, arrays out.

The equations are those of `estimation.start.moments_groups`, solved and made positive definite as in `estimation.start.moments`;
what these do at bounds, with columns of zeros or equations that are nearly singular is left to them. Conventions as in
`solver.groups.kernels` and `solver.groups.kernels_newton`.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_part
from sparsemixed.solver.groups.kernels_dense import diagonalise, eliminate_unknowns


@compiled_part
def moment_equations(sums, w, beta, phi, prior, pairs, n, out_system, out_moments):
    """Matrix (c + 1, c + 1) and forms (c + 1,) of `moments_groups._equations`, the identity last.

    sums: those of `derivative_sums` at the variances `prior` (k,) for columns whose squares are phi (p, p); w, beta and phi as of
    `profile` there; pairs (c, 2): the entries (a, b), a <= b, of the covariance.
    """
    H, B, HH, HC = sums
    k, width, m = prior.size, B.shape[1], pairs.shape[0]
    p = width - 1
    pair = np.empty((k, k), np.int64)
    u = 0
    for a in range(k):
        for b in range(a, k):
            pair[a, b] = pair[b, a] = u
            u += 1
    slopes, inside, traces = np.zeros((m, width, width)), np.zeros((m, p, p)), np.zeros(m)
    last = m
    for c in range(m):
        a, b = pairs[c]
        u = pair[a, b]
        traces[c] = H[u] if a == b else 2.0 * H[u]
        form = 0.0
        for x in range(width):
            left = 1.0 if x == p else -beta[x]
            for z in range(width):
                slopes[c, x, z] = B[u, x, z] if a == b else B[u, x, z] + B[u, z, x]
                form += left * slopes[c, x, z] * (1.0 if z == p else -beta[z])
        out_moments[c] = form
        for x in range(p):
            for z in range(p):
                traces[c] -= slopes[c, x, z] * phi[x, z]
                for y in range(p):
                    inside[c, x, z] += phi[x, y] * slopes[c, y, z]
    form = 0.0
    for x in range(width):
        for z in range(width):
            form += (1.0 if x == p else -beta[x]) * w[x, z] * (1.0 if z == p else -beta[z])
    out_moments[last] = form
    for c in range(m):
        for d in range(m):
            total = 0.0
            for e in range(1 if pairs[c, 0] == pairs[c, 1] else 2):
                a, b = pairs[c, e], pairs[c, 1 - e]
                for f in range(1 if pairs[d, 0] == pairs[d, 1] else 2):
                    u, v = pair[b, pairs[d, f]], pair[pairs[d, 1 - f], a]
                    total += HH[u, v] - 2.0 * HC[u, v]
            for x in range(p):
                for z in range(p):
                    total += inside[c, x, z] * inside[d, z, x]
            out_system[c, d] = total
    corner = n - p
    for c in range(m):
        total = traces[c]
        for d in range(m):
            if pairs[d, 0] == pairs[d, 1]:
                total -= out_system[c, d] * prior[pairs[d, 0]]
        out_system[c, last] = out_system[last, c] = total
        if pairs[c, 0] == pairs[c, 1]:
            corner -= prior[pairs[c, 0]] * (traces[c] + total)
            out_moments[last] -= prior[pairs[c, 0]] * out_moments[c]
    out_system[last, last] = corner


@compiled_part
def moment_start(sums, w, beta, phi, prior, pairs, mean_squares, total, n, smallest, out_covariance):
    """The covariance (k, k) over sigma2 of a start; False where a bound is met, or least squares should decide.

    Up to `pairs` as of `moment_equations`; mean_squares (k,): of the projected columns; total: variance of y; smallest: share
    below which no variance in these units starts.
    """
    k, m = prior.size, pairs.shape[0]
    system, values, upper = np.empty((m + 1, m + 1)), np.empty(m + 1), np.empty(m + 1)
    moment_equations(sums, w, beta, phi, prior, pairs, n, system, values)
    for c in range(m):
        upper[c] = 2.0 * total / np.sqrt(mean_squares[pairs[c, 0]] * mean_squares[pairs[c, 1]])
    upper[m] = 2.0 * total
    for r in range(m + 1):
        length = 0.0
        for c in range(m + 1):
            system[r, c] *= upper[c]
            length += system[r, c] ** 2
        length = np.sqrt(length)
        if not (length > 0.0 and abs(system[r, r]) > 1e-12 * length):
            return False
        for c in range(m + 1):
            system[r, c] /= length
        values[r] /= length
    if not eliminate_unknowns(system, values):
        return False
    for c in range(m + 1):
        least = -1.0 if c < m and pairs[c, 0] != pairs[c, 1] else 0.0
        if not least <= values[c] <= 1.0:
            return False
        values[c] *= upper[c]
    sigma2 = max(values[m], 0.05 * total)
    scaled, vectors = np.zeros((k, k)), np.empty((k, k))
    for c in range(m):
        a, b = pairs[c]
        scaled[a, b] = scaled[b, a] = values[c] / sigma2 * np.sqrt(mean_squares[a] * mean_squares[b])
    diagonalise(scaled, vectors)
    largest = scaled[0, 0]
    for a in range(1, k):
        largest = max(largest, scaled[a, a])
    floor = max(smallest, 1e-2 * largest)
    for a in range(k):
        for b in range(k):
            entry = 0.0
            for c in range(k):
                entry += vectors[a, c] * max(scaled[c, c], floor) * vectors[b, c]
            out_covariance[a, b] = entry / np.sqrt(mean_squares[a] * mean_squares[b])
    return True
