"""The residuals that autocorrelations and variograms are made of, and what the model expects of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsemixed.errors import OptionError, suggestion
from sparsemixed.plots.pairs_in_groups import Series, model_groups, series_of
from sparsemixed.plots.predicted_effects import needs_rows
from sparsemixed.plots.subject import Subject
from sparsemixed.postestimation.row_covariance import RowCovariance, within_sample

WHAT = {
    "conditional": "Residuals, random effects taken off",
    "marginal": "Residuals of the fixed part",
    "rstandard": "Standardized residuals",
}
"""Kind -> what it is called."""
NO_PAIRS = "no group has two rows"


def scaled_residuals(subject: Subject, what: str, command: str) -> np.ndarray:
    """(n,) residuals over the standard deviations that the model gives their rows.

    Raises
    ------
    OptionError
        There is no such kind.
    """
    if what not in WHAT:
        raise OptionError(f"plot.{command}: what={what!r} is not one of {', '.join(WHAT)}{suggestion(str(what), WHAT)}")
    needs_rows(subject.fit, command)
    fit = subject.fit
    if what == "rstandard":
        return subject.results.predict(what="rstandard").to_numpy()
    own = within_sample(fit)
    variances = own.error_variances()
    if what == "conditional":
        return subject.results.predict(what="residuals").to_numpy() / np.sqrt(variances)
    for columns, G in zip(own.columns, own.G, strict=True):
        variances = variances + np.einsum("ij,jk,ik->i", columns, G, columns)
    return subject.results.predict(what="marginal").to_numpy() / np.sqrt(variances)


def series_for(subject: Subject, group: str | None, time: str | None) -> Series:
    """The rows in their groups, ordered by a variable, the model's times, or the data."""
    return series_of(subject.fit, group, None if time is None else subject.numbers(time))


@dataclass(frozen=True)
class Expected:
    """What the model says of pairs of scaled residuals in a group.

    Attributes
    ----------
    distances : (m,) float64
    lags : (m,) int64
    covariances : (m,) float64
    variances : (m,) float64
        Mean of the two.
    square : float
        Mean variance over all rows.
    """

    distances: np.ndarray
    lags: np.ndarray
    covariances: np.ndarray
    variances: np.ndarray
    square: float


def expected(subject: Subject, series: Series, what: str) -> Expected:
    """Covariances of scaled residuals, the coefficients taken as known and groups as if they shared no effects with others."""
    own, parts, variances = within_sample(subject.fit), [], []
    for places in model_groups(series):
        C = _residual_covariance(own, series.rows[places], what)
        i, j = np.triu_indices(len(places), 1)
        diagonal = np.diag(C)
        variances.append(diagonal)
        distances = np.abs(series.times[places][j] - series.times[places][i])
        parts.append((distances, j - i, C[i, j], 0.5 * (diagonal[i] + diagonal[j])))
    distances, lags, covariances, pairs = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Expected(distances, lags.astype(np.int64), covariances, pairs, float(np.mean(np.concatenate(variances))))


def _residual_covariance(own: RowCovariance, rows: np.ndarray, what: str) -> np.ndarray:
    """(m, m) of the scaled residuals of some rows: of the fixed part V, of others S inv(V) S with S that of the errors."""
    V = own.of(rows)
    if what == "marginal":
        return V / np.sqrt(np.outer(np.diag(V), np.diag(V)))
    S = own.errors_of(rows)
    C = S @ np.linalg.solve(V, S)
    if what == "conditional":
        return C / np.sqrt(np.outer(np.diag(S), np.diag(S)))
    half = np.linalg.solve(np.linalg.cholesky(S), C)
    return np.linalg.solve(np.linalg.cholesky(S), half.T)


def means_in(bins: np.ndarray, values: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Means (n,) of values by their bins, NaN where there are none, and their numbers (n,)."""
    inside = (bins >= 0) & (bins < n) & np.isfinite(values)
    count = np.bincount(bins[inside], minlength=n).astype(float)
    total = np.bincount(bins[inside], values[inside], minlength=n)
    return np.divide(total, count, out=np.full(n, np.nan), where=count > 0), count


def axis_name(series: Series, time: str | None, subject: Subject, lag: bool) -> str:
    """`Lag`, or `Distance in week`."""
    if lag or not series.timed:
        return "Lag in rows of the group" if not lag else "Lag"
    known: Any = time or subject.fit.spec.residual.t
    return f"Distance in {known}" if known else "Distance"
