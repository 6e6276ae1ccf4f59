"""Residuals of the sample on several scales: marginal, scaled, standardised, studentised, and as quantiles.

Conditional residuals are e_hat = y - X beta_hat - Zb_hat, marginal ones r = y - X beta_hat. With R = LL' the covariance of the
errors within their groups over sigma2, rstandard is inv(L)e_hat / sigma (`normalized` of R's nlme); with V = LL' that of the
responses which share groups, scaled is inv(L)r: uncorrelated with variance one if the model holds (VCIRY of SAS, over sigma).
Since Var(e_hat) = sigma2 R - W inv(K)W' (`joint_errors`), studentised residuals are e_hat over the root of its diagonal.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsemixed.errors import NotAvailableError, NumericalError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.hypotheses.distributions import normal_probability
from sparsemixed.lapack import solve_triangular
from sparsemixed.postestimation.prediction.error_blocks import error_blocks, singular_errors
from sparsemixed.postestimation.prediction.joint_errors import joint_errors
from sparsemixed.postestimation.prediction.predicted_rows import sample_error_variances, sample_rows
from sparsemixed.postestimation.prediction.row_errors import fitted_variances
from sparsemixed.postestimation.prediction.sample_values import marginal_residuals, random_part
from sparsemixed.postestimation.random_covariances import term_covariances
from sparsemixed.postestimation.row_covariance import connected, of_sample

Terms = tuple[int, ...]
SINGULAR = "predict: rstandard is not defined where the covariance of the errors is singular"


def _refuse_without_errors(fit: Fit, kind: str) -> None:
    if fit.without_errors:
        raise NotAvailableError(f"predict: {kind} residuals are not defined where the residual variance is zero")


def standardised(fit: Fit, terms: Terms) -> np.ndarray:
    """(n,) inv(L)(y - X beta_hat - Zb_hat) / sigma with R = LL' by Cholesky, rows of a group in the order of their times."""
    _refuse_without_errors(fit, "standardised")
    if singular_errors(fit):
        raise NumericalError(SINGULAR)
    residuals, part = marginal_residuals(fit) - random_part(fit, terms), fit.design.residual
    if part is None or part.structure.independent_rows:
        return residuals / np.sqrt(sample_error_variances(fit))
    out = np.empty(len(residuals))
    for rows, R in error_blocks(fit):
        try:
            lower = np.linalg.cholesky(R)
        except np.linalg.LinAlgError as error:
            raise NumericalError(SINGULAR) from error
        out[rows] = np.linalg.solve(lower, residuals[rows][..., None])[..., 0]
    return out / np.sqrt(fit.sigma2)


def marginal(fit: Fit, terms: Terms) -> np.ndarray:
    """(n,) y - X beta_hat."""
    return marginal_residuals(fit)


def scaled(fit: Fit, terms: Terms) -> np.ndarray:
    """(n,) inv(L)(y - X beta_hat) with V = LL', rows that share groups in the order of the data.

    Raises
    ------
    DataError
        More rows share groups than one dense matrix may have.
    NumericalError
        V is singular.
    """
    sample, residuals = of_sample(fit), marginal_residuals(fit)
    parts = connected(sample)
    order = np.argsort(parts, kind="stable")
    out, stops = np.empty(len(residuals)), np.flatnonzero(np.diff(parts[order])) + 1
    for rows in np.split(order, stops):
        try:
            lower = np.linalg.cholesky(sample.of(rows))
        except np.linalg.LinAlgError as error:
            raise NumericalError("predict: scaled residuals are not defined where V is singular") from error
        out[rows] = solve_triangular(lower, residuals[rows], lower=True)
    return out


def studentised(fit: Fit, terms: Terms) -> np.ndarray:
    """(n,) conditional residuals over their standard deviations; NaN where the model fits a row whatever its response."""
    _refuse_without_errors(fit, "studentized")
    own = sample_error_variances(fit)
    variances = own - fitted_variances(fit, joint_errors(fit), sample_rows(fit))
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(np.where(variances > FITTED * own, variances, np.nan))
    return (marginal_residuals(fit) - random_part(fit)) / spread


FITTED = 1e-10
"""Share of its error's variance down to which a row's residual has a variance at all."""


def quantiles(fit: Fit, terms: Terms) -> np.ndarray:
    """(n,) probabilities Phi((y - x'beta_hat) / sqrt(V_ii)): uniform, row by row, if the model holds."""
    total, random = sample_error_variances(fit), fit.design.random
    for term, G in zip(random, term_covariances(fit), strict=True):
        total = total + np.einsum("ma,ab,mb->m", term.columns, G, term.columns)
    return normal_probability(marginal_residuals(fit) / np.sqrt(total))


RESIDUALS: dict[str, Callable[[Fit, Terms], np.ndarray]] = {
    "rstandard": standardised,
    "marginal": marginal,
    "scaled": scaled,
    "studentized": studentised,
    "quantile": quantiles,
}
"""What `predict` calls them, and what computes them of a fit and of the terms whose effects are taken off."""
