"""Predictions for the rows of the estimation sample, or for new data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.values import RandomTerm
from sparsemixed.errors import OptionError, suggestion
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.vce import standard_errors
from sparsemixed.postestimation.new_data import predict_new
from sparsemixed.postestimation.prediction.request import Request, terms_at
from sparsemixed.postestimation.prediction.sample_values import fixed_part, marginal_residuals, random_part
from sparsemixed.postestimation.random_effects import effect_names
from sparsemixed.postestimation.scores import parameter_scores


def predict(fit: Fit, data: Any, asked: Request) -> pd.Series | pd.DataFrame:
    """Predictions, one row per observation.

    Parameters
    ----------
    fit : Fit
    data : DataFrame, path or None
        New data for `xb`, `stdp` and `fitted` (see `postestimation.new_data`); None means the estimation sample.
    asked : Request

    Returns
    -------
    Series or DataFrame
        A frame for `reffects` and `reses`, one column per random effect, and where standard errors are asked for. In the sample
        the index is that of the frame in the rows used, or their positions for data without an index; only `scores` has one row
        per cluster instead (see `postestimation.scores`).
    """
    if not isinstance(asked.what, str) or asked.what not in WHAT:
        raise OptionError(
            f"predict: unknown what={asked.what!r}{suggestion(str(asked.what), WHAT)}; it is one of {', '.join(WHAT)}"
        )
    if asked.what == "response":
        from sparsemixed.postestimation.prediction.kriging import predict_responses  # delayed for a quick start

        return predict_responses(fit, data, asked)
    if asked.se:
        # Delayed, with what it needs, for a quick start.
        from sparsemixed.postestimation.prediction.uncertain import predict_with_errors

        return predict_with_errors(fit, data, asked)
    if data is not None:
        return predict_new(fit, data, asked)
    found = WHAT[asked.what](fit, asked)
    return pd.Series(found, index=fit.design.row_index, name=asked.what) if isinstance(found, np.ndarray) else found


def _fitted(fit: Fit, asked: Request) -> np.ndarray:
    """Fixed part plus the predicted random effects of every level, or of those down to one."""
    return fixed_part(fit) + random_part(fit, terms_at(fit, asked.relevel))


def _residuals(fit: Fit, asked: Request) -> np.ndarray:
    return marginal_residuals(fit) - random_part(fit, terms_at(fit, asked.relevel))


def _residual_kind(kind: str) -> Callable[[Fit, Request], np.ndarray]:
    """Residuals of one kind, of a file that few need."""

    def compute(fit: Fit, asked: Request) -> np.ndarray:
        from sparsemixed.postestimation.prediction.residuals import RESIDUALS  # delayed for a quick start

        return RESIDUALS[kind](fit, terms_at(fit, asked.relevel))

    return compute


def _effects(fit: Fit, asked: Request) -> pd.DataFrame:
    """The random effects that act in each row, or their standard errors; a factor's levels share one column."""
    variances = None
    if asked.what == "reses":
        from sparsemixed.postestimation.prediction.effect_errors import effect_variances  # delayed for a quick start

        variances = effect_variances(fit, asked.coefficients)
    pieces = []
    for t in terms_at(fit, asked.relevel, alone=True):
        values = fit.u[t] if variances is None else np.sqrt(variances[t])
        pieces.append(_term_effects(fit.design.random[t], values))
    index = fit.design.row_index
    if not pieces:
        return pd.DataFrame(index=index)
    frame = pd.concat(pieces, axis=1)
    frame.index = index
    return frame


def _term_effects(term: RandomTerm, values: np.ndarray) -> pd.DataFrame:
    """(n, effects) frame with columns (equation, effect)."""
    equation = term.blocks[0].equation
    if term.members is not None:
        # The columns are indicators of the factor's levels, so the product picks the effect of the row's own level.
        own = np.einsum("ij,ij->i", term.columns, values[term.codes])
        return pd.DataFrame({(equation, f"R.{term.blocks[0].factor}"): own})
    columns = pd.MultiIndex.from_tuples([(equation, name) for name in effect_names(term)])
    return pd.DataFrame(values[term.codes], columns=columns)


WHAT: dict[str, Callable[[Fit, Request], Any]] = {
    "xb": lambda fit, _: fixed_part(fit),
    "stdp": lambda fit, _: standard_errors(fit, fit.design.X),
    "fitted": _fitted,
    "response": _fitted,
    "residuals": _residuals,
    "rstandard": _residual_kind("rstandard"),
    "marginal": _residual_kind("marginal"),
    "scaled": _residual_kind("scaled"),
    "studentized": _residual_kind("studentized"),
    "quantile": _residual_kind("quantile"),
    "reffects": _effects,
    "reses": _effects,
    "scores": lambda fit, _: parameter_scores(fit),
}
"""What can be predicted for the rows of the sample."""
