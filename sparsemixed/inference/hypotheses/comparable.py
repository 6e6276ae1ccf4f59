"""Whether a difference of two log likelihoods means anything: the same rows, weights and criterion.

Rows are compared where both fits have them. Fits that were saved without data, or made from batches, keep the number of rows and
the sum of squares of the response, which tell other data as well.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.sandwich import is_robust

SAME = 1e-9
"""Relative difference of sums over the same rows in another order."""
PENALISED = "fits with prior= are no maxima of the likelihood, whose differences have no chi-squared distribution then"


def both_have_rows(a: Fit, b: Fit) -> bool:
    """Whether both fits hold their data, so that rows can be compared with rows."""
    return a.design.has_rows and b.design.has_rows


def same_response(a: Fit, b: Fit) -> bool:
    """Whether two fits of as many rows have the same response."""
    if both_have_rows(a, b):
        return np.array_equal(a.design.y, b.design.y)
    return bool(np.isclose(a.design.response_square, b.design.response_square, rtol=SAME, atol=0.0))


def is_sampling_weighted(fit: Fit) -> bool:
    """Whether the fit maximises a pseudolikelihood, whose differences have no chi-squared distribution."""
    return fit.design.weights is not None and fit.design.weights.kind == "sampling"


def is_penalised(fit: Fit) -> bool:
    """Whether the fit maximises the likelihood times priors."""
    return fit.spec.estimation.prior is not None


def same_weights(a: Fit, b: Fit) -> bool:
    """Whether two fits give the rows the same weights, and the groups of the levels that both have."""
    one, other = a.design.weights, b.design.weights
    if one is None or other is None:
        return one is other
    shared = {equation.grouping for equation in a.spec.random} & {equation.grouping for equation in b.spec.random}
    of_levels = [
        {w.grouping: w.expression for w in fit.spec.weights.groups if w.grouping in shared} if fit.spec.weights else {}
        for fit in (a, b)
    ]
    if both_have_rows(a, b):
        of_rows = np.array_equal(one.rows, other.rows)
    else:
        of_rows = a.spec.weights == b.spec.weights and np.isclose(a.design.n_obs, b.design.n_obs, rtol=SAME, atol=0.0)
    return one.kind == other.kind and bool(of_rows) and of_levels[0] == of_levels[1]


def refuse_incomparable(a: Fit, b: Fit, command: str = "lrtest") -> None:
    """Raise unless a difference of the two log likelihoods means something; `command` is what the message names."""
    n, m = a.design.n_rows, b.design.n_rows
    if n != m:
        raise OptionError(f"{command}: the fits have {n} and {m} observations; fit both models on the same rows")
    if not same_response(a, b):
        raise OptionError(f"{command}: the fits have different responses or different rows; fit both models on the same data")
    if is_sampling_weighted(a) or is_sampling_weighted(b):
        message = "fits with sampling weights have a pseudolikelihood; compare them by Wald tests, with test()"
        raise OptionError(f"{command}: {message}")
    if is_penalised(a) or is_penalised(b):
        raise OptionError(f"{command}: {PENALISED}; fit both without prior=, or compare posteriors by bayes_factor()")
    if is_robust(a) or is_robust(b):
        raise OptionError(
            f"{command}: with robust standard errors the model is not taken to be right, and the distribution of the test rests "
            "on that; compare the fits by Wald tests, with test(), or fit both with vce(oim)"
        )
    if not same_weights(a, b):
        raise OptionError(f"{command}: the fits have different weights; fit both models with the same ones")
    if a.spec.estimation.method != b.spec.estimation.method:
        raise OptionError(f"{command}: one fit is by ML and the other by REML; fit both with the same option")
    if a.spec.estimation.method == "reml" and not same_fixed_part(a, b):
        raise OptionError(
            f"{command}: REML likelihoods with different fixed parts or constraints cannot be compared; fit both with option mle"
        )


def same_fixed_part(a: Fit, b: Fit) -> bool:
    """Whether the restricted likelihoods of two fits are of the same error contrasts, and on the same scale.

    With constraints, the columns XT must span the same space, through an orthogonal matrix because the criterion depends on their
    scale, and the offsets Xa must be the same. Without rows the two must be typed alike.
    """
    if not both_have_rows(a, b):
        return _typed_alike(a, b)
    if a.design.constraints is None and b.design.constraints is None:
        return same_columns(a.design.X, b.design.X)
    (W, one), (Y, other) = (_free_part(fit) for fit in (a, b))
    if W.shape != Y.shape or not np.allclose(one, other, rtol=1e-9, atol=1e-9 * np.abs(one).max(initial=0.0)):
        return False
    # Orthonormal coordinates Q of the one: the other must have them too, with the same triangle up to a rotation.
    Q, R = np.linalg.qr(W)
    S = Q.T @ Y
    inside = np.linalg.norm(Y - Q @ S, axis=0) <= 1e-9 * np.linalg.norm(Y, axis=0)
    rotation = np.linalg.solve(R, S)
    return bool(np.all(inside) and np.allclose(rotation.T @ rotation, np.eye(len(rotation)), atol=1e-7))


def _typed_alike(a: Fit, b: Fit) -> bool:
    """Whether two fixed parts have the same terms and columns, and constraints if any."""
    one, other = a.design.constraints, b.design.constraints
    if (one is None) != (other is None):
        return False
    held = one is None or other is None or (np.array_equal(one.T, other.T) and np.array_equal(one.a, other.a))
    return held and a.spec.fixed == b.spec.fixed and a.design.columns == b.design.columns


def _free_part(fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """XT (n, r) and Xa (n,)."""
    X, constraints = fit.design.X, fit.design.constraints
    return (X, np.zeros(len(X))) if constraints is None else (X @ constraints.T, X @ constraints.a)


def same_columns(X: np.ndarray, W: np.ndarray) -> bool:
    """Whether two fixed parts are the same columns, whatever their order; the REML criterion depends on their scale."""
    if X.shape != W.shape:
        return False
    if np.array_equal(X, W):
        return True
    columns = sorted(X[:, j].tobytes() for j in range(X.shape[1]))
    return columns == sorted(W[:, j].tobytes() for j in range(W.shape[1]))
