"""Rows of balanced margins: the linear prediction in every cell of some factors, averaged evenly over all others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from sparsemixed.design.fixed.terms import level_text
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.margins.settings import FixedRows


@dataclass(frozen=True)
class MarginRows:
    """Margins over the cells of some factors.

    Attributes
    ----------
    rows : (c, p) float64
        On the estimated coefficients.
    unknown : (c, u) float64
        On coefficients that the sample does not determine (see `FixedRows.unknown`); a contrast is estimable where they cancel.
    cells : tuple of tuple of str
        The levels of each cell, the last factor fastest.
    """

    rows: np.ndarray
    unknown: np.ndarray
    cells: tuple[tuple[str, ...], ...]


Shares = Callable[[Sequence[tuple[str, object]]], float]
"""The share of the rows in a cell of some factors."""


def margin_rows(fit: Fit, factors: tuple[str, ...], covariates: tuple[str, ...] = (), shares: Shares | None = None) -> MarginRows:
    """Margins of `factors`; with `covariates` those of the slope in their product, and otherwise covariates at zero.

    Other factors are averaged over evenly, or by the `shares` that their cells have in the sample.

    Raises
    ------
    OptionError
        If one of the factors is not a factor of the fixed part.
    """
    levels = {v: fit.design.levels[v] for v in factors if v in fit.design.levels}
    for variable in factors:
        if variable not in levels:
            known = ", ".join(fit.design.levels) or "none"
            raise OptionError(f"{variable} is not a factor of the fixed part; its factors are {known}")
    cells = list(product(*(levels[v] for v in factors)))
    named = [dict(zip(factors, cell, strict=True)) for cell in cells]
    weights = np.array([[_weight(fit, column, cell, covariates, shares) for column in fit.design.columns] for cell in named])
    weights = weights.reshape(len(cells), len(fit.design.columns))
    status = np.array([c.status for c in fit.design.columns])
    shown = tuple(tuple(level_text(level) for level in cell) for cell in cells)
    return MarginRows(weights[:, status == "estimated"], FixedRows(fit.design, fit.spec).unknown(weights), shown)


def _weight(fit: Fit, column, cell: dict, covariates: tuple[str, ...], shares: Shares | None) -> float:
    """How much of a column's coefficient is in the margin of a cell."""
    factors = fit.spec.fixed[column.term].factors if column.term >= 0 else ()
    weight, continuous, rest = 1.0, [], []
    for factor, value in zip(factors, column.cell, strict=True):
        if value is None:
            continuous.append(factor.variable)
        elif factor.variable in cell:
            weight *= float(cell[factor.variable] == value)
        else:
            rest.append((factor.variable, value))
    if weight and rest:
        weight *= 1.0 / np.prod([len(fit.design.levels[name]) for name, _ in rest]) if shares is None else shares(rest)
    return weight if sorted(continuous) == sorted(covariates) else 0.0
