"""The start and the search of one data set of independent groups, each in one compiled call, and what another response changes.

The steps are those of `kernels_start` and `kernels_newton.advance`; conventions as in `solver.groups.kernels_search`.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled
from sparsemixed.solver.groups.kernels_many import left_by, put_response, workspace
from sparsemixed.solver.groups.kernels_newton import GO_ON, advance
from sparsemixed.solver.groups.kernels_search import deviance_at, deviance_here, moments_here
from sparsemixed.solver.groups.kernels_start import moment_start


@compiled
def first_start(data, weights, programs, rest, prior, pairs, mean_squares, total, n, smallest, out_covariance):
    """The covariance (k, k) over sigma2 of a start, as of `moment_start`; False where there is none.

    data (blocks, rows, lanes) and weights (J,) of the groups; programs: (code, code of derivatives, lanes, size) of `workspace`.
    """
    code, derivatives, lanes, size = programs
    k, width = prior.size, rest.shape[0]
    pairs_of_effects = k * (k + 1) // 2
    sums = (
        np.empty(pairs_of_effects),
        np.empty((pairs_of_effects, width, width)),
        np.empty((pairs_of_effects, pairs_of_effects)),
        np.empty((pairs_of_effects, pairs_of_effects)),
    )
    # A literal would be a type of its own, and have what profiles be compiled once more.
    reml = np.bool_(True)
    work, at = workspace(data, lanes, width, k, reml, size)
    w, beta, inverse, columns = at
    group = (data.ravel(), weights, data.shape[1], lanes, data.shape[0], code, derivatives)
    for a in range(k):
        work[0][2 + a * k + a] = np.sqrt(prior[a])
    deviance, _ = deviance_here(group, rest, n, reml, work, at)
    if not np.isfinite(deviance):
        return False
    if width == 1:
        columns[0, 0] = 0.0
    moments_here(columns, min(1, width - 1), group, k, width, work, sums)
    return moment_start(sums, w, beta, inverse, prior, pairs, mean_squares, total, n, smallest, out_covariance)


@compiled
def first_descent(start, data, weights, programs, rest, moves, faces, reml, bounds, df, iterate, most):
    """Newton's method from `start` (n,): why it ends, 0 where there is more to do than it can; the number of iterations; pwrss.

    Then the arrays of `advance` for at most `most` places, path, profiled and numbers; Hessian and slopes of the last place, and
    beta and inverse of `profile` there.
    """
    code, derivatives, lanes, size = programs
    n, k, width = moves.shape[0], moves.shape[1], rest.shape[0]
    pairs = k * (k + 1) // 2
    sums = (np.empty(pairs), np.empty((pairs, width, width)), np.empty((pairs, pairs)), np.empty((pairs, pairs)))
    path, profiled, numbers = np.empty((most, 2, n)), np.empty((most, n, n)), np.empty((most, 5))
    end = (np.empty((n + 1, n + 1)), np.empty((n, width, width)))
    work, at = workspace(data, lanes, width, k, reml, size)
    _, beta, inverse, columns = at
    group = (data.ravel(), weights, data.shape[1], lanes, data.shape[0], code, derivatives)
    state, lam = np.array([1.0, np.inf, 0.0, 0.0, -1.0]), np.empty((k, k))
    for a in range(n):
        path[0, 0, a] = start[a]
    why, i, pwrss = GO_ON, -1, np.nan
    while why == GO_ON and i < iterate:
        i += 1
        deviance, pwrss = deviance_at(path[i, 0], moves, group, rest, df, reml, work, at)
        if not np.isfinite(deviance):
            why = 0
        else:
            moments_here(columns, 0, group, k, width, work, sums)
            for a in range(k):
                for b in range(k):
                    lam[a, b] = work[0][2 + a * k + b]
            why = advance(
                sums, lam, moves, faces, columns, beta, inverse, deviance, pwrss, df, reml, bounds, i, state,
                path, profiled, numbers, end,
            )  # fmt: skip
    return why, i, pwrss, path, profiled, numbers, end[0], end[1], beta, inverse


@compiled
def first_response(y, rows, own, lanes, out_data, out_rest, out_fitted):
    """The response y (n,) put into the data of the groups, as by `put_response`, and what it has on Q (r,); the squares that X
    leaves of it, and all of them."""
    left, whole = np.empty(y.size), 0.0
    left_by(rows[0], y, left, out_fitted)
    for i in range(y.size):
        whole += y[i] * y[i]
    return put_response(left, rows, own, lanes, out_data, out_rest), whole
