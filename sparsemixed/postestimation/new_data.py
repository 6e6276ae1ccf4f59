"""Predictions for new data: the fixed part, and with the predicted effects of the groups that the model knows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.build import rows_of_X
from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.fixed.estimable import not_estimable
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.design.new_rows import MISSING, new_rows
from sparsemixed.design.sample import check_known, offset_values
from sparsemixed.errors import NotAvailableError, NotEstimableWarning, warn
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.vce import standard_errors
from sparsemixed.postestimation.prediction.new_groups import drawn_effects, refuse_new_groups
from sparsemixed.postestimation.prediction.request import Request, terms_at

WHAT = ("xb", "stdp", "fitted")


def predict_new(fit: Fit, data: Any, asked: Request) -> pd.Series:
    """Predictions (m,) for the m rows of new data.

    Parameters
    ----------
    fit : Fit
    data : DataFrame or path
        With the variables of the fixed part, and for `fitted` with those of the random part; never the response.
    asked : Request
        Its `what` is xb, stdp or fitted. `new_levels` is what becomes of rows in groups that were not in the sample: effects of
        zero, which is what is expected of them, effects drawn from their distribution, or an error that names them.

    Returns
    -------
    Series
        NaN where a variable is missing, and, with a `NotEstimableWarning`, in cells that had no observations and wherever else
        the sample does not determine the fixed part. It has the index of a pandas frame.

    Raises
    ------
    OptionError
    CommandError
        A variable is not in the data.
    DataError
        New levels of categorical covariates; new groups, if they are to be errors.
    """
    if asked.what not in WHAT:
        raise NotAvailableError(f"predict(what={asked.what!r}) on new data is not available yet; {', '.join(WHAT)} are")
    frame = model_frame(fit.spec, data)
    return pd.Series(predicted_values(fit, frame, asked), index=index_of(data), name=asked.what)


def index_of(data: Any) -> pd.Index | None:
    """The index that predictions for data have."""
    return data.index if isinstance(data, pd.DataFrame) else None


def predicted_values(fit: Fit, frame: Frame, asked: Request) -> np.ndarray:
    """(m,) predictions for the rows of a frame; see `predict_new`."""
    X = rows_of_X(fit.design, fit.spec, frame)
    rows = Rows(frame, np.arange(frame.n_rows))
    values = standard_errors(fit, X) if asked.what == "stdp" else X @ fit.beta + _offset(fit, rows)
    values[_unknown(fit, rows, X)] = np.nan
    if asked.what == "fitted":
        rng = np.random.default_rng(asked.seed)
        for position in terms_at(fit, asked.relevel):
            values = values + _effects(fit, position, rows, asked.new_levels, rng)
    return values


def _offset(fit: Fit, rows: Rows) -> np.ndarray | float:
    """(m,) what the fixed part has without a coefficient."""
    check_known(rows.frame, fit.spec.offsets, fit.spec)
    offset = offset_values(fit.spec, rows)
    return 0.0 if offset is None else offset


def _unknown(fit: Fit, rows: Rows, X: np.ndarray) -> np.ndarray:
    """(m,) bool: rows that the sample says nothing about, with a warning that names why."""
    found = not_estimable(fit.design, fit.spec, rows, X)
    unknown = np.zeros(rows.n, dtype=bool)
    for here in found.values():
        unknown |= here
    unknown &= ~np.isnan(X).any(axis=1)
    if unknown.any():
        names = ", ".join(list(found)[:5]) + (", ..." if len(found) > 5 else "")
        count = "1 row is" if unknown.sum() == 1 else f"{unknown.sum():,} rows are"
        warn(f"{count} not predicted: the sample does not tell the coefficient of {names} there", NotEstimableWarning)
    return unknown


def _effects(fit: Fit, position: int, rows: Rows, new_levels: str, rng: np.random.Generator) -> np.ndarray:
    """What one random term adds to each row, (m,)."""
    term, u = fit.design.random[position], fit.u[position]
    found = new_rows(term, fit.design, fit.spec, rows)
    if new_levels == "error":
        refuse_new_groups(term, rows, found.codes)
    known = found.codes >= 0
    total = np.where(found.codes == MISSING, np.nan, 0.0)
    total[known] = np.einsum("ij,ij->i", found.columns[known], u[found.codes[known]])
    return total + drawn_effects(fit, position, rows, found.codes, found.columns, rng) if new_levels == "draw" else total
