"""The residuals that autocorrelations and variograms are made of, and what the model expects of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparsemixed.errors import OptionError, suggestion
from sparsemixed.plots.pairs_in_groups import Series, model_groups, series_of
from sparsemixed.plots.predicted_effects import needs_rows
from sparsemixed.plots.subject import Subject
from sparsemixed.postestimation.row_covariance import RowCovariance, connected, within_sample

WHAT = {
    "conditional": "Residuals, random effects taken off",
    "marginal": "Residuals of the fixed part",
    "rstandard": "Standardized residuals",
}
"""Kind -> what it is called."""
NO_PAIRS = "no group has two rows"
MOST_TOGETHER = 1500
"""Rows of one part of the sample up to which its covariance is dense."""
CUBES = 4e9
"""Cubes of rows in all dense covariances."""


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
    """Covariances of scaled residuals, the coefficients taken as known."""
    around, parts, variances = Around.of(within_sample(subject.fit), series), [], []
    for places in around.affordable(model_groups(series)):
        C = around.residual_covariance(series.rows[places], what)
        i, j = np.triu_indices(len(places), 1)
        diagonal = np.diag(C)
        variances.append(diagonal)
        distances = np.abs(series.times[places][j] - series.times[places][i])
        parts.append((distances, j - i, C[i, j], 0.5 * (diagonal[i] + diagonal[j])))
    distances, lags, covariances, pairs = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Expected(distances, lags.astype(np.int64), covariances, pairs, float(np.mean(np.concatenate(variances))))


@dataclass(frozen=True)
class Around:
    """Which rows tell of the effects that the rows of a group have.

    Attributes
    ----------
    sample : RowCovariance
    members : dict of (l,) int64, or None
        The rows of each part of the sample that shares no effect with others; None where groups share none.
    parts : (n,) int64
        The part of each row.
    inside : RowCovariance
        With the effects alone that no rows of other groups have, for groups in parts too large for a dense matrix: what other
        rows tell of the effects of many counts as all that there is to know.
    """

    sample: RowCovariance
    members: dict[int, np.ndarray] | None
    parts: np.ndarray
    inside: RowCovariance

    @classmethod
    def of(cls, sample: RowCovariance, series: Series) -> Around:
        """Of groups of the sample."""
        group = np.empty(len(series.rows), np.int64)
        group[series.rows] = series.codes
        within = [t for t, codes in enumerate(sample.codes) if _nested(codes, group)]
        if len(within) == len(sample.codes) and (sample.errors is None or _nested(sample.errors[0], group)):
            return cls(sample, None, group, sample)
        inside = replace(sample, **{name: tuple(getattr(sample, name)[t] for t in within) for name in ("codes", "columns", "G")})
        parts = connected(sample)
        order = np.argsort(parts, kind="stable")
        first = np.flatnonzero(np.append(True, np.diff(parts[order]) > 0))
        members = {int(parts[own[0]]): own for own in np.split(order, first[1:]) if len(own) <= MOST_TOGETHER}
        return cls(sample, members, parts, inside)

    def affordable(self, groups: list[np.ndarray]) -> list[np.ndarray]:
        """Some of the groups, evenly, where all would take too many operations."""
        if self.members is None:
            return groups
        sizes = [float(len(own)) for own in self.members.values()]
        mean = float(np.mean(np.square(sizes) * sizes)) if sizes else 0.0
        return groups[:: max(1, int(np.ceil(len(groups) * mean / CUBES)))]

    def residual_covariance(self, rows: np.ndarray, what: str) -> np.ndarray:
        """(m, m) of scaled residuals of the rows of a group: of the fixed part V, of others S inv(V) S with S that of errors."""
        if what == "marginal":
            V = self.sample.of(rows)
            return V / np.sqrt(np.outer(np.diag(V), np.diag(V)))
        members = None if self.members is None else self.members.get(int(self.parts[rows[0]]))
        whole, of = (rows, self.inside) if members is None else (members, self.sample)
        place = np.arange(len(rows)) if members is None else np.searchsorted(members, rows)
        half = of.errors_of(whole)[:, place]
        C, S = half.T @ np.linalg.solve(of.of(whole), half), half[place]
        if what == "conditional":
            return C / np.sqrt(np.outer(np.diag(S), np.diag(S)))
        half = np.linalg.solve(np.linalg.cholesky(S), C)
        return np.linalg.solve(np.linalg.cholesky(S), half.T)


def _nested(codes: np.ndarray, group: np.ndarray) -> bool:
    """Whether all rows of a code are in one group."""
    owner = np.empty(int(codes.max(initial=0)) + 1, np.int64)
    owner[codes] = group
    return bool(np.array_equal(owner[codes], group))


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
