"""How well a fit predicts rows that it has not seen, group by group, as of groups of which it knows nothing.

With r = y - X beta of the n rows of a held-out group and their marginal covariance V at the fitted parameters

    log p = -(n log(2 pi) + log|V| + r'inv(V)r) / 2

is the joint predictive density (Gneiting & Raftery 2007, the logarithmic score). Random effects are integrated out, those of
crossed groups that other rows are in as well; parameters count as known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.fixed.columns import rows_of_X
from sparsemixed.design.fixed.estimable import not_estimable
from sparsemixed.errors import DataError
from sparsemixed.estimation.fit import Fit
from sparsemixed.lapack import solve_triangular
from sparsemixed.postestimation.row_covariance import RowCovariance, connected, of_rows, of_sample


@dataclass(frozen=True)
class CrossValidated:
    """Scores of held-out groups.

    Attributes
    ----------
    folds : DataFrame
        One row for each fold: groups, rows, rmse, log_score (the sum over its groups), converged.
    groups : DataFrame
        One row for each group: fold, rows, rmse, log_density.
    predictions : DataFrame
        One row for each row that was held out, by its position in the data: fold, y, predicted, std (of the marginal predictive
        distribution of this row alone).
    by, model : str
    """

    folds: pd.DataFrame
    groups: pd.DataFrame
    predictions: pd.DataFrame
    by: str
    model: str

    @property
    def log_score(self) -> float:
        """Sum of the groups' log predictive densities; higher is better."""
        return float(self.groups["log_density"].to_numpy(dtype=float).sum())

    @property
    def rmse(self) -> float:
        """Root mean squared error of the predictions from the fixed part, over all rows."""
        return root_mean_square(self.predictions)


def root_mean_square(predictions: pd.DataFrame) -> float:
    """Of the differences between the columns y and predicted."""
    error = predictions["y"].to_numpy(dtype=float) - predictions["predicted"].to_numpy(dtype=float)
    return float(np.sqrt(np.mean(error**2)))


def held_out(fit: Fit, frame: Frame, by: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Densities of the groups of `by` (columns rows, rmse, log_density), and predictions of rows (y, predicted, std).

    Parameters
    ----------
    fit : Fit
    frame : Frame
        Rows without missing values that were not in the sample.
    by : str
        A column; its groups are held out together.

    Raises
    ------
    DataError
        Levels or cells of covariates that the sample did not have.
    """
    rows = Rows(frame, np.arange(frame.n_rows))
    X = rows_of_X(fit.design.columns, fit.design.levels, fit.spec, rows)
    unknown = not_estimable(fit.design, fit.spec, rows, X)
    if any(here.any() for here in unknown.values()):
        raise DataError(f"the rest of the data does not tell the coefficient of {', '.join(unknown)}")
    covariance = of_rows(fit, rows, known=False)
    y, predicted = rows.numbers(fit.spec.response, use="response"), X @ fit.beta
    codes, labels = rows.distinct(by)
    found, variances = [], np.empty(rows.n)
    for code in range(len(labels)):
        own = np.flatnonzero(codes == code)
        density, variances[own] = _density(covariance, own, y[own] - predicted[own])
        found.append((len(own), float(np.sqrt(np.mean((y[own] - predicted[own]) ** 2))), density))
    groups = pd.DataFrame(found, index=pd.Index(list(labels), name=by), columns=["rows", "rmse", "log_density"])
    return groups, pd.DataFrame({"y": y, "predicted": predicted, "std": np.sqrt(variances)})


def _density(covariance: RowCovariance, rows: np.ndarray, residual: np.ndarray) -> tuple[float, np.ndarray]:
    """log p of one group's rows, and their variances (l,)."""
    V = covariance.of(rows)
    try:
        L = np.linalg.cholesky(V)
    except np.linalg.LinAlgError:
        raise DataError("the predictive covariance of a held-out group is singular: the residual variance is zero") from None
    white = solve_triangular(L, residual, lower=True)
    logs = len(rows) * np.log(2.0 * np.pi) + 2.0 * np.log(np.diag(L)).sum()
    return float(-0.5 * (logs + white @ white)), np.diag(V)


def predictive_std(fit: Fit, rows: Rows, given: bool = True) -> np.ndarray:
    """(m,) standard deviation of a new response in rows of other data, given the responses of the sample or (marginal) not.

    Var(z'b + e | y) = z'Gz + sigma2 R_ii - c'inv(V)c with c = Cov(y, z'b) and V = Var(y), at the fitted parameters: the effects
    of groups that the fit knows are known as well as their rows tell, those of new groups not at all. An error is taken as
    independent of those of the sample. V is that of the rows which share groups, directly or through others.

    Raises
    ------
    DataError
        More than `row_covariance.MOST_ROWS` rows share groups, as with crossed effects in large data.
    """
    new = of_rows(fit, rows, known=True)
    variances = new.error_variances()
    for columns, G in zip(new.columns, new.G, strict=True):
        variances = variances + np.einsum("ij,jk,ik->i", columns, G, columns)
    if not given or not fit.design.random:
        return np.sqrt(variances)
    sample = of_sample(fit)
    parts = connected(sample)
    places = [
        np.where(codes >= 0, _first_part(own, parts)[np.maximum(codes, 0)], -1)
        for codes, own in zip(new.codes, sample.codes, strict=True)
    ]
    for part in np.setdiff1d(np.concatenate(places), [-1]):
        own = np.flatnonzero(parts == part)
        here = np.flatnonzero(np.any([place == part for place in places], axis=0))
        L = np.linalg.cholesky(sample.of(own))
        for some in np.array_split(here, max(1, len(here) * len(own) // 1_000_000)):
            variances[some] -= np.sum(solve_triangular(L, _shared(sample, own, new, some), lower=True) ** 2, axis=0)
    return np.sqrt(np.maximum(variances, 0.0))


def _shared(sample: RowCovariance, own: np.ndarray, new: RowCovariance, here: np.ndarray) -> np.ndarray:
    """Cov(y, z'b) (l, m) of rows of the sample with the random part of new ones."""
    total = np.zeros((len(own), len(here)))
    for t, G in enumerate(sample.G):
        same = sample.codes[t][own][:, None] == new.codes[t][here]
        total += np.where(same, sample.columns[t][own] @ G @ new.columns[t][here].T, 0.0)
    return total


def _first_part(codes: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """(J,) the part that each group is in."""
    found = np.zeros(int(codes.max()) + 1, dtype=np.int64)
    found[codes] = parts
    return found
