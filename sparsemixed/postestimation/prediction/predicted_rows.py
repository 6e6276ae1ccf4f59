"""Rows to be predicted, of the sample or of other data: their columns, groups and error variances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.design.build import rows_of_X
from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.new_errors import new_errors
from sparsemixed.design.new_rows import NEW, new_rows
from sparsemixed.design.sample import check_known, weight_variables
from sparsemixed.design.weights.values import weight_values
from sparsemixed.estimation.fit import Fit


@dataclass(frozen=True)
class PredictedRows:
    """m rows as a fit sees them.

    Attributes
    ----------
    X : (m, p) float64
        NaN where a variable is missing.
    codes : tuple of (m,) int64
        Group of each row in every random term of the design; `new_rows.NEW` or `new_rows.MISSING` where there is none.
    columns : tuple of (m, k) float64
    """

    X: np.ndarray
    codes: tuple[np.ndarray, ...]
    columns: tuple[np.ndarray, ...]

    def take(self, rows: np.ndarray | slice) -> PredictedRows:
        """Some of the rows."""
        return PredictedRows(self.X[rows], tuple(c[rows] for c in self.codes), tuple(z[rows] for z in self.columns))

    def only(self, terms: tuple[int, ...]) -> PredictedRows:
        """The same rows with the effects of some terms alone; those of others count as being zero."""
        columns = tuple(z if t in terms else np.zeros_like(z) for t, z in enumerate(self.columns))
        return PredictedRows(self.X, self.codes, columns)

    @property
    def new(self) -> np.ndarray:
        """(m,) bool: rows with a group that the sample did not have."""
        out = np.zeros(len(self.X), bool)
        for codes in self.codes:
            out |= codes == NEW
        return out


def sample_rows(fit: Fit) -> PredictedRows:
    """The rows that the model was fitted to."""
    random = fit.design.random
    return PredictedRows(fit.design.X, tuple(t.codes.astype(np.int64) for t in random), tuple(t.columns for t in random))


def all_rows(frame: Frame) -> Rows:
    """Every row of a frame."""
    return Rows(frame, np.arange(frame.n_rows))


def rows_of_frame(fit: Fit, frame: Frame) -> PredictedRows:
    """Rows of other data, which hold every variable of the fixed and random parts."""
    rows = all_rows(frame)
    found = [new_rows(term, fit.design, fit.spec, rows) for term in fit.design.random]
    return PredictedRows(rows_of_X(fit.design, fit.spec, frame), tuple(f.codes for f in found), tuple(f.columns for f in found))


def sample_error_variances(fit: Fit) -> np.ndarray:
    """(n,) variances of the errors of the sample: over its weight with precision weights, else of one observation."""
    part, weights = fit.design.residual, fit.design.weights
    own = np.ones(fit.design.n_rows) if part is None else _own(fit, part.t)
    return fit.sigma2 * (own / weights.rows if weights is not None and weights.kind == "precision" else own)


def new_error_variances(fit: Fit, frame: Frame) -> np.ndarray:
    """(m,) variances of the errors of rows of other data, NaN where a variable of theirs is missing.

    Raises
    ------
    CommandError
        A variable of the weights or of the residual structure is not in the data.
    DataError
        A level of by(), or of times that are levels, that the sample did not have.
    """
    spec = fit.spec
    precision = spec.weights is not None and spec.weights.kind == "precision"
    residual = [] if fit.design.residual is None else [v for v in (spec.residual.by, spec.residual.t) if v is not None]
    names = [*residual, *([v for v in weight_variables(spec) if v != spec.response] if precision else [])]
    check_known(frame, tuple(names), spec)
    there = np.ones(frame.n_rows, bool)
    for name in names:
        missing = frame[name].missing
        there &= True if missing is None else ~missing
    kept, out = np.flatnonzero(there), np.full(frame.n_rows, np.nan)
    rows, variances = Rows(frame, kept), np.ones(len(kept))
    if fit.design.residual is not None and len(kept):
        variances = _own(fit, new_errors(fit.design.residual, spec, rows, Groups(rows)).t)
    if precision and spec.weights is not None:
        (weight,) = spec.weights.each
        variances = variances / weight_values(spec.weights, weight, frame)[kept]
    out[kept] = fit.sigma2 * variances
    return out


def _own(fit: Fit, t: np.ndarray) -> np.ndarray:
    """(m,) the diagonal of R at times t (m,) or (m, 2), time by time: those of many rows would make a matrix of all of them."""
    part = fit.design.residual
    assert part is not None
    rho = fit.theta[len(fit.theta) - part.structure.n_rho :]
    distinct, place = np.unique(t, axis=0, return_inverse=True)
    own = np.array([part.structure.covariance(rho, time[None])[0, 0] for time in distinct]).reshape(-1)
    return own[place.ravel()]
