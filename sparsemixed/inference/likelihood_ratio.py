"""Likelihood-ratio tests: a fit against the linear model, and two nested fits."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.robust import is_robust
from sparsemixed.inference.variance_mixture import mixture_freedoms, mixture_pvalue
from sparsemixed.inference.wald import TestResult, chi2_test, chibar2_test

CONSERVATIVE = "Note: LR test is conservative and provided only for reference."
BOUNDARY = (
    "Note: The reported degrees of freedom assumes the null hypothesis is not on the boundary of the parameter space. "
    "If this is not true, then the reported test is conservative."
)
REML = "Note: LR tests based on REML are valid only when the fixed-effects specification is identical for both models."
ZERO_STATISTIC = 1e-5  # below it a single variance is zero to the accuracy of any optimiser, and p is 1


def against_linear_model(fit: Fit) -> TestResult | None:
    """Test of all variance parameters but the residual variance; None when there are none, and for robust fits.

    With exactly one, a variance, the statistic is a mixture of chi2(0) and chi2(1). With more, the true distribution
    is unknown and chi2(k) is conservative, which the note says. Parameters of the residuals alone are not on a boundary
    under independence, unless the structure has one there (exponential), which only the user can tell.
    """
    extra = len(fit.theta)
    if extra == 0 or is_robust(fit):
        return None
    statistic = max(2.0 * (fit.llf - fit.llf_linear), 0.0)
    title = "LR test vs. linear model"
    if not fit.design.random:
        return chi2_test(statistic, extra, BOUNDARY, title)
    if extra == 1:
        zero = bool(fit.boundary[0]) or statistic < ZERO_STATISTIC
        return chibar2_test(0.0 if zero else statistic, title=title)
    return chi2_test(statistic, extra, CONSERVATIVE, title)


def n_parameters(fit: Fit) -> int:
    """All estimated parameters: coefficients less constraints, variance parameters, residual variance."""
    return fit.design.rank + len(fit.theta) + 1


def n_variances(fit: Fit) -> int:
    """Number of variances, covariances not counted."""
    return sum(v.kind == "variance" for v in fit.variances)


def likelihood_ratio(a: Fit, b: Fit) -> TestResult:
    """Test of the smaller of two nested fits against the larger one, in either order.

    The p-value is that of chi-squared, which is conservative where a variance is tested; `mixture_pvalue` is the right one
    where the fits differ by one random effect (see `inference.variance_mixture`).

    Raises
    ------
    OptionError
        If the fits cannot be compared: other data or weights, sampling weights, other criteria, REML with other fixed parts,
        or as many parameters.
    """
    refuse_incomparable(a, b)
    full, small = (a, b) if n_parameters(a) > n_parameters(b) else (b, a)
    df = n_parameters(full) - n_parameters(small)
    statistic = 2.0 * (full.llf - small.llf)
    notes = []
    if statistic < -1e-6:
        notes.append("Note: The larger model has the lower likelihood: the models are not nested, or one has not converged.")
    if n_variances(full) != n_variances(small):
        notes.append(BOUNDARY)
    if a.spec.estimation.method == "reml":
        notes.append(REML)
    found = chi2_test(statistic, df, "\n".join(notes), f"Likelihood-ratio test\n{_assumption(small, full)}")
    freedoms = mixture_freedoms(small, full)
    if freedoms is None:
        return found
    return replace(found, mixture_pvalue=mixture_pvalue(statistic, freedoms))


def _assumption(small: Fit, full: Fit) -> str:
    """Which fit is taken to be nested within which, by their models as typed."""
    models = (" ".join(fit.spec.text.split()) for fit in (small, full))
    sentence = "Assumption: {} nested within {}".format(*models)
    return textwrap.fill(sentence, 78, subsequent_indent=" " * 12, break_long_words=False, break_on_hyphens=False)


def is_sampling_weighted(fit: Fit) -> bool:
    """Whether the fit maximises a pseudolikelihood, whose differences have no chi-squared distribution."""
    return fit.design.weights is not None and fit.design.weights.kind == "sampling"


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
    return one.kind == other.kind and np.array_equal(one.rows, other.rows) and of_levels[0] == of_levels[1]


def refuse_incomparable(a: Fit, b: Fit) -> None:
    """Raise unless a difference of the two log likelihoods means something."""
    n, m = len(a.design.y), len(b.design.y)
    if n != m:
        raise OptionError(f"lrtest: the fits have {n} and {m} observations; fit both models on the same rows")
    if not np.array_equal(a.design.y, b.design.y):
        raise OptionError("lrtest: the fits have different responses or different rows; fit both models on the same data")
    if is_sampling_weighted(a) or is_sampling_weighted(b):
        raise OptionError("lrtest: fits with sampling weights have a pseudolikelihood; compare them by Wald tests, with test()")
    if is_robust(a) or is_robust(b):
        raise OptionError(
            "lrtest: with robust standard errors the model is not taken to be right, and the distribution of the test rests on "
            "that; compare the fits by Wald tests, with test(), or fit both with vce(oim)"
        )
    if not same_weights(a, b):
        raise OptionError("lrtest: the fits have different weights; fit both models with the same ones")
    if a.spec.estimation.method != b.spec.estimation.method:
        raise OptionError("lrtest: one fit is by ML and the other by REML; fit both with the same option")
    if a.spec.estimation.method == "reml" and not same_fixed_part(a, b):
        raise OptionError(
            "lrtest: REML likelihoods with different fixed parts or constraints cannot be compared; fit both with option mle"
        )
    if n_parameters(a) == n_parameters(b):
        raise OptionError(f"lrtest: both fits have {n_parameters(a)} parameters, so neither is nested within the other")


def same_fixed_part(a: Fit, b: Fit) -> bool:
    """Whether the restricted likelihoods of two fits are of the same error contrasts, and on the same scale.

    With constraints, the columns XT must span the same space, through an orthogonal matrix because the criterion depends on their
    scale, and the offsets Xa must be the same.
    """
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
