"""Newton's method on the profiled deviance of one set of groups in a few compiled calls: arrays in, arrays out.

For small data, where calls from Python cost more than the sums. What they do between the sums of `solver.groups.kernels` takes
the steps of the search in Python, within the same radius of trust, as long as each is accepted and no boundary is met; wherever
there is more to do, they give up.

Conventions as in `solver.groups.kernels`; n = n_theta, P = p + 1, and R, q, `rest` as in `solver.groups.roots`.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled, compiled_part
from sparsemixed.solver.groups.kernels_dense import diagonalise, lower_root, solve_root

NR_TOLERANCE, CHANGES, GO_ON = 1, 2, 3
"""A search has converged, the Newton decrement, or changes of parameters and deviance, being small enough; or it has not."""
FLAT = 1e-7
"""Scaled curvature below which a direction counts as flat."""
NEAR = 1e-4
"""Newton decrement from which the boundary is tried, and changes alone may end the search."""
PREDICTED_RISE = 1e-5
"""Of the deviance, below which a face of the parameter space is tried at exactly zero."""
LARGEST_RADIUS, ROUNDING = 1e3, 1e-12


@compiled
def profile(gram, rest, logdet, df, reml, out_w, out_beta, out_inverse, out_columns):
    """Deviance and pwrss, NaN where the system breaks down, from the sums of `deviance_sums`; everything of beta at its best.

    out_w = [X y]'inv(V0)[X y] (P, P); out_beta (p,), out_inverse (p, p); out_columns (P, c): columns whose squares in inv(V0) are
    pwrss / sigma2 and, under REML, the trace of Phi X'inv(V0)X.
    """
    p = rest.shape[0] - 1
    lower, scratch = np.zeros((p, p)), np.empty((p, p))
    for a in range(p + 1):
        for b in range(p + 1):
            out_w[a, b] = gram[a, b] + rest[a, b]
    logdet_x = lower_root(out_w, p, lower)
    if not np.isfinite(logdet_x):
        return np.nan, np.nan
    pwrss = out_w[p, p]
    for a in range(p):
        out_beta[a] = out_w[p, a]
    solve_root(lower, p, out_beta)
    for a in range(p):
        pwrss -= out_w[p, a] * out_beta[a]
    # inv(L)' is a root of the inverse.
    for c in range(p):
        for r in range(c, p):
            total = 1.0 if r == c else 0.0
            for m in range(c, r):
                total -= lower[r, m] * scratch[m, c]
            scratch[r, c] = total / lower[r, r]
    for a in range(p):
        for b in range(a + 1):
            total = 0.0
            for r in range(a, p):
                total += scratch[r, a] * scratch[r, b]
            out_inverse[a, b] = out_inverse[b, a] = total
    if not pwrss > 0.0:
        return np.nan, np.nan
    sigma = np.sqrt(pwrss / df)
    for a in range(p):
        out_columns[a, 0] = -out_beta[a] / sigma
        if reml:
            for b in range(p):
                out_columns[a, 1 + b] = scratch[b, a] if b >= a else 0.0
    out_columns[p, 0] = 1.0 / sigma
    for b in range(1, out_columns.shape[1]):
        out_columns[p, b] = 0.0
    deviance = logdet + df * (1.0 + np.log(2.0 * np.pi * pwrss / df))
    return (deviance + logdet_x if reml else deviance), pwrss


@compiled_part
def curvature(sums, lam, moves, columns, beta, inverse, sigma2, df, reml, out_gradient, out_hessian, out_slopes):
    """Gradient (n,) of the deviance, its Hessian (n + 1, n + 1) in (theta, log sigma2), and the derivative of out_w (n, P, P).

    From the sums of `derivative_sums`; their contractions are those of `estimation.objectives.groups`.
    """
    H, B, HH, HC = sums
    n, k, width = moves.shape[0], moves.shape[1], B.shape[1]
    p = width - 1
    pair = np.empty((k, k), np.int64)
    u = 0
    for a in range(k):
        for b in range(a, k):
            pair[a, b] = pair[b, a] = u
            u += 1
    # S_k = D_k lam' + lam D_k'.
    S = np.zeros((n, k, k))
    for j in range(n):
        for a in range(k):
            for b in range(k):
                for c in range(k):
                    S[j, a, b] += moves[j, a, c] * lam[b, c] + lam[a, c] * moves[j, b, c]
    squares = np.zeros((k, k))
    for a in range(k):
        for b in range(k):
            u = pair[a, b]
            for x in range(width):
                for z in range(width):
                    weight = 0.0
                    for c in range(columns.shape[1]):
                        weight += columns[x, c] * columns[z, c]
                    squares[a, b] += weight * B[u, x, z]
    out_slopes[:] = 0.0
    determinant, square = np.zeros(n), np.zeros(n)
    for j in range(n):
        for a in range(k):
            for b in range(k):
                u = pair[a, b]
                determinant[j] += S[j, a, b] * H[u]
                for x in range(width):
                    for z in range(width):
                        # B[u] is of the pair a <= b: that of (b, a) is its transpose, and S is symmetric.
                        out_slopes[j, x, z] -= S[j, a, b] * (B[u, x, z] if a <= b else B[u, z, x])
        for x in range(width):
            left = 1.0 if x == p else -beta[x]
            for z in range(width):
                square[j] += left * out_slopes[j, x, z] * (1.0 if z == p else -beta[z])
        if reml:
            for x in range(p):
                for z in range(p):
                    determinant[j] += out_slopes[j, x, z] * inverse[x, z]
        out_gradient[j] = determinant[j] + square[j] / sigma2
    second_order(moves, S, pair, H, HH, HC, squares, out_slopes, beta, inverse, sigma2, reml, out_hessian)
    for j in range(n):
        out_hessian[j, n] = out_hessian[n, j] = -square[j] / sigma2
    out_hessian[n, n] = df


@compiled_part
def second_order(moves, S, pair, H, HH, HC, squares, slopes, beta, inverse, sigma2, reml, out_hessian):
    """The Hessian by theta, into the leading (n, n)."""
    n, k = moves.shape[0], moves.shape[1]
    p = beta.size
    x, turned, first = np.zeros((n, p)), np.zeros((n, p)), np.zeros((n, p, p))
    for j in range(n):
        for a in range(p):
            x[j, a] = slopes[j, a, p]
            for b in range(p):
                x[j, a] -= slopes[j, a, b] * beta[b]
        for a in range(p):
            for b in range(p):
                turned[j, a] += inverse[a, b] * x[j, b]
                for c in range(p):
                    first[j, a, c] += inverse[a, b] * slopes[j, b, c]
    for j in range(n):
        for l in range(j + 1):
            total = 0.0
            for a in range(k):
                for b in range(k):
                    for c in range(k):
                        # H_bc H_da and H_bc (CC')_da with S_j[a, b] S_l[c, d], and D_j'(H - squares)D_l.
                        total += 2.0 * moves[j, a, b] * (H[pair[a, c]] - squares[a, c]) * moves[l, c, b]
                        for d in range(k):
                            u, w = pair[b, c], pair[d, a]
                            total += S[j, a, b] * S[l, c, d] * (2.0 * HC[u, w] - HH[u, w])
            for a in range(p):
                total -= 2.0 / sigma2 * x[j, a] * turned[l, a]
                if reml:
                    for b in range(p):
                        total -= first[j, a, b] * first[l, b, a]
            out_hessian[j, l] = out_hessian[l, j] = total


@compiled_part
def scaled_model(gradient, hessian, df, out_profiled, out_scale, out_values, out_vectors, out_rotated):
    """The quadratic model as `estimation.search.trust_region.ScaledQuadratic` has it; False where a parameter changes nothing.

    hessian (n + 1, n + 1) as of `curvature`; out_profiled (n, n) has sigma2 profiled out.
    """
    n = gradient.size
    scaled = np.empty((n, n))
    largest = 0.0
    for a in range(n):
        for b in range(n):
            out_profiled[a, b] = hessian[a, b] - hessian[a, n] * hessian[n, b] / df
        largest = max(largest, abs(out_profiled[a, a]))
    if not (largest > 0.0 and np.isfinite(largest)):
        return False
    for a in range(n):
        size = 0.0
        for b in range(n):
            size += abs(out_profiled[a, b])
        if gradient[a] == 0.0 and size == 0.0:
            return False
        out_scale[a] = 1.0 / np.sqrt(max(abs(out_profiled[a, a]), 1e-10 * largest))
    for a in range(n):
        for b in range(n):
            scaled[a, b] = out_profiled[a, b] * out_scale[a] * out_scale[b]
    diagonalise(scaled, out_vectors)
    for a in range(n):
        out_values[a], out_rotated[a] = scaled[a, a], 0.0
        for b in range(n):
            out_rotated[a] += out_vectors[b, a] * gradient[b] * out_scale[b]
    return True


@compiled_part
def shifted_length(values, rotated, shift):
    """Length of the step with the Hessian's eigenvalues shifted."""
    total = 0.0
    for a in range(values.size):
        total += (rotated[a] / (values[a] + shift)) ** 2
    return np.sqrt(total)


@compiled_part
def step_within(limit, values, vectors, rotated, scale, out_step):
    """The minimiser (n,) of the model no longer than `limit`, its scaled length and the fall that it predicts.

    The length is negative in the hard case, where no gradient leads along the direction of negative curvature.
    """
    n = values.size
    least = values[0]
    for a in range(1, n):
        least = min(least, values[a])
    lowest = max(0.0, -least)
    shift = lowest + max(1e-12, 1e-15 * lowest)
    if shifted_length(values, rotated, shift) <= limit:
        shift = shift if least <= 0.0 else 0.0
    else:
        low, high = shift, shift + shifted_length(np.ones(n), rotated, 0.0) / limit + 1e-12
        for _ in range(200):
            middle = 0.5 * (low + high)
            if shifted_length(values, rotated, middle) > limit:
                low = middle
            else:
                high = middle
            if high - low <= 1e-10 * high:
                break
        shift = high
    length, predicted = 0.0, 0.0
    for a in range(n):
        out_step[a] = 0.0
    for a in range(n):
        x = -rotated[a] / (values[a] + shift)
        length += x**2
        predicted -= rotated[a] * x + 0.5 * values[a] * x**2
        for b in range(n):
            out_step[b] += scale[b] * vectors[b, a] * x
    length = np.sqrt(length)
    if least < 0.0 and length < limit * (1.0 - 1e-6):
        return -1.0, predicted
    return length, predicted


@compiled_part
def rise_on_face(faces, f, theta, gradient, profiled):
    """One of the forms `faces` (f, n) at theta over its length squared, and how much the model says the deviance changes where it
    vanishes."""
    n = theta.size
    value, length, slope, bend = 0.0, 0.0, 0.0, 0.0
    for a in range(n):
        value += faces[f, a] * theta[a]
        length += faces[f, a] ** 2
        slope += gradient[a] * faces[f, a]
        for b in range(n):
            bend += faces[f, a] * profiled[a, b] * faces[f, b]
    move = value / length
    return move, abs(slope * move) + 0.5 * abs(bend * move**2)


@compiled_part
def away_from_faces(faces, theta, gradient, profiled):
    """Whether the model says of every face, a form (n,) in theta that vanishes there, that the deviance would rise."""
    for f in range(faces.shape[0]):
        _, rise = rise_on_face(faces, f, theta, gradient, profiled)
        if not rise > PREDICTED_RISE:
            return False
    return True


@compiled_part
def newton_measures(theta, scale, values, rotated):
    """The Newton decrement, the scaled length of theta but at least one, and whether the model is convex."""
    decrement, reference, convex = 0.0, 0.0, True
    for a in range(theta.size):
        reference += (theta[a] / scale[a]) ** 2
        if values[a] > -FLAT:
            decrement += 0.5 * rotated[a] ** 2 / max(values[a], FLAT)
        else:
            convex = False
    return decrement, max(np.sqrt(reference), 1.0), convex


@compiled_part
def advance(
    sums, lam, moves, faces, columns, beta, inverse, deviance, pwrss, df, reml, bounds, i, state,
    out_path, out_profiled, out_numbers, out_end,
):  # fmt: skip
    """What the search does at its place i, whose sums are known: an end, 0 where there is more to do than it can, or `GO_ON`.

    Parameters
    ----------
    sums : tuple of arrays
        Those of `derivative_sums`.
    lam : (k, k)
        Here.
    moves : (n, k, k)
        Derivatives of lam, which is linear in theta.
    faces : (f, n)
        Forms in theta on whose zeros a covariance is singular.
    columns, beta, inverse, deviance, pwrss
        Of `profile`.
    bounds : (3,)
        nrtolerance, negative for none; tolerance and ltolerance.
    state : (6,)
        Radius of trust, size of the step to this place, deviance before it, fall that was predicted, and the iteration at which
        faces were tried last; changed.
    out_path : (most, 2, n)
        theta and gradient of every place, and theta of the next one.
    out_profiled : (most, n, n)
        Its Hessian with sigma2 profiled out.
    out_numbers : (most, 5)
        Its deviance, steepest scaled gradient, Newton decrement, and size and change of the step to it.
    out_end : tuple of arrays
        Hessian (n + 1, n + 1) in (theta, log sigma2), and slopes (n, P, P), here.
    """
    hessian, slopes = out_end
    n = moves.shape[0]
    theta, gradient = out_path[i, 0], out_path[i, 1]
    step, scale, values, rotated = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    vectors = np.empty((n, n))
    change = np.inf
    if i:
        gain = state[2] - deviance
        if not gain >= 0.05 * state[3] - ROUNDING * abs(state[2]):
            return 0
        if gain > 0.75 * state[3]:
            state[0] = min(2.0 * state[0], LARGEST_RADIUS)
        change = abs(gain) / (abs(state[2]) + 1.0)
    curvature(sums, lam, moves, columns, beta, inverse, pwrss / df, df, reml, gradient, hessian, slopes)
    if not scaled_model(gradient, hessian, df, out_profiled[i], scale, values, vectors, rotated):
        return 0
    steepest = 0.0
    for a in range(n):
        steepest = max(steepest, abs(gradient[a] * scale[a]))
    decrement, reference, convex = newton_measures(theta, scale, values, rotated)
    out_numbers[i, 0], out_numbers[i, 1], out_numbers[i, 2] = deviance, steepest, decrement
    out_numbers[i, 3], out_numbers[i, 4] = state[1], change
    why = NR_TOLERANCE if convex and decrement <= bounds[0] else 0
    if not why and convex and state[1] <= bounds[1] and change <= bounds[2] and (decrement <= NEAR or bounds[0] < 0.0):
        why = CHANGES
    if why or (decrement <= NEAR and i > state[4] + 3):
        state[4] = i
        if not away_from_faces(faces, theta, gradient, out_profiled[i]):
            return 0
    if why:
        return why
    length, state[3] = step_within(state[0] * reference, values, vectors, rotated, scale, step)
    if length < 0.0 or i + 1 == out_path.shape[0]:
        return 0
    state[1], state[2] = length / reference, deviance
    for a in range(n):
        out_path[i + 1, 0, a] = theta[a] + step[a]
    return GO_ON
