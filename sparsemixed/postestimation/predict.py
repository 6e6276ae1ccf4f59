"""Predictions for the rows of the estimation sample, or for new data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.values import RandomTerm
from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.vce import standard_errors
from sparsemixed.postestimation.new_data import predict_new
from sparsemixed.postestimation.random_effects import effect_names
from sparsemixed.postestimation.scores import parameter_scores


def predict(fit: Fit, data: Any, what: str, new_levels: str = "population") -> pd.Series | pd.DataFrame:
    """Predictions, one row per observation.

    Parameters
    ----------
    fit : Fit
    data : DataFrame, path or None
        New data for `xb`, `stdp` and `fitted` (see `postestimation.new_data`); None means the estimation sample.
    what : {"xb", "stdp", "fitted", "residuals", "reffects", "reses", "scores"}
    new_levels : {"population", "error"}
        For `fitted` on new data.

    Returns
    -------
    Series or DataFrame
        A frame for `reffects` and `reses`, one column per random effect. In the sample the index is that of the frame in the
        rows used, or their positions for data without an index; only `scores` has one row per cluster instead (see
        `postestimation.scores`).
    """
    if what not in WHAT:
        if what == "rstandard":
            raise NotAvailableError(f"predict(what={what!r}) is not available yet")
        raise OptionError(f"predict: unknown what={what!r}; it is one of {', '.join(WHAT)}")
    if data is None:
        return WHAT[what](fit)
    return predict_new(fit, data, what, new_levels)


def _xb(fit: Fit) -> np.ndarray:
    """Fixed part, its offset included."""
    xb = fit.design.X @ fit.beta
    return xb if fit.design.offset is None else xb + fit.design.offset


def _fitted(fit: Fit) -> np.ndarray:
    """Fixed part plus the predicted random effects of every level."""
    return _xb(fit) + _random(fit)


def _residuals(fit: Fit) -> np.ndarray:
    return fit.design.y - fit.design.X @ fit.beta - _random(fit)


def _random(fit: Fit) -> np.ndarray:
    total = np.zeros(fit.design.n_rows)
    for term, u in zip(fit.design.random, fit.u, strict=True):
        total = total + np.einsum("ij,ij->i", term.columns, u[term.codes])
    return total


def _series(name: str, values: Callable[[Fit], np.ndarray]) -> Callable[[Fit], pd.Series]:
    return lambda fit: pd.Series(values(fit), index=fit.design.row_index, name=name)


def _effects(fit: Fit, standard_errors: bool) -> pd.DataFrame:
    """The random effects that act in each row; a factor's levels share one column."""
    pieces = []
    for term, u, u_var in zip(fit.design.random, fit.u, fit.u_var, strict=True):
        values = np.sqrt(np.clip(np.diagonal(u_var, axis1=1, axis2=2), 0.0, None)) if standard_errors else u
        pieces.append(_term_effects(term, values))
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


WHAT: dict[str, Callable[[Fit], Any]] = {
    "xb": _series("xb", _xb),
    "stdp": _series("stdp", lambda fit: standard_errors(fit, fit.design.X)),
    "fitted": _series("fitted", _fitted),
    "residuals": _series("residuals", _residuals),
    "reffects": lambda fit: _effects(fit, standard_errors=False),
    "reses": lambda fit: _effects(fit, standard_errors=True),
    "scores": parameter_scores,
}
"""What can be predicted for the rows of the sample."""
