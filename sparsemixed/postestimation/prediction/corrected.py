"""What the estimation of the variance parameters adds to the variance of a prediction (Kackar & Harville 1984).

A prediction is c(theta)'y for the target tau = x'beta + z'b, and its error at theta_hat exceeds that at theta by about
sum_k (dc/dtheta_k)'y (theta_hat - theta)_k, so that with W the covariance of theta_hat

    g3 = sum_kl W_kl (dc/dtheta_k)'V (dc/dtheta_l),        MSE = g1 + g2 + 2 g3,

g1 + g2 being the variance at known parameters; the second g3 makes up for the bias of g1 at REML estimates (Prasad & Rao 1990;
Das, Jiang & Rao 2004). For tau = x'beta this is the covariance of Kenward & Roger (1997).

With s = inv(K)(x, Lambda'z) by the mixed-model equations, c = [X ZLambda]s and zeta = z - Z'c, and for D_k = dLambda / dtheta_k

    (dc/dtheta_k)'V(dc/dtheta_l) = sigma2 b_k'Z'P0Z b_l,        b_k = D_k s_u + Lambda D_k'zeta,

with P0 = inv(V0) - E Phi E' and E = inv(V0)X. The scale sigma2 moves no prediction.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.vce import theta_covariance
from sparsemixed.postestimation.prediction.joint_errors import FactoredFit, factored_fit
from sparsemixed.postestimation.prediction.predicted_rows import PredictedRows
from sparsemixed.solver.crossproducts.block_products import times_lambda

SOLVED_NUMBERS, MOST_NUMBERS = 2e6, 2e10
"""Numbers (16 MB) of right-hand sides at once, and in all solutions together beyond which they are refused: some minutes."""


def estimation_variances(fit: Fit, rows: PredictedRows) -> np.ndarray:
    """(m,) 2 g3 of every row; what new groups add is known no better and no worse for it.

    Raises
    ------
    OptionError
        By maximum likelihood, whose estimates are biased to the same order; without standard errors of the variance parameters;
        with weights that replicate observations.
    NotAvailableError
        Correlated errors, or too many rows.
    """
    _refuse(fit)
    if not fit.design.random:
        return np.zeros(len(rows.X))
    W = theta_covariance(fit).matrix
    if W is None:
        raise OptionError('predict: se="corrected" needs standard errors of the variance parameters, and this fit has none')
    factored = factored_fit(fit)
    complete = np.flatnonzero(~np.isnan(np.column_stack([rows.X, *rows.columns])).any(axis=1))
    key = np.column_stack([rows.X, *rows.columns, *rows.codes])[complete]
    _, first, place = np.unique(key, axis=0, return_index=True, return_inverse=True)
    q = factored.at.cp.q
    if len(first) * q * (len(fit.theta) + 1.0) > MOST_NUMBERS:
        raise NotAvailableError(
            f'predict: se="corrected" solves for each of {len(first):,} different rows over {q:,} random effects; predict fewer '
            'rows, or use se="conditional"'
        )
    distinct, step = rows.take(complete[first]), max(1, int(SOLVED_NUMBERS / q))
    found = [_added(factored, distinct.take(slice(i, i + step)), W[:-1, :-1]) for i in range(0, len(first), step)]
    out = np.full(len(rows.X), np.nan)
    out[complete] = 2.0 * np.concatenate([*found, np.zeros(0)])[place.ravel()]
    return out


def _refuse(fit: Fit) -> None:
    if fit.spec.estimation.method != "reml":
        raise OptionError('predict: se="corrected" needs REML estimation; add the option reml')
    if fit.design.residual is not None:
        raise NotAvailableError('predict: se="corrected" is not available with residuals(); use se="conditional"')
    if fit.design.weights is not None and fit.design.weights.kind != "precision":
        raise OptionError('predict: se="corrected" is not available with weights that replicate observations')


def _added(factored: FactoredFit, rows: PredictedRows, W: np.ndarray) -> np.ndarray:
    """(m,) g3 of some rows."""
    at, layout = factored.at, factored.layout
    cp, system, phi = at.cp, at.system, at.XVX_inverse
    x = factored.orthogonal.to_orthonormal(rows.X)
    z = _engine_rows(factored, rows)
    moved = times_lambda(cp, at.factors, z, transpose=True)
    beta = phi @ (x.T - at.U.T @ moved)
    spherical = system.solve(moved) - at.U @ beta
    c = cp.ZtXy[:, :-1] @ beta + system.times_ZtZ(times_lambda(cp, at.factors, spherical))
    zeta = z - c
    ZtE = cp.ZtXy[:, :-1] - system.times_ZtZ(times_lambda(cp, at.factors, at.U))
    b, pulled, through = [], [], []
    for direction in layout.directions():
        own = times_lambda(cp, direction, spherical)
        own += times_lambda(cp, at.factors, times_lambda(cp, direction, zeta, transpose=True))
        first = system.times_ZtZ(own)
        solved = system.solve(times_lambda(cp, at.factors, first, transpose=True))
        b.append(own)
        through.append(first - system.times_ZtZ(times_lambda(cp, at.factors, solved)))
        pulled.append(ZtE.T @ own)
    total = np.zeros(len(rows.X))
    for k in range(len(b)):
        for l in range(len(b)):
            if W[k, l] != 0.0:
                own = np.einsum("qm,qm->m", b[k], through[l]) - np.einsum("pm,pq,qm->m", pulled[k], phi, pulled[l])
                total += at.sigma2 * W[k, l] * own
    return np.maximum(total, 0.0)


def _engine_rows(factored: FactoredFit, rows: PredictedRows) -> np.ndarray:
    """z (q, m) of the rows, zero for groups that are not known."""
    layout, cp = factored.layout, factored.at.cp
    out = np.zeros((cp.q, len(rows.X)))
    for t, r in enumerate(layout.order):
        columns, codes = layout.engine_columns(rows.columns[r], t), rows.codes[r]
        here = np.flatnonzero(codes >= 0)
        for a in range(cp.k[t]):
            out[cp.slices[t].start + codes[here] * cp.k[t] + a, here] = columns[here, a]
    return out
