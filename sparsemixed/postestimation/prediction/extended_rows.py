"""Rows of other data with numbers for the groups that the sample did not have, and their responses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.new_errors import known_error_groups, new_errors
from sparsemixed.design.new_rows import NEW
from sparsemixed.design.sample import adjusted_response, check_known
from sparsemixed.design.values import ResidualPart
from sparsemixed.errors import NotAvailableError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.prediction.new_groups import refuse_members
from sparsemixed.postestimation.prediction.predicted_rows import PredictedRows, new_error_variances, rows_of_frame


@dataclass(frozen=True)
class ExtendedRows:
    """m rows of other data.

    Attributes
    ----------
    rows : PredictedRows
        Codes of groups that the sample did not have follow those of the sample.
    labels : tuple of DataFrame
        The values that name the groups of each term, those of the sample first.
    residual : (m,) float64
        The response less its offset and x'beta_hat; NaN in rows that tell nothing, for want of a response or of anything else.
    errors : (m,) float64
        Variances of the errors.
    groups, times : (m,) int64, (m,) or (m, 2) float64
        Of the errors; groups are numbered among these rows.
    """

    rows: PredictedRows
    labels: tuple[pd.DataFrame, ...]
    residual: np.ndarray
    errors: np.ndarray
    groups: np.ndarray
    times: np.ndarray

    @property
    def told(self) -> np.ndarray:
        """(m,) bool: rows with a response and everything else."""
        return ~np.isnan(self.residual)


def extended_rows(fit: Fit, frame: Frame) -> ExtendedRows:
    """Rows of a frame that holds the response too.

    Raises
    ------
    CommandError
        A variable is not in the data.
    DataError
        New levels of covariates, of by(), or of times that are levels.
    NotAvailableError
        Effects that are correlated between the levels of `R.varname`; weights that replicate observations; rows of groups whose
        errors are correlated with those of the sample.
    """
    spec = fit.spec
    if spec.weights is not None and spec.weights.kind != "precision":
        raise NotAvailableError("predict: update is not available after weights that replicate observations")
    for term in fit.design.random:
        refuse_members(term)
    check_known(frame, (spec.response, *spec.offsets), spec)
    rows = Rows(frame, np.arange(frame.n_rows))
    found, labels = rows_of_frame(fit, frame), []
    codes = list(found.codes)
    for t, term in enumerate(fit.design.random):
        codes[t], new = _numbered(term.n_groups, tuple(map(str, term.labels.columns)), rows, codes[t])
        labels.append(pd.concat([term.labels, new], ignore_index=True) if len(new) else term.labels)
    residual = adjusted_response(spec, rows) - found.X @ fit.beta
    errors = new_error_variances(fit, frame)
    for own, columns in zip(codes, found.columns, strict=True):
        residual = np.where((own < 0) | np.isnan(columns).any(axis=1), np.nan, residual)
    residual = np.where(np.isnan(errors), np.nan, residual)
    groups, times = _errors(fit, frame, np.flatnonzero(~np.isnan(residual)))
    return ExtendedRows(replace(found, codes=tuple(codes)), tuple(labels), residual, errors, groups, times)


def _numbered(n_groups: int, variables: tuple[str, ...], rows: Rows, codes: np.ndarray) -> tuple[np.ndarray, pd.DataFrame]:
    """Codes (m,) with numbers for new groups, and the values that name those."""
    here = np.flatnonzero(codes == NEW)
    if not here.size:
        return codes, pd.DataFrame()
    groups, out = Groups(Rows(rows.frame, here)), codes.copy()
    out[here] = n_groups + groups.codes(variables)[0]
    return out, groups.labels(variables)


def _errors(fit: Fit, frame: Frame, told: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Groups (m,) and times of the errors; rows that tell nothing, and all with independent errors, are groups of their own."""
    part, m = fit.design.residual, frame.n_rows
    groups = np.arange(m)
    if part is None:
        return groups, np.zeros(m)
    rows = Rows(frame, told)
    found = new_errors(part, fit.spec, rows, Groups(rows))
    times = np.zeros((m, *found.t.shape[1:]))
    times[told] = found.t
    if part.structure.independent_rows:
        return groups, times
    _refuse_known(part, rows)
    groups = np.arange(m) + int(found.codes.max(initial=-1)) + 1
    groups[told] = found.codes
    return groups, times


def _refuse_known(part: ResidualPart, rows: Rows) -> None:
    """Raise where errors of these rows are correlated with errors of the sample."""
    if np.any(known_error_groups(part, rows) >= 0):
        assert part.labels is not None
        raise NotAvailableError(
            f"predict: errors of new rows of known groups of {' '.join(map(str, part.labels.columns))} are correlated with those "
            "of the sample, and their update is not available; give whole groups under new names, or fit the model again"
        )
