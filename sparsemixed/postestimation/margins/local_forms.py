"""Elasticities: means of what is not linear in the coefficients, with their derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.margins.cell_means import Averages, Part, RowValues
from sparsemixed.postestimation.margins.settings import FixedRows, Setting

if TYPE_CHECKING:
    from sparsemixed.postestimation.margins.sample import MarginSample

BLOCK = 16_384
"""Rows whose columns are made at a time."""


def elasticities(
    fit: Fit,
    rows: FixedRows,
    variable: str,
    setting: Setting,
    averages: Averages,
    kind: str,
    sample: MarginSample,
    where: np.ndarray | None,
) -> tuple[float, np.ndarray]:
    """Mean of d'b / x'b (eydx), times the variable itself (eyex), and its derivative by the coefficients (p,).

    With eta = x'b and the derivative row d of x, both in each row, J = mean of d / eta - (d'b) x / eta^2.
    """
    if all(setting.sets(name) for name in rows.variables):
        x = rows.estimated(rows.margin(setting, averages))[None]
        d = rows.estimated(rows.slope(variable, setting, averages, times=kind == "eyex"))[None]
        return _mean_ratio(x, d, fit.beta, np.ones(1), kind)
    values = sample.rows(f"{kind}() that averages over rows")
    places = np.arange(values.n) if where is None else where
    total, J, weight = 0.0, np.zeros(len(fit.beta)), 0.0
    for start in range(0, len(places), BLOCK):
        here = places[start : start + BLOCK]
        own = np.ones(len(here)) if values.weights is None else values.weights[here]
        x = rows.estimated(row_columns(rows.columns, values, setting, here))
        d = rows.estimated(row_columns(rows.columns, values, setting, here, variable, times=kind == "eyex"))
        mean, jacobian = _mean_ratio(x, d, fit.beta, own, kind)
        total, J, weight = total + mean * own.sum(), J + jacobian * own.sum(), weight + own.sum()
    return total / weight, J / weight


def _mean_ratio(x: np.ndarray, d: np.ndarray, beta: np.ndarray, weights: np.ndarray, kind: str) -> tuple[float, np.ndarray]:
    eta, slope = x @ beta, d @ beta
    if np.any(eta == 0):
        raise NumericalError(f"margins: {kind}() divides by the prediction, which is zero in some rows")
    share = weights / weights.sum()
    return float(share @ (slope / eta)), (share / eta) @ d - (share * slope / eta**2) @ x


def row_columns(
    columns: list[tuple[Part, ...]],
    values: RowValues,
    setting: Setting,
    where: np.ndarray,
    variable: str | None = None,
    times: bool = False,
) -> np.ndarray:
    """(m, columns) the fixed part's columns in some rows after settings, or their derivatives by a covariate."""
    own: dict[Part, np.ndarray | float] = {}

    def value(part: Part) -> np.ndarray | float:
        name, level = part
        if level is None:
            return setting.values[name] if name in setting.values else values.numbers(name)[where]
        if name in setting.shares:
            return setting.shares[name].get(level, 0.0)
        return (values.codes(name)[where] == values.levels[name].index(level)).astype(float)

    out = np.zeros((len(where), len(columns)))
    for i, parts in enumerate(columns):
        rest, factor = list(parts), 1
        if variable is not None:
            factor = rest.count((variable, None))
            if factor == 0:
                continue
            if not times:
                rest.remove((variable, None))
        product: np.ndarray | float = float(factor)
        for part in rest:
            if part not in own:
                own[part] = value(part)
            product = product * own[part]
        out[:, i] = product
    return out
