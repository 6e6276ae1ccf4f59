"""New responses in known groups whose errors are correlated: what the group's own errors tell of the new one.

With R the covariance over sigma2 of the errors of a group's rows, r that with the new error and kappa = inv(R) r, the best
prediction is x'beta_hat + z'b_hat + kappa'e_hat, e_hat = y - X beta_hat - Zb_hat being those of the group's rows. The new error
less kappa'e is uncorrelated with everything observed, so that the prediction's error is that of the row (x - X'kappa, z -
Z'kappa) by `joint_errors`, and besides sigma2 (R_new - r'kappa). For independent errors kappa is zero (Goldberger 1962).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.design.new_errors import known_error_groups, new_errors
from sparsemixed.errors import NotAvailableError, NumericalError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.new_data import index_of, predicted_values
from sparsemixed.postestimation.prediction.predicted_rows import (
    PredictedRows,
    new_error_variances,
    rows_of_frame,
    sample_error_variances,
)
from sparsemixed.postestimation.prediction.request import Request
from sparsemixed.postestimation.prediction.sample_values import marginal_residuals, random_part
from sparsemixed.postestimation.prediction.uncertain import COLUMNS, limits, mean_variances, refuse_robust


@dataclass(frozen=True)
class Kriged:
    """What known groups tell of the errors of m rows: predicted errors (m,), variances (m,) of the rest, and rows less theirs."""

    errors: np.ndarray
    variances: np.ndarray
    rows: PredictedRows


def predict_responses(fit: Fit, data: Any, asked: Request) -> pd.Series | pd.DataFrame:
    """Best predictions of new responses, errors included.

    Raises
    ------
    OptionError
        Without new data; what `fitted` does not take; a confidence interval, which is one of `fitted`.
    NotAvailableError
        Weights that replicate observations; rows of a group within which a random effect changes.
    DataError
        The fit was saved without its data.
    """
    if data is None:
        raise OptionError("predict: response is for new data; those of the sample are known")
    if asked.se == "corrected":
        raise OptionError('predict: se="corrected" is for xb and fitted')
    frame = model_frame(fit.spec, data)
    mean = predicted_values(fit, frame, replace(asked, what="fitted"))
    kriged = krige(fit, frame, rows_of_frame(fit, frame))
    predicted = mean + kriged.errors
    if not asked.se:
        return pd.Series(predicted, index=index_of(data), name="response")
    refuse_robust(fit, "new observations")
    every = tuple(range(len(fit.design.random)))
    variances, _ = mean_variances(fit, kriged.rows, replace(asked, what="fitted"), every)
    return pd.DataFrame(
        dict(zip(COLUMNS, limits(predicted, variances + kriged.variances, asked.level), strict=True)), index_of(data)
    )


def krige(fit: Fit, frame: Frame, rows: PredictedRows) -> Kriged:
    """The errors of rows of new data, given those of the sample."""
    variances, errors = new_error_variances(fit, frame), np.zeros(len(rows.X))
    part = fit.design.residual
    if part is None or part.structure.independent_rows:
        return Kriged(errors, variances, rows)
    if fit.design.weights is not None and fit.design.weights.kind != "precision":
        raise NotAvailableError("predict: response is not available with weights that replicate observations")
    whole = np.flatnonzero(~np.isnan(variances))
    own = Rows(frame, whole)
    groups, times = known_error_groups(part, own), new_errors(part, fit.spec, own, Groups(own)).t
    observed = marginal_residuals(fit) - random_part(fit)
    spread, variance = sample_error_variances(fit), variances[whole]
    X, columns = rows.X.copy(), [z.copy() for z in rows.columns]
    order = np.argsort(part.codes, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(part.codes, minlength=part.n_groups))])
    for group in np.unique(groups[groups >= 0]):
        here, sample = np.flatnonzero(groups == group), order[start[group] : start[group + 1]]
        kappa, left = _weights(fit, times[here], variance[here], part.t[sample], spread[sample])
        place = whole[here]
        errors[place], variances[place] = kappa @ observed[sample], left
        X[place] -= kappa @ fit.design.X[sample]
        for t, term in enumerate(fit.design.random):
            _refuse_other_groups(fit, t, rows.codes[t][place], term.codes[sample])
            columns[t][place] -= kappa @ term.columns[sample]
    return Kriged(errors, variances, PredictedRows(X, rows.codes, tuple(columns)))


def _weights(
    fit: Fit, t: np.ndarray, variance: np.ndarray, times: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """kappa (m, n) for new errors at times t (m,) from n ones at `times`, and what is left of their variances (m,)."""
    part = fit.design.residual
    assert part is not None
    rho = fit.theta[len(fit.theta) - part.structure.n_rho :]
    kappa, left = np.empty((len(t), len(times))), np.empty(len(t))
    for i in range(len(t)):
        # One at a time: a structure whose times are levels knows no two rows at one time.
        both = part.structure.covariance(rho, np.concatenate([times, t[i : i + 1]]))
        scale = np.sqrt(np.append(spread, variance[i]) / np.diag(both))
        both = both * np.outer(scale, scale)
        try:
            kappa[i] = np.linalg.solve(both[:-1, :-1], both[:-1, -1])
        except np.linalg.LinAlgError as error:
            raise NumericalError("predict: the covariance of the errors of a group is singular") from error
        left[i] = max(both[-1, -1] - kappa[i] @ both[:-1, -1], 0.0)
    return kappa, left


def _refuse_other_groups(fit: Fit, t: int, new: np.ndarray, sample: np.ndarray) -> None:
    """Raise unless all rows, new ones and those of the group in the sample, share the group of a random term."""
    if np.any(new != sample[0]) or np.any(sample != sample[0]):
        name = fit.design.random[t].blocks[0].equation
        raise NotAvailableError(
            f"predict: response is not available where errors are correlated between groups of {name}, whose effects differ "
            "within a group of errors; fitted leaves the errors out"
        )
