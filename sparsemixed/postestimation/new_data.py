"""Predictions for new data: the fixed part, and with the predicted effects of the groups that the model knows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.build import rows_of_X
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.fixed.estimable import not_estimable
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.design.new_rows import MISSING, NEW, new_rows
from sparsemixed.design.sample import check_known, offset_values
from sparsemixed.design.values import RandomTerm
from sparsemixed.errors import DataError, NotAvailableError, NotEstimableWarning, OptionError, warn
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.vce import standard_errors
from sparsemixed.postestimation.random_effects import term_name

WHAT = ("xb", "stdp", "fitted")
NEW_LEVELS = ("population", "error")


def predict_new(fit: Fit, data: Any, what: str, new_levels: str = "population") -> pd.Series:
    """Predictions (m,) for the m rows of new data.

    Parameters
    ----------
    fit : Fit
    data : DataFrame or path
        With the variables of the fixed part, and for `fitted` with those of the random part; never the response.
    what : {"xb", "stdp", "fitted"}
    new_levels : {"population", "error"}
        What becomes of rows in groups that were not in the sample: effects of zero, which is what is expected of them, or an
        error that names them.

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
    if what not in WHAT:
        raise NotAvailableError(f"predict(what={what!r}) on new data is not available yet; {', '.join(WHAT)} are")
    if new_levels not in NEW_LEVELS:
        raise OptionError(f"predict: new_levels={new_levels!r} is not one of {', '.join(NEW_LEVELS)}")
    frame = model_frame(fit.spec, data)
    X = rows_of_X(fit.design, fit.spec, frame)
    rows = Rows(frame, np.arange(frame.n_rows))
    values = standard_errors(fit, X) if what == "stdp" else X @ fit.beta + _offset(fit, rows)
    values[_unknown(fit, rows, X)] = np.nan
    if what == "fitted":
        for position in range(len(fit.design.random)):
            values = values + _effects(fit, position, rows, new_levels)
    return pd.Series(values, index=data.index if isinstance(data, pd.DataFrame) else None, name=what)


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


def _effects(fit: Fit, position: int, rows: Rows, new_levels: str) -> np.ndarray:
    """What one random term adds to each row, (m,)."""
    term, u = fit.design.random[position], fit.u[position]
    found = new_rows(term, fit.design, fit.spec, rows)
    new = found.codes == NEW
    if new_levels == "error" and new.any():
        raise DataError(_new_groups(term, rows, np.flatnonzero(new)))
    known = found.codes >= 0
    total = np.where(found.codes == MISSING, np.nan, 0.0)
    total[known] = np.einsum("ij,ij->i", found.columns[known], u[found.codes[known]])
    return total


def _new_groups(term: RandomTerm, rows: Rows, new: np.ndarray) -> str:
    variables = [*map(str, term.labels.columns), *([str(term.blocks[0].factor)] if term.members is not None else [])]
    keys = [[values[code] for code in codes[new]] for codes, values in map(rows.distinct, variables)]
    distinct = list(dict.fromkeys(" ".join(map(_text, key)) for key in zip(*keys, strict=True)))
    belong = "1 row belongs to a group" if len(new) == 1 else f"{len(new)} rows belong to groups"
    return (
        f"{belong} of {term_name(term)} that the sample did not have: {', '.join(distinct[:5])}"
        f'{", ..." if len(distinct) > 5 else ""}; new_levels="population" predicts without an effect of such groups'
    )


def _text(value: Any) -> str:
    """The value of one variable in a message: 2, not 2.0."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)
