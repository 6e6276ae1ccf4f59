"""Predictions with standard errors and limits, for the sample or for new data.

The variance of what is predicted for a row is that of x'beta_hat + z'b_hat against x'beta + z'b (`joint_errors`), plus z'Gz for
every term whose effect is asked for and whose group the sample did not have: all that is known of such an effect is its
distribution. A new observation adds its own error, and the effects that the prediction leaves out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.build import rows_of_X
from sparsemixed.design.data.frame import Frame
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.design.new_rows import MISSING, NEW
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.vce import standard_errors
from sparsemixed.inference.degrees.table import coefficient_covariance, method_of
from sparsemixed.inference.hypotheses.distributions import critical
from sparsemixed.postestimation.new_data import index_of, predicted_values
from sparsemixed.postestimation.prediction.joint_errors import joint_errors
from sparsemixed.postestimation.prediction.new_groups import refuse_members
from sparsemixed.postestimation.prediction.predicted_rows import (
    PredictedRows,
    new_error_variances,
    rows_of_frame,
    sample_error_variances,
    sample_rows,
)
from sparsemixed.postestimation.prediction.request import Request, terms_at
from sparsemixed.postestimation.prediction.row_errors import fitted_variances
from sparsemixed.postestimation.prediction.sample_values import fixed_part, random_part
from sparsemixed.postestimation.random_covariances import term_covariances

COLUMNS = ("predicted", "se", "low", "high")


def predict_with_errors(fit: Fit, data: Any, asked: Request) -> pd.DataFrame:
    """Predictions of `xb` or `fitted` with standard errors and limits, one row for each row of the data, the sample by default.

    Returns
    -------
    DataFrame
        Columns predicted, se, low, high. Standard errors are those of the mean in the group, or with `interval="prediction"` of a
        new observation there. Limits of `xb` are those of t with the fit's degrees of freedom, if it has them, others normal.

    Raises
    ------
    OptionError
        Robust standard errors, for anything but the coefficients' own part.
    DataError
        The fit was saved without its data, and without what was computed of them.
    """
    included = terms_at(fit, asked.relevel) if asked.what == "fitted" else ()
    if asked.what == "fitted" or asked.interval == "prediction":
        refuse_robust(fit, "fitted" if asked.what == "fitted" else "new observations")
    if data is None:
        predicted, index = fixed_part(fit) + (random_part(fit, included) if included else 0.0), fit.design.row_index
        rows, errors = sample_rows(fit), sample_error_variances(fit) if asked.interval == "prediction" else None
    else:
        frame = model_frame(fit.spec, data)
        predicted, index = predicted_values(fit, frame, asked), index_of(data)
        rows, errors = _new_rows(fit, frame, asked, included)
    variances, df = mean_variances(fit, rows, asked, included)
    if errors is not None:
        variances = variances + errors + _left_out(fit, rows, included)
        df = df if not fit.design.random and fit.design.residual is None else None
    return pd.DataFrame(dict(zip(COLUMNS, limits(predicted, variances, asked.level, df), strict=True)), index=index)


def limits(
    predicted: np.ndarray, variances: np.ndarray, level: float, df: np.ndarray | float | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Predictions (m,) with standard errors and limits; all missing where the prediction is."""
    se = np.where(np.isnan(predicted), np.nan, np.sqrt(variances))
    half = critical(level, df) * se
    return predicted, se, predicted - half, predicted + half


def refuse_robust(fit: Fit, what: str) -> None:
    """Raise for what rests on the model's covariance, where the fit does not."""
    if not fit.spec.vce.method.model_based:
        raise OptionError(
            f"predict: standard errors of {what} rest on the model's covariance, and this fit has vce({fit.spec.vce.name}); fit "
            "the model with vce(oim)"
        )


def _new_rows(fit: Fit, frame: Frame, asked: Request, included: tuple[int, ...]) -> tuple[PredictedRows, np.ndarray | None]:
    """The rows of a frame as the fit sees them, and the variances of their errors where those are asked for."""
    if asked.interval == "prediction":
        return rows_of_frame(fit, frame), new_error_variances(fit, frame)
    if included:
        return rows_of_frame(fit, frame), None
    X = rows_of_X(fit.design, fit.spec, frame)
    none = tuple(np.full(len(X), NEW) for _ in fit.design.random)
    return PredictedRows(X, none, tuple(np.zeros((len(X), term.k)) for term in fit.design.random)), None


def mean_variances(
    fit: Fit, rows: PredictedRows, asked: Request, included: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray | float | None]:
    """(m,) variances of the predicted means, and the degrees of freedom of their limits; None is normal."""
    if not included and asked.se != "corrected":
        return _fixed_variances(fit, rows.X)
    own = rows.only(included)
    total = fitted_variances(fit, joint_errors(fit), own)
    if asked.se == "corrected":
        from sparsemixed.postestimation.prediction.corrected import estimation_variances  # delayed: few need it

        total += estimation_variances(fit, own)
    for t, G in enumerate(term_covariances(fit)):
        if t in included:
            total[rows.codes[t] == MISSING] = np.nan
            if asked.new_levels != "draw":
                total += _unknown_effects(fit, rows, t, G)
    return total, None


def _unknown_effects(fit: Fit, rows: PredictedRows, t: int, G: np.ndarray) -> np.ndarray:
    """(m,) z'Gz of the rows whose group is new to a term, zero in others."""
    out, here = np.zeros(len(rows.X)), np.flatnonzero(rows.codes[t] == NEW)
    if here.size:
        refuse_members(fit.design.random[t])
        z = rows.columns[t][here]
        out[here] = np.einsum("ma,ab,mb->m", z, G, z)
    return out


def _left_out(fit: Fit, rows: PredictedRows, included: tuple[int, ...]) -> np.ndarray:
    """(m,) variances of the effects that a prediction leaves out, of groups of which nothing is said."""
    out = np.zeros(len(rows.X))
    for t, G in enumerate(term_covariances(fit)):
        if t not in included:
            z = rows.columns[t]
            if fit.design.random[t].members is not None:
                # Which of the levels acts is not said: all have the same variance.
                z = np.broadcast_to(np.eye(len(G))[0], (len(z), len(G)))
            out += np.einsum("ma,ab,mb->m", z, G, z)
    return out


def _fixed_variances(fit: Fit, X: np.ndarray) -> tuple[np.ndarray, np.ndarray | float | None]:
    """(m,) variances of x'beta_hat, with the covariance and the degrees of freedom of the fit's tests."""
    asked = fit.spec.small_sample
    if asked is None:
        return standard_errors(fit, X) ** 2, None
    covariance, method = coefficient_covariance(fit, asked), method_of(fit, asked)
    variances = np.maximum(np.einsum("mi,ij,mj->m", X, covariance, X), 0.0)
    complete = ~np.isnan(X).any(axis=1)
    distinct, place = np.unique(X[complete], axis=0, return_inverse=True)
    found = [method.dof(fit, x[None]).df if np.any(x) else None for x in distinct]
    df = np.full(len(X), np.nan)
    df[complete] = np.array([np.inf if one is None else one for one in found], dtype=float)[place.ravel()]
    return variances, df
