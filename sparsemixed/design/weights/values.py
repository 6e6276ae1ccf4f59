"""The value of each weight in every row, and which values a weight may have."""

from __future__ import annotations

import numpy as np

from sparsemixed.design.checks import changing_rows
from sparsemixed.design.data.codes import first_rows
from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.errors import DataError
from sparsemixed.spec import Weight, WeightSpec

WHOLE = 1e-9
"""A frequency this near (relatively) to a whole number is that number, computed with rounding."""


def weight_values(weights: WeightSpec, weight: Weight, frame: Frame) -> np.ndarray:
    """One weight in every row of the data, (n_rows,) float64, NaN where missing; its variables must be known.

    Raises
    ------
    DataError
        When it is no number.
    CommandError
        Operations on values of the wrong kind.
    """
    columns = {name: frame[name].for_expression() for name in weight.expression.variables}
    values = weight.expression.evaluate(columns, frame.n_rows)
    if values.dtype == object:
        raise DataError(f"the weight `{weight.text}` is text or dates, not numbers")
    if weights.kind == "frequency":
        whole = np.rint(values)
        values = np.where(np.abs(values - whole) <= WHOLE * np.abs(whole), whole, values)
    return values


def positively_weighted(weights: WeightSpec, values: list[np.ndarray], frame: Frame, kept: np.ndarray) -> np.ndarray:
    """The rows whose weights are all positive.

    Parameters
    ----------
    weights : WeightSpec
    values : list of (n_rows,) float64
        `weight_values` of `weights.each`, finite and not missing in the rows `kept`.
    frame : Frame
    kept : (m,) int64
        Positions of rows.

    Returns
    -------
    (n,) int64
        Those of `kept` without a zero weight; a group of weight zero loses all its rows.

    Raises
    ------
    DataError
        Negative weights, frequencies that are not whole numbers, weights of groups that vary within them, zeros only.
    """
    groups = Groups(Rows(frame, kept))
    positive = np.ones(len(kept), dtype=bool)
    for weight, every in zip(weights.each, values, strict=True):
        here = every[kept]
        _check_values(weights, weight, here, kept)
        if weight.grouping is not None:
            _check_constant(weight, here, groups)
        positive &= here > 0
    if not positive.any():
        shown = ", ".join(f"`{weight.text}`" for weight in weights.each)
        raise DataError(f"no observations: the weight {shown} is zero in all of the {len(kept)} rows; zero leaves a row out")
    return kept[positive]


def _check_values(weights: WeightSpec, weight: Weight, values: np.ndarray, kept: np.ndarray) -> None:
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        raise DataError(f"the weight `{weight.text}` is infinite in row {kept[infinite[0]] + 1} of the data")
    negative = np.flatnonzero(values < 0)
    if negative.size:
        first = negative[0]
        raise DataError(
            f"the weight `{weight.text}` is negative ({values[first]:g}) in row {kept[first] + 1} of the data; weights must be "
            "positive, and zero leaves a row out"
        )
    if weights.kind == "frequency":
        fractional = np.flatnonzero(values != np.rint(values))
        if fractional.size:
            first = fractional[0]
            raise DataError(
                f"the frequency weight `{weight.text}` is {values[first]:.10g} in row {kept[first] + 1} of the data; frequencies "
                "must be whole numbers; sampling weights are pweights, known precisions precision_weights="
            )


def _check_constant(weight: Weight, values: np.ndarray, groups: Groups) -> None:
    assert weight.grouping is not None
    codes, n_groups = groups.codes(weight.grouping)
    differs = changing_rows(values, codes, n_groups)
    if differs.size:
        bad = differs[np.argmin(codes[differs])]
        first = values[first_rows(codes, n_groups)]
        group = groups.labels(weight.grouping).iloc[codes[bad]]
        where = ", ".join(f"{name} = {group[name]}" for name in weight.grouping)
        raise DataError(
            f"the weight `{weight.text}` of the level {weight.label} must be constant within its groups; it is "
            f"{first[codes[bad]]:.10g} and {values[bad]:.10g} within {where}"
        )
