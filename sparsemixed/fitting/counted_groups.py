"""A prepared model in which the groups that hold all others occur any number of times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.data.codes import first_rows
from sparsemixed.design.subset import determines_coefficients
from sparsemixed.design.values import Clusters, Design
from sparsemixed.errors import DataError
from sparsemixed.estimation.sources.responses import Responses, responses
from sparsemixed.resampling.copies import copied_clusters, copy_numbers
from sparsemixed.resampling.group_fits import LEFT_OPEN
from sparsemixed.resampling.top_groups import levels, nested, top_groups

COMMAND = "weights of a prepared model"


def counted(model: Responses, weights: Any) -> tuple[Responses, np.ndarray]:
    """The model with every top group as often as its weight says, the copies sharing nothing, and the rows (m,) it has.

    Raises
    ------
    OptionError
        The groups are crossed, or there is one alone.
    DataError
        Not one whole number, zero or more, for each group; the groups that are left do not determine the coefficients.
    """
    codes, number = top_groups(model.design, COMMAND, "draw its levels by bootstrap(kind='pigeonhole') of a fit")
    counts = _counts(weights, model.design, codes, number)[codes]
    rows = np.repeat(np.arange(len(counts)), counts)
    design = copied_clusters(model.design, counts)
    if len(rows) == 0 or not determines_coefficients(design):
        raise DataError(f"{COMMAND}: {LEFT_OPEN}")
    clusters = _clusters(model.design, codes, counts, rows)
    return responses(model.spec, replace(design, clusters=clusters)), rows


def _clusters(design: Design, codes: np.ndarray, counts: np.ndarray, rows: np.ndarray) -> Clusters | None:
    """Those of robust standard errors: copies of a group are clusters of their own where groups are, else in the same one."""
    if design.clusters is None:
        return None
    before = design.clusters
    own = before.codes[rows].astype(np.int64)
    if nested(before.codes, codes):
        own += before.n_clusters * copy_numbers(counts)
    found, places = np.unique(own, return_inverse=True)
    of = found % before.n_clusters
    frequency = None if before.frequency is None else before.frequency[of]
    return Clusters(places.astype(np.int32), len(found), before.name, before.labels.iloc[of].reset_index(drop=True), frequency)


def _counts(weights: Any, design: Design, codes: np.ndarray, number: int) -> np.ndarray:
    values = weights
    if isinstance(weights, pd.Series):
        values = _by_label(weights, design, codes, number)
    try:
        found = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{COMMAND} are to be numbers, one for each of the {number} groups") from None
    if found.shape != (number,):
        raise DataError(
            f"{COMMAND} are to be one for each of the {number} groups that hold all others; found shape {found.shape}"
        )
    if not np.all((found >= 0) & (found == np.rint(found)) & (found < 2**31)):
        raise DataError(f"{COMMAND} say how often each group occurs: whole numbers, zero or more")
    return found.astype(np.int64)


def _by_label(weights: pd.Series, design: Design, codes: np.ndarray, number: int) -> np.ndarray:
    """The weight of every group by its label."""
    labels = _labels(design, codes, number)
    if not weights.index.is_unique or not labels.isin(weights.index).all() or len(weights) != number:
        raise DataError(f"{COMMAND} are a Series whose index does not name each of the {number} groups once")
    return weights.loc[labels].to_numpy()


def _labels(design: Design, codes: np.ndarray, number: int) -> pd.Index:
    """What the top groups are called; rows by their index in the data."""
    named = [(term.codes, term.labels) for term in design.random]
    if design.residual is not None and design.residual.labels is not None:
        named.append((design.residual.codes, design.residual.labels))
    for own, labels in named:
        if np.array_equal(own, codes):
            return pd.Index(labels.iloc[:, 0]) if labels.shape[1] == 1 else pd.MultiIndex.from_frame(labels)
    assert not levels(design)
    return pd.RangeIndex(number) if design.index is None else design.index[first_rows(codes, number)]
