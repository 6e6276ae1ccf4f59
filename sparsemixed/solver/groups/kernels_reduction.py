"""The reduction of few rows with one set of groups in one compiled call: arrays in, arrays out.

What `estimation.orthonormal`, `solver.crossproducts` and `solver.groups.roots` make of such data one by one. Conventions as in
`solver.groups.kernels` and `solver.groups.kernels_many`; n rows, p columns of X, P = p + 1, k effects of each group.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled, compiled_part
from sparsemixed.solver.groups.kernels_dense import lower_root
from sparsemixed.solver.groups.kernels_many import left_by

LEAST_LEFT = 1e-12
"""Share of the squares of a column of X that those before it must leave."""
SIGN_OF = 1e-8
"""Share of a column that a number must be for its sign not to be that of rounding."""


@compiled_part
def reflect(V, a, tau, out, b):
    """Column b of out (n, _) by the reflection whose vector stands in column a of V (n, p) from row a on, with 1 there."""
    share = out[a, b]
    for i in range(a + 1, V.shape[0]):
        share += V[i, a] * out[i, b]
    share *= tau
    out[a, b] -= share
    for i in range(a + 1, V.shape[0]):
        out[i, b] -= share * V[i, a]


@compiled_part
def orthonormal_columns(X, out_Q, out_R):
    """X = QR by Householder's reflections, with the signs that LAPACK's have; False where a column keeps too little.

    Whoever reduces the same rows by LAPACK is to have the same coordinates. Where a sign would be that of rounding, False.
    """
    n, p = X.shape
    V, taus = X.copy(), np.empty(p)
    for a in range(p):
        whole, below = 0.0, 0.0
        for i in range(n):
            whole += X[i, a] ** 2
        for i in range(a + 1, n):
            below += V[i, a] ** 2
        first = V[a, a]
        norm = np.sqrt(first**2 + below)
        if not (below > 0.0 and np.isfinite(whole) and norm**2 > LEAST_LEFT * whole and (a == 0 or abs(first) > SIGN_OF * norm)):
            return False
        turned = -np.copysign(norm, first)
        taus[a] = (turned - first) / turned
        for i in range(a + 1, n):
            V[i, a] /= first - turned
        for b in range(a + 1, p):
            reflect(V, a, taus[a], V, b)
        for b in range(p):
            out_R[a, b] = turned if b == a else V[a, b] if b > a else 0.0
    for i in range(n):
        for b in range(p):
            out_Q[i, b] = 1.0 if i == b else 0.0
    for a in range(p - 1, -1, -1):
        for b in range(a, p):
            reflect(V, a, taus[a], out_Q, b)
    return True


@compiled_part
def add_products(Q, left, Z, codes, lanes, out_data, out_gram):
    """Z_i'[Q left Z] of every group into its lane of `out_data`, as of `roots_program`, and [Q left]'[Q left] (P, P)."""
    n, p = Q.shape
    k, width = Z.shape[1], p + 1
    for i in range(n):
        block, lane = codes[i] // lanes, codes[i] % lanes
        for a in range(k):
            z, begin = Z[i, a], a * (width + k)
            for x in range(p):
                out_data[block, begin + x, lane] += z * Q[i, x]
            out_data[block, begin + p, lane] += z * left[i]
            for b in range(k):
                out_data[block, begin + width + b, lane] += z * Z[i, b]
        for x in range(width):
            own = left[i] if x == p else Q[i, x]
            for z in range(x + 1):
                out_gram[x, z] += own * (left[i] if z == p else Q[i, z])
    for x in range(width):
        for z in range(x):
            out_gram[z, x] = out_gram[x, z]


@compiled_part
def squares_of_effects(data, k, width, out_total, out_seen):
    """sum_i Z_i'Z_i (k, k), and what of it X leaves, from the products of all groups."""
    for a in range(k):
        for b in range(k):
            total, inside = 0.0, 0.0
            for block in range(data.shape[0]):
                for lane in range(data.shape[2]):
                    total += data[block, a * (width + k) + width + b, lane]
                    for x in range(width - 1):
                        inside += data[block, a * (width + k) + x, lane] * data[block, b * (width + k) + x, lane]
            out_total[a, b], out_seen[a, b] = total, total - inside


@compiled_part
def clearly_seen(total, seen, share):
    """Whether no eigenvalue of `seen`, columns scaled to length one, is below `share`: without it, it is still definite."""
    k = total.shape[0]
    scaled, root = np.empty((k, k)), np.empty((k, k))
    for a in range(k):
        if not total[a, a] > 0.0:
            return False
    for a in range(k):
        for b in range(k):
            scaled[a, b] = seen[a, b] / np.sqrt(total[a, a]) / np.sqrt(total[b, b]) - (share if a == b else 0.0)
    return np.isfinite(lower_root(scaled, k, root))


@compiled
def reduce_few_rows(X, y, Z, codes, lanes, share, out_data):
    """Whether X could be reduced; Q (n, p), R (p, p), coefficients (p,) of y on Q and what they leave of it (n,).

    Then [Q left]'[Q left] (P, P); the squares of the effects' columns and what X leaves of these, (k, k), with whether that is
    `clearly_seen`; squares of what is left of y, and of y. out_data (blocks, k (P + k), lanes), zero: what `roots_program` takes.
    """
    n, p = X.shape
    k, width = Z.shape[1], p + 1
    Q, R, fitted, left = np.empty((n, p)), np.empty((p, p)), np.empty(p), np.empty(n)
    gram, total, seen = np.zeros((width, width)), np.empty((k, k)), np.empty((k, k))
    done, whole, visible = orthonormal_columns(X, Q, R), 0.0, False
    if done:
        left_by(Q, y, left, fitted)
        for i in range(n):
            whole += y[i] * y[i]
        add_products(Q, left, Z, codes, lanes, out_data, gram)
        squares_of_effects(out_data, k, width, total, seen)
        visible = clearly_seen(total, seen, share)
    return done, Q, R, fitted, left, gram, total, seen, visible, gram[p, p], whole


@compiled
def clearly_a_maximum(hessian, inverse, least):
    """Whether a Hessian (m, m) is definite by the rule of `solver.linalg.clearly_definite`, and `inverse` (p, p) to rounding."""
    m, p, share = hessian.shape[0], inverse.shape[0], 1.0
    root, other = np.empty((m, m)), np.empty((p, p))
    if not np.isfinite(lower_root(hessian, m, root)):
        return False
    for a in range(m):
        share *= root[a, a] ** 2 / hessian[a, a]
    return share > np.e * least and np.isfinite(lower_root(inverse, p, other))
