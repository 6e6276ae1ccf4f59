"""Predictions and random effects given new responses, as data frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.errors import NoResponseWarning, OptionError, warn
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.new_data import index_of, predicted_values
from sparsemixed.postestimation.prediction.extended_rows import ExtendedRows, extended_rows
from sparsemixed.postestimation.prediction.new_groups import refuse_new_groups
from sparsemixed.postestimation.prediction.predicted_rows import all_rows
from sparsemixed.postestimation.prediction.prior import Prior
from sparsemixed.postestimation.prediction.request import Request, terms_at
from sparsemixed.postestimation.prediction.uncertain import COLUMNS, limits
from sparsemixed.postestimation.prediction.update import Component, Updated, design_rows, updated
from sparsemixed.postestimation.random_effects import effect_names, term_name


def predict_updated(fit: Fit, data: Any, asked: Request) -> pd.Series | pd.DataFrame:
    """`fitted` for the rows of new data, with the effects of their groups given the responses in the same rows.

    Raises
    ------
    OptionError
        Anything but `fitted`, draws, or a correction; without data.
    DataError
        New groups without a response, with `new_levels="error"`; see `update.updated`.
    """
    frame = model_frame(fit.spec, _checked(data, asked))
    fixed = predicted_values(fit, frame, Request("xb"))
    rows = extended_rows(fit, frame)
    found = updated(fit, rows)
    _tell(fit, rows, found, asked.new_levels, all_rows(frame))
    terms, prior = terms_at(fit, asked.relevel), Prior(fit)
    effects, variances = np.full(len(fixed), np.nan), np.full(len(fixed), np.nan)
    for component, own in _by_component(found):
        Z = design_rows(prior, component, rows, own)
        Z = _only(component, Z, terms)
        effects[own] = Z @ component.mean
        if asked.se:
            moved = rows.rows.X[own] @ prior.root - Z @ component.moves
            variances[own] = np.einsum("me,ef,mf->m", Z, component.covariance, Z) + np.sum(moved**2, axis=1)
    predicted, index = fixed + effects, index_of(data)
    if not asked.se:
        return pd.Series(predicted, index=index, name="fitted")
    variances = variances + (rows.errors if asked.interval == "prediction" else 0.0)
    found = limits(predicted, np.maximum(variances, 0.0), asked.level)
    return pd.DataFrame(dict(zip(COLUMNS, found, strict=True)), index=index)


def _checked(data: Any, asked: Request) -> Any:
    if data is None:
        raise OptionError("predict: update takes new data, with the responses of the groups to be updated")
    if asked.what != "fitted":
        raise OptionError(f"predict: update is for fitted, not for {asked.what}")
    if asked.new_levels == "draw" or asked.se == "corrected":
        other = 'new_levels="draw"' if asked.new_levels == "draw" else 'se="corrected"'
        raise OptionError(f"predict: update and {other} exclude each other")
    if asked.relevel is not None and asked.interval == "prediction":
        raise OptionError("predict: with update, intervals of new observations are those of all levels; leave relevel out")
    return data


def _only(component: Component, Z: np.ndarray, terms: tuple[int, ...]) -> np.ndarray:
    """Z with the effects of some terms alone."""
    stops = [*component.starts[1:], Z.shape[1]]
    out = np.zeros_like(Z)
    for t, (start, stop) in enumerate(zip(component.starts, stops, strict=True)):
        if t in terms:
            out[:, start:stop] = Z[:, start:stop]
    return out


def _by_component(found: Updated) -> list[tuple[Component, np.ndarray]]:
    """Every component with the positions of its rows."""
    order = np.argsort(found.of_row, kind="stable")
    order = order[found.of_row[order] >= 0]
    stops = np.flatnonzero(np.diff(found.of_row[order])) + 1
    return list(zip(found.components, np.split(order, stops), strict=False)) if order.size else []


def _tell(fit: Fit, data: ExtendedRows, found: Updated, new_levels: str, rows: Any) -> None:
    """Say which new groups gave no response, or refuse them."""
    silent = []
    for term, codes, responses in zip(fit.design.random, data.rows.codes, found.responses, strict=True):
        new = (codes >= term.n_groups) & (responses[np.maximum(codes, 0)] == 0)
        if new.any() and new_levels == "error":
            refuse_new_groups(term, rows, np.where(new, -1, 0))
        groups = len(np.unique(codes[new]))
        if groups:
            silent.append(f"{groups:,} of {term_name(term)}")
    if silent:
        warn(
            f"groups that the sample did not have gave no response and are predicted without an effect: {', '.join(silent)}",
            NoResponseWarning,
        )


def random_effects_for(fit: Fit, data: Any, coefficients: str | None = None) -> dict[str, pd.DataFrame]:
    """Predicted effects of the groups in new data, given its responses.

    Parameters
    ----------
    coefficients : {"known", "estimated"}, optional
        By default as of `reses`.

    Returns
    -------
    dict of str to DataFrame
        As `random_effects`, one row for each group that the data have, with further columns `se(EFFECT)` and `responses`.
    """
    if not fit.design.random:
        raise OptionError("random_effects_for: the model has no random effects")
    if coefficients not in (None, "known", "estimated"):
        raise OptionError(f"random_effects_for: coefficients={coefficients!r} is neither known nor estimated")
    estimated = (coefficients or ("estimated" if fit.spec.estimation.method == "reml" else "known")) == "estimated"
    frame = model_frame(fit.spec, data)
    rows = extended_rows(fit, frame)
    found, prior, out = updated(fit, rows), Prior(fit), {}
    _tell(fit, rows, found, "population", all_rows(frame))
    for t, term in enumerate(fit.design.random):
        key = term_name(term)
        if key in out:
            key = f"{key} ({', '.join(n for block in term.blocks for n in block.names)})"
        out[key] = _frame(fit, rows, found, prior, t, estimated)
    return out


def _frame(fit: Fit, rows: ExtendedRows, found: Updated, prior: Prior, t: int, estimated: bool) -> pd.DataFrame:
    """One row for each group of a term that the data have."""
    term = fit.design.random[t]
    groups, values, errors = [], [], []
    for component in found.components:
        own, k = component.groups[t], term.k
        start = component.starts[t]
        here = slice(start, start + len(own) * k)
        C = component.covariance[here, here].reshape(len(own), k, len(own), k)[np.arange(len(own)), :, np.arange(len(own))]
        D = component.moves[here].reshape(len(own), k, -1)
        C = C + D @ D.transpose(0, 2, 1) if estimated else C
        groups.append(own)
        values.append(prior.effects(t, component.mean[here].reshape(-1, k)))
        errors.append(np.sqrt(np.maximum(prior.effect_variances(t, C), 0.0)))
    every = np.concatenate([*groups, np.zeros(0, np.int64)])
    order = np.argsort(every, kind="stable")
    frame = rows.labels[t].iloc[every[order]].reset_index(drop=True)
    names = effect_names(term)
    for prefix, parts in (("", values), ("se", errors)):
        stacked = np.concatenate([*parts, np.zeros((0, term.k))])[order]
        for j, name in enumerate(names):
            frame.insert(len(frame.columns), f"se({name})" if prefix else name, stacked[:, j], allow_duplicates=True)
    frame["responses"] = found.responses[t][every[order]]
    return frame
