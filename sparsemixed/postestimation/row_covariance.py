"""The model's covariance of any rows: V = sigma2 R + sum_t Z_t G_t Z_t', dense, at the fitted parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.design.data.codes import compress
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.new_errors import new_errors
from sparsemixed.design.new_rows import new_rows
from sparsemixed.design.sample import check_known, used_variables, weight_variables
from sparsemixed.design.values import RandomTerm
from sparsemixed.design.weights.values import weight_values
from sparsemixed.errors import DataError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.random_covariances import term_covariances

MOST_ROWS = 5000
"""Rows of one dense covariance matrix beyond which it is refused (200 MB)."""


@dataclass(frozen=True)
class RowCovariance:
    """Covariances of the responses of m rows.

    Attributes
    ----------
    codes : tuple of (m,) int64
        Group of each row in every random term; negative where the fit does not know the group.
    columns : tuple of (m, k) float64
    G : tuple of (k, k) float64
        Covariance of the random effects of one group, term by term.
    errors : tuple of ((m,) codes, (m,) or (m, 2) times) or None
        None for independent errors with one variance.
    scale : (m,) float64
        Standard deviation of an error over that of the structure: 1 / sqrt(w) with precision weights w.
    fit : Fit
    """

    codes: tuple[np.ndarray, ...]
    columns: tuple[np.ndarray, ...]
    G: tuple[np.ndarray, ...]
    errors: tuple[np.ndarray, np.ndarray] | None
    scale: np.ndarray
    fit: Fit

    def of(self, rows: np.ndarray) -> np.ndarray:
        """V (l, l) of the rows at some positions (l,)."""
        if len(rows) > MOST_ROWS:
            raise DataError(f"{len(rows):,} rows would share one dense covariance matrix, and {MOST_ROWS:,} is the limit")
        V = self.errors_of(rows)
        for codes, columns, G in zip(self.codes, self.columns, self.G, strict=True):
            own, z = codes[rows], columns[rows]
            V += np.where(own[:, None] == own, z @ G @ z.T, 0.0)
        return V

    def errors_of(self, rows: np.ndarray) -> np.ndarray:
        """sigma2 R (l, l) of the errors of the rows at some positions (l,)."""
        R = np.eye(len(rows))
        if self.errors is not None:
            codes, t = (values[rows] for values in self.errors)
            R = np.where(codes[:, None] == codes, self._structure(t), 0.0)
        return self.fit.sigma2 * R * self.scale[rows, None] * self.scale[rows]

    def _structure(self, t: np.ndarray) -> np.ndarray:
        part = self.fit.design.residual
        assert part is not None
        return part.structure.covariance(self.fit.theta[len(self.fit.theta) - part.structure.n_rho :], t)

    def error_variances(self) -> np.ndarray:
        """(m,) sigma2 R_ii."""
        if self.errors is None:
            return self.fit.sigma2 * self.scale**2
        # Row by row: times of many rows would make a matrix of all of them.
        t = self.errors[1]
        distinct, place = np.unique(t, axis=0, return_inverse=True)
        own = np.array([self._structure(row[None])[0, 0] for row in distinct])
        return self.fit.sigma2 * own[place.ravel()] * self.scale**2


def of_sample(fit: Fit) -> RowCovariance:
    """Of the rows that the model was fitted to."""
    _check(fit)
    return within_sample(fit)


def within_sample(fit: Fit) -> RowCovariance:
    """The same whatever the weights: of one observation of each row where weights replicate observations."""
    part, weights = fit.design.residual, fit.design.weights
    precision = weights is not None and weights.kind == "precision"
    scale = 1.0 / np.sqrt(weights.rows) if precision and weights is not None else np.ones(fit.design.n_rows)
    codes = tuple(term.codes.astype(np.int64) for term in fit.design.random)
    columns = tuple(term.columns for term in fit.design.random)
    return RowCovariance(codes, columns, term_covariances(fit), None if part is None else (part.codes, part.t), scale, fit)


def of_rows(fit: Fit, rows: Rows, known: bool) -> RowCovariance:
    """Of the rows of other data, without missing values.

    Parameters
    ----------
    fit : Fit
    rows : Rows
    known : bool
        Whether the groups are numbered as in the sample, -1 for new ones; else among these rows, whether they are known or not.

    Raises
    ------
    OptionError
        Weights that replicate observations; `covariance(exchangeable)` of `R.varname`.
    DataError
        New levels of covariates, of by(), or of times that are levels.
    """
    _check(fit)
    design, spec = fit.design, fit.spec
    check_known(rows.frame, [name for name in used_variables(spec) + weight_variables(spec) if name != spec.response], spec)
    found = [new_rows(term, design, spec, rows) for term in design.random]
    groups = Groups(rows)
    codes = [f.codes if known else _numbered(term, rows) for f, term in zip(found, design.random, strict=True)]
    errors = None if design.residual is None else tuple(new_errors(design.residual, spec, rows, groups))
    scale = np.ones(rows.n)
    if spec.weights is not None:
        (weight,) = spec.weights.each
        scale = 1.0 / np.sqrt(weight_values(spec.weights, weight, rows.frame)[rows.kept])
    return RowCovariance(tuple(codes), tuple(f.columns for f in found), term_covariances(fit), errors, scale, fit)  # type: ignore[arg-type]


def _numbered(term: RandomTerm, rows: Rows) -> np.ndarray:
    return Groups(rows).codes(tuple(map(str, term.labels.columns)))[0].astype(np.int64)


def _check(fit: Fit) -> None:
    if fit.spec.weights is not None and fit.spec.weights.kind != "precision":
        raise OptionError("predictive densities are not available with weights that replicate observations; leave them out")
    if any(term.members is not None for term in fit.design.random):
        raise OptionError("predictive densities are not available for R.varname with covariance(exchangeable)")


def connected(sample: RowCovariance) -> np.ndarray:
    """(n,) number of the part of the sample that a row is in: rows of different parts share no group, of effects or errors."""
    codes = [*sample.codes, *([] if sample.errors is None else [sample.errors[0]])]
    parts = np.zeros(len(sample.scale), dtype=np.int64) if not codes else compress(codes[0].astype(np.int64))[0].astype(np.int64)
    for _ in range(len(parts)):
        before = parts
        for own in codes:
            lowest = np.full(int(own.max()) + 1, len(parts), dtype=np.int64)
            np.minimum.at(lowest, own, parts)
            parts = lowest[own]
        if np.array_equal(parts, before):
            break
    return parts
