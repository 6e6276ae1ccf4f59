"""Many searches on one design of independent groups without a call of Python between them: other responses, or other weights.

Every search is a function of its own row alone, so that stretches of rows may be shared out to threads and give the same digits.
Conventions as in `solver.groups.kernels_search`; r columns of orthonormal X, J groups, B searches.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_apart, compiled_part
from sparsemixed.solver.groups.kernels_search import copy_to, fill, lowest

FITTED_EXACTLY, LEFT_OPEN = -1, -2
"""In the place of why a search ended: the fixed part leaves nothing of the response; the weights leave a coefficient open."""
NOTHING_LEFT = (10 * 2.220446049250313e-16) ** 2
"""Share of the squares of a response up to which what the fixed part leaves is rounding."""
LEAST_PIVOT = 1e-13
"""Share of the squares of a column of X that the others must leave for its coefficient to be determined."""


@compiled_part
def left_by(Q, y, out_left, out_fitted):
    """y less its projection on Q, and the coefficients (r,) of that; taken twice, so that nothing is left but rounding."""
    n, r = Q.shape
    copy_to(out_left, y)
    fill(out_fitted, 0.0)
    again = np.empty(r)
    for _ in range(2):
        fill(again, 0.0)
        for i in range(n):
            for a in range(r):
                again[a] += Q[i, a] * out_left[i]
        for i in range(n):
            total = out_left[i]
            for a in range(r):
                total -= Q[i, a] * again[a]
            out_left[i] = total
        for a in range(r):
            out_fitted[a] += again[a]


@compiled_part
def put_response(left, rows, own, lanes, out_data, out_rest):
    """The response's column of q = inv(R')Z'[X y] into the data of the groups, and its row and column of what they leave.

    rows: (Q, codes, columns) with n rows; own: (R, rest of X): (J, k, k), (r, r).
    """
    Q, codes, columns = rows
    R, rest_of_x = own
    n, r = Q.shape
    J, k = R.shape[0], R.shape[1]
    q = np.zeros((J, k))
    for i in range(n):
        for a in range(k):
            q[codes[i], a] += columns[i, a] * left[i]
    for a in range(r + 1):
        out_rest[r, a] = 0.0
        for b in range(r):
            if a < r:
                out_rest[a, b] = rest_of_x[a, b]
    for i in range(n):
        out_rest[r, r] += left[i] * left[i]
        for a in range(r):
            out_rest[r, a] += Q[i, a] * left[i]
    square = out_rest[r, r]
    for g in range(J):
        block, lane = g // lanes, g % lanes
        for a in range(k):
            for b in range(a):
                q[g, a] -= R[g, b, a] * q[g, b]
            q[g, a] = q[g, a] / R[g, a, a] if R[g, a, a] > 0.0 else 0.0
            begin = a * (r + 1 + k)
            out_data[block, begin + r, lane] = q[g, a]
            for x in range(r):
                out_rest[r, x] -= out_data[block, begin + x, lane] * q[g, a]
            out_rest[r, r] -= q[g, a] * q[g, a]
    for x in range(r):
        out_rest[x, r] = out_rest[r, x]
    return square


@compiled_part
def coefficients(fixed, at, pwrss, df, out_beta, out_errors):
    """Coefficients on X, to `out_beta` that holds those on Q (r,) of what is fitted beforehand, and their standard errors (p,).

    fixed: (R, T, a, S): coefficients are T inv(R) c + a, and S = T inv(R).
    """
    R, T, shift, S = fixed
    _, beta, inverse, _ = at
    r, p = R.shape[0], T.shape[0]
    free = np.empty(r)
    for a in range(r - 1, -1, -1):
        free[a] = out_beta[a] + beta[a]
        for b in range(a + 1, r):
            free[a] -= R[a, b] * free[b]
        free[a] /= R[a, a]
    for x in range(p):
        total, square = shift[x], 0.0
        for a in range(r):
            total += T[x, a] * free[a]
            for b in range(r):
                square += S[x, a] * inverse[a, b] * S[x, b]
        out_beta[x] = total
        out_errors[x] = np.sqrt(max(square, 0.0) * pwrss / df)


@compiled_part
def workspace(data, lanes, width, k, reml, size):
    """(work, at) of `deviance_at`; size: (registers, registers of derivatives, sums, sums of derivatives)."""
    columns = width if reml else 1
    constants = np.zeros(2 + k * k + width * columns)
    constants[1] = 1.0
    registers = np.empty(max(size[0], size[1]) * lanes)
    work = (constants, registers, np.empty(size[2]), np.empty(data.shape[0] * lanes), np.empty(size[3]), np.empty((width, width)))
    at = (np.empty((width, width)), np.empty(width - 1), np.empty((width - 1, width - 1)), np.empty((width, columns)))
    return work, at


@compiled_part
def put_weights(w, q, left, lanes, k, out_data, out_rest):
    """Weights (J,) of groups into their data: q times the root, then the roots and their inverses; what is left of all rows.

    q (J, k, P) and left (J, P, P) of single groups.
    """
    J, width = q.shape[0], q.shape[2]
    for x in range(width):
        fill(out_rest[x], 0.0)
    for g in range(J):
        block, lane, root = g // lanes, g % lanes, np.sqrt(w[g])
        for a in range(k):
            for x in range(width):
                out_data[block, a * (width + k) + x, lane] = root * q[g, a, x]
        out_data[block, k * (width + k), lane] = root
        out_data[block, k * (width + k) + 1, lane] = 1.0 / root if root > 0.0 else 0.0
        if root > 0.0:
            for x in range(width):
                for z in range(width):
                    out_rest[x, z] += w[g] * left[g, x, z]


@compiled_part
def determined(w, gram, r):
    """Whether X'WX (r, r), from those of single groups (J, P, P), determines every coefficient."""
    total, lower = np.zeros((r, r)), np.zeros((r, r))
    for g in range(w.size):
        if w[g] != 0.0:
            for x in range(r):
                for z in range(r):
                    total[x, z] += w[g] * gram[g, x, z]
    for c in range(r):
        for i in range(c, r):
            rest = total[i, c]
            for u in range(c):
                rest -= lower[i, u] * lower[c, u]
            if i > c:
                lower[i, c] = rest / lower[c, c]
            elif rest > LEAST_PIVOT * total[c, c]:
                lower[c, c] = np.sqrt(rest)
            else:
                return False
    return True


@compiled_apart
def search_many(begin, end, Y, W, starts, rows, own, groups, fixed, programs, data, model, df, out):
    """Searches `begin` to `end`: of the responses Y (B, n), or, where Y has no rows, for the weights W (B, J) of groups.

    Y: rows times the root of their weight, constraints taken off. W: for responses, one row that serves them all.
    rows, own: as of `put_response`; groups: (q, left, gram, observations, coefficients of what is fitted beforehand) as of
    `put_weights`; without use for the other kind. programs: (code, code of derivatives, lanes, size) of `workspace`;
    model: (moves, faces, reml, bounds, most).
    out: (theta (B, n), beta (B, p), errors (B, p), touched (B, f), numbers (B, 4), why (B,)), numbers being deviance, pwrss,
    iterations, and the squares that X leaves or the weighted observations.
    """
    code, derivatives, lanes, size = programs
    theta, beta, errors, touched, numbers, why = out
    moves, faces, reml, bounds, most = model
    q, left_of_groups, gram, observations, fitted_before = groups
    n, r, k = rows[0].shape[0], fixed[0].shape[0], moves.shape[1]
    own_data, rest = data.copy(), np.empty((r + 1, r + 1))
    flat, n_blocks, n_rows = own_data.ravel(), data.shape[0], data.shape[1]
    left, fitted = np.empty(n), np.empty(r)
    work, at = workspace(data, lanes, r + 1, k, reml, size)
    for b in range(begin, end):
        why[b] = 0
        if Y.shape[0]:
            weights = W[0]
            left_by(rows[0], Y[b], left, fitted)
            numbers[b, 3] = put_response(left, rows, own, lanes, own_data, rest)
            whole = 0.0
            for i in range(n):
                whole += Y[b, i] * Y[b, i]
            if not numbers[b, 3] > NOTHING_LEFT * whole:
                why[b] = FITTED_EXACTLY
                continue
            for a in range(r):
                beta[b, a] = fitted[a]
        else:
            weights, total = W[b], 0.0
            for g in range(weights.size):
                total += weights[g] * observations[g]
            numbers[b, 3], df = total, total - r if reml else total
            if not (df > 0.0 and determined(weights, gram, r)):
                why[b] = LEFT_OPEN
                continue
            put_weights(weights, q, left_of_groups, lanes, k, own_data, rest)
            for a in range(r):
                beta[b, a] = fitted_before[a]
        group = (flat, weights, n_rows, lanes, n_blocks, code, derivatives)
        place = theta[b]
        why[b], deviance, pwrss, i = lowest(
            starts, moves, faces, group, rest, df, reml, bounds, most, work, at, place, touched[b]
        )
        numbers[b, 0], numbers[b, 1], numbers[b, 2] = deviance, pwrss, i
        if why[b]:
            coefficients(fixed, at, pwrss, df, beta[b], errors[b])
