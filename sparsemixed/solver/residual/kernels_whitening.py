"""Compiled recursions that whiten the rows of long groups one after the other, with derivatives by the errors' parameters.

Every number is a jet of N components: the value, its n first derivatives, then second ones. `pairs` (K, 3) has for each of these
the first derivatives k <= l that enter it and its place; without pairs, or without derivatives at all, the same loops do no more
than is asked for. Jets stand in the rows of matrices, which are passed with the row's number: a view costs more than a product.

start (J + 1,) are the rows of the groups, rows (n, c) what is whitened, logs (J, N) log|R| of each. What is kept of the whitened
rows w is either

- gram (J, 1 + n, c, c) += w_o w_0', o = 0 .. n, or
- moved (J, N): the jet of w'Sw with weights (J, c, c) = S, where it has columns.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled, compiled_apart


@compiled
def add_product(A, i, B, j, sign, pairs, out, o):
    """out[o] += sign A[i] B[j]."""
    a, b = sign * A[i, 0], B[j, 0]
    out[o, 0] += a * b
    for k in range(1, out.shape[1]):
        out[o, k] += a * B[j, k] + sign * A[i, k] * b
    for m in range(pairs.shape[0]):
        k, l = pairs[m, 0], pairs[m, 1]
        out[o, pairs[m, 2]] += sign * (A[i, k] * B[j, l] + A[i, l] * B[j, k])


@compiled
def add_scaled(A, i, columns, j, sign, pairs, out, o):
    """out[o] += sign A[i] columns[j]; columns (., N, c)."""
    a, c = sign * A[i, 0], out.shape[2]
    for d in range(c):
        out[o, 0, d] += a * columns[j, 0, d]
    for k in range(1, out.shape[1]):
        x = sign * A[i, k]
        for d in range(c):
            out[o, k, d] += a * columns[j, k, d] + x * columns[j, 0, d]
    for m in range(pairs.shape[0]):
        k, l, place = pairs[m, 0], pairs[m, 1], pairs[m, 2]
        x, y = sign * A[i, k], sign * A[i, l]
        for d in range(c):
            out[o, place, d] += x * columns[j, l, d] + y * columns[j, k, d]


@compiled
def clear(out, o):
    """out[o] = 0; out (., N)."""
    for k in range(out.shape[1]):
        out[o, k] = 0.0


@compiled
def clear_columns(out, o):
    """out[o] = 0; out (., N, c)."""
    for k in range(out.shape[1]):
        for d in range(out.shape[2]):
            out[o, k, d] = 0.0


@compiled
def compose(A, i, value, slope, curve, pairs, out, o):
    """out[o]: the jet of a function with this value and these derivatives at A[i]."""
    out[o, 0] = value
    for k in range(1, out.shape[1]):
        out[o, k] = slope * A[i, k]
    for m in range(pairs.shape[0]):
        out[o, pairs[m, 2]] += curve * A[i, pairs[m, 0]] * A[i, pairs[m, 1]]


@compiled
def take_pivot(pivot, i, pairs, roots, o, log):
    """roots[o] and log[0]: 1 / sqrt(pivot[i]) and its logarithm."""
    d = pivot[i, 0]
    r = 1.0 / np.sqrt(d)
    compose(pivot, i, r, -0.5 * r / d, 0.75 * r / d**2, pairs, roots, o)
    compose(pivot, i, np.log(d), 1.0 / d, -1.0 / d**2, pairs, log, 0)


@compiled
def add_row(W, i, g, weights, half, pairs, gram, moved, log, logs):
    """One whitened row W[i] of group g, and its part of log|R|; half (1 + n, c) is scratch."""
    first, c = half.shape
    for o in range(logs.shape[1]):
        logs[g, o] += log[0, o]
    if moved.shape[1] == 0:
        for o in range(first):
            for a in range(c):
                for b in range(c):
                    gram[g, o, a, b] += W[i, o, a] * W[i, 0, b]
        return
    for o in range(first):
        for a in range(c):
            total = 0.0
            for b in range(c):
                total += weights[g, a, b] * W[i, o, b]
            half[o, a] = total
    for a in range(c):
        moved[g, 0] += W[i, 0, a] * half[0, a]
        for o in range(1, W.shape[1]):
            moved[g, o] += 2.0 * W[i, o, a] * half[0, a]
    for m in range(pairs.shape[0]):
        k, l, place = pairs[m, 0], pairs[m, 1], pairs[m, 2]
        for a in range(c):
            moved[g, place] += 2.0 * W[i, k, a] * half[l, a]


@compiled
def next_factor_row(L, roots, own, i, low, reach, t, by_lag, pairs, entry, pivot, log):
    """Row i of the factor, which begins at column low; False where its pivot is not positive."""
    for d in range(reach):
        clear(L, own * reach + d)
    for o in range(pivot.shape[1]):
        pivot[0, o] = by_lag[0, o]
    for j in range(low, i):
        before, lag = j % (reach + 1), int(t[i] - t[j])
        for o in range(pivot.shape[1]):
            entry[0, o] = by_lag[lag, o]
        for k in range(low, j):
            add_product(L, own * reach + i - k - 1, L, before * reach + j - k - 1, -1.0, pairs, entry, 0)
        place = own * reach + i - j - 1
        add_product(entry, 0, roots, before, 1.0, pairs, L, place)
        add_product(L, place, L, place, -1.0, pairs, pivot, 0)
    if not pivot[0, 0] > 0.0:
        return False
    take_pivot(pivot, 0, pairs, roots, own, log)
    return True


@compiled
def same_row(L, roots, own, last, reach):
    """Whether two rows of the factor are the same to the last bit."""
    for o in range(L.shape[1]):
        if roots[own, o] != roots[last, o]:
            return False
        for d in range(reach):
            if L[own * reach + d, o] != L[last * reach + d, o]:
                return False
    return True


@compiled
def copy_row(L, roots, own, last, reach):
    """Row `last` of the factor once more."""
    for o in range(L.shape[1]):
        roots[own, o] = roots[last, o]
        for d in range(reach):
            L[own * reach + d, o] = L[last * reach + d, o]


@compiled_apart
def whiten_banded(groups, start, t, rows, by_lag, pairs, weights, gram, moved, logs):
    """By the Cholesky factor of covariances by_lag (q + 2, N) at lags 0 .. q and beyond; False where there is none.

    Row i of the factor reaches back as far as rows within q units of time, whatever is missing between them. The last q + 1 rows
    are kept: L[(j % (q + 1)) q + d - 1] is the entry in row j and column j - d. At successive times they converge; once q + 1 of
    them are the same to the last bit, so are all that follow, up to a gap.
    """
    reach, size, c = by_lag.shape[0] - 2, by_lag.shape[1], rows.shape[1]
    L, roots = np.zeros(((reach + 1) * reach, size)), np.zeros((reach + 1, size))
    W, raw = np.zeros((reach + 1, size, c)), np.zeros((1, size, c))
    entry, pivot, log = np.empty((1, size)), np.empty((1, size)), np.zeros((1, size))
    half = np.empty((gram.shape[1], c))
    for g in groups:
        low, run, same = start[g], 0, 0
        for i in range(start[g], start[g + 1]):
            own, last = i % (reach + 1), (i - 1) % (reach + 1)
            while t[i] - t[low] > reach:
                low += 1
            run = run + 1 if i > start[g] and t[i] - t[i - 1] == 1.0 else 0
            if run > reach and same > reach:
                copy_row(L, roots, own, last, reach)
            else:
                if not next_factor_row(L, roots, own, i, low, reach, t, by_lag, pairs, entry, pivot, log):
                    return False
                same = same + 1 if run > reach and same_row(L, roots, own, last, reach) else 0
            clear_columns(raw, 0)
            for d in range(c):
                raw[0, 0, d] = rows[i, d]
            for j in range(low, i):
                add_scaled(L, own * reach + i - j - 1, W, j % (reach + 1), -1.0, pairs, raw, 0)
            clear_columns(W, own)
            add_scaled(roots, own, raw, 0, 1.0, pairs, W, own)
            add_row(W, own, g, weights, half, pairs, gram, moved, log, logs)
    return True


@compiled
def predict(Phi, noise, gap, state, P, known, pairs, halves, columns):
    """State (p, N, c) and its covariance P (p p, N) carried over a gap; scratch halves (p p, N), columns (p, N, c)."""
    p = state.shape[0]
    for k in range(p):
        clear_columns(columns, k)
        for l in range(p):
            add_scaled(Phi, (gap * p + k) * p + l, state, l, 1.0, pairs, columns, k)
    state[:] = columns
    if not known:
        for k in range(p):
            for l in range(p):
                clear(halves, k * p + l)
                for m in range(p):
                    add_product(Phi, (gap * p + k) * p + m, P, m * p + l, 1.0, pairs, halves, k * p + l)
    for k in range(p):
        for l in range(p):
            for o in range(P.shape[1]):
                P[k * p + l, o] = noise[(gap * p + k) * p + l, o]
            if not known:
                for m in range(p):
                    add_product(halves, k * p + m, Phi, (gap * p + l) * p + m, 1.0, pairs, P, k * p + l)


@compiled
def observe(row, state, P, gain, w, pairs):
    """State and covariance once its first number is known to be row (c,), which was whitened to w."""
    p = state.shape[0]
    clear_columns(state, 0)
    for d in range(row.size):
        state[0, 0, d] = row[d]
    for k in range(1, p):
        add_scaled(gain, k, w, 0, 1.0, pairs, state, k)
    for k in range(p):
        clear(P, k)
        clear(P, k * p)
    for k in range(1, p):
        for l in range(1, p):
            add_product(gain, k, gain, l, -1.0, pairs, P, k * p + l)


@compiled_apart
def whiten_by_states(groups, start, t, rows, place, Phi, noise, p, pairs, weights, gram, moved, logs):
    """By one-step predictions of a state of p numbers with covariance I, whose first is the error; False where one is degenerate.

    place (n,) int64: which of the transitions Phi and noise (U p p, N) leads to a row from the one before. After p successive
    times the state is known, so that predictions have the variance of the transition's noise from there on.
    """
    size, c = Phi.shape[1], rows.shape[1]
    state, columns = np.zeros((p, size, c)), np.empty((p, size, c))
    P, halves, gain = np.zeros((p * p, size)), np.empty((p * p, size)), np.zeros((p, size))
    root, log = np.zeros((1, size)), np.zeros((1, size))
    raw, w = np.empty((1, size, c)), np.empty((1, size, c))
    half = np.empty((gram.shape[1], c))
    for g in groups:
        run, settled = 0, -1
        for i in range(start[g], start[g + 1]):
            known = run >= p
            if i == start[g]:
                state[:], P[:] = 0.0, 0.0
                for k in range(p):
                    P[k * p + k, 0] = 1.0
            else:
                predict(Phi, noise, place[i], state, P, known, pairs, halves, columns)
            if not known or settled != place[i]:
                if not P[0, 0] > 0.0:
                    return False
                take_pivot(P, 0, pairs, root, 0, log)
                for k in range(p):
                    clear(gain, k)
                    add_product(P, k * p, root, 0, 1.0, pairs, gain, k)
            settled = place[i] if known else -1
            for o in range(size):
                for d in range(c):
                    raw[0, o, d] = -state[0, o, d]
            for d in range(c):
                raw[0, 0, d] += rows[i, d]
            clear_columns(w, 0)
            add_scaled(root, 0, raw, 0, 1.0, pairs, w, 0)
            add_row(w, 0, g, weights, half, pairs, gram, moved, log, logs)
            observe(rows[i], state, P, gain, w, pairs)
            run = run + 1 if i > start[g] and t[i] - t[i - 1] == 1.0 else 1
    return True


@compiled
def add_covariance_times(start, place, Phi, p, pairs, w, out):
    """out (n, N) += R w (n,) less its diagonal, by the state-space form: what earlier rows do to later ones, and the reverse."""
    size = Phi.shape[1]
    state, moved = np.zeros((p, size)), np.empty((p, size))
    for g in range(start.size - 1):
        for back in range(2):
            state[:] = 0.0
            for step in range(1, start[g + 1] - start[g]):
                i = start[g + 1] - 1 - step if back else start[g] + step
                source, gap = (i + 1, place[i + 1]) if back else (i - 1, place[i])
                state[0, 0] += w[source]
                for k in range(p):
                    clear(moved, k)
                    for l in range(p):
                        add_product(Phi, (gap * p + k) * p + l, state, l, 1.0, pairs, moved, k)
                state[:] = moved
                for o in range(size):
                    out[i, o] += state[0, o]
