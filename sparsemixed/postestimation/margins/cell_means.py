"""Weighted means of products of the fixed part's variables, all that margins need to know of the rows.

Every column of X is a product of indicators and covariates. Where a margin sets some of its variables, the column's mean over the
rows is what they are set to times the mean of the rest, which is a product of fewer variables. One pass over the rows gives the
means of all such parts of all columns: a table over the cells of its factors for each set of variables. They add up over batches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from sparsemixed.design.data.rows import Level, Rows
from sparsemixed.design.values import Design
from sparsemixed.spec import ModelSpec

Part = tuple[str, Level | None]
"""A variable at one of its levels, or with None the variable's value: a factor of a product."""
Shape = tuple[tuple[str, ...], tuple[str, ...]]
"""Factors, and covariates with their multiplicity, both sorted: the products that one table holds."""


@dataclass(frozen=True)
class CellMeans:
    """Means of the product of some covariates times the indicator of each cell of some factors.

    Attributes
    ----------
    factors, covariates : tuple of str
        Sorted; a covariate stands as often as it is multiplied.
    values : (levels of the first factor, ...) float64
    """

    factors: tuple[str, ...]
    covariates: tuple[str, ...]
    values: np.ndarray


@dataclass(frozen=True)
class RowStatistics:
    """What margins need to know of the rows.

    Attributes
    ----------
    n : float
        Number of observations; frequency weights count.
    weight : float
        Sum of the weights.
    means : tuple of CellMeans
    percentiles : dict
        Covariate -> (101,) its minimum, 1st to 99th percentile and maximum; empty where rows came in batches.
    """

    n: float
    weight: float
    means: tuple[CellMeans, ...]
    percentiles: dict = field(default_factory=dict)


def column_parts(design: Design, spec: ModelSpec) -> list[tuple[Part, ...]]:
    """The factors of each of the design's columns; none for the constant."""
    factors = [spec.fixed[c.term].factors if c.term >= 0 else () for c in design.columns]
    return [
        tuple((factor.variable, level) for factor, level in zip(each, column.cell, strict=True))
        for each, column in zip(factors, design.columns, strict=True)
    ]


def offset_parts(spec: ModelSpec) -> list[tuple[Part, ...]]:
    """The offsets as columns, whose coefficient is one."""
    return [((name, None),) for name in spec.offsets]


def shape_of(parts: Iterable[Part]) -> Shape:
    """The table that holds a product."""
    parts = list(parts)
    factors = sorted({variable for variable, level in parts if level is not None})
    return tuple(factors), tuple(sorted(variable for variable, level in parts if level is None))


def needed_shapes(design: Design, spec: ModelSpec) -> list[Shape]:
    """The products that columns, their derivatives and all parts of both consist of."""
    whole = {shape_of(parts) for parts in (*column_parts(design, spec), *offset_parts(spec))}
    found: set[Shape] = set()
    for factors, covariates in whole:
        names = [*((name, True) for name in factors), *((name, False) for name in covariates)]
        for size in range(len(names) + 1):
            for chosen in combinations(names, size):
                own = (tuple(n for n, factor in chosen if factor), tuple(n for n, factor in chosen if not factor))
                found.add(own)
    return sorted(found)


def continuous_variables(design: Design, spec: ModelSpec) -> tuple[str, ...]:
    """Covariates of the fixed part, in the order of its columns, then its offsets."""
    columns = (*column_parts(design, spec), *offset_parts(spec))
    each = (variable for parts in columns for variable, level in parts if level is None)
    return tuple(dict.fromkeys(each))


class RowValues:
    """The variables of the fixed part in chosen rows, with the weights of the rows.

    Parameters
    ----------
    rows : Rows
    levels : mapping
        Factor -> its levels in the sample fitted.
    weights : (n,) float64 or None
    covariates : mapping, optional
        Covariate -> (n,) values in place of the data's.
    """

    def __init__(
        self,
        rows: Rows,
        levels: Mapping[str, tuple[Level, ...]],
        weights: np.ndarray | None = None,
        covariates: Mapping[str, np.ndarray] | None = None,
    ):
        self.rows, self.levels = rows, levels
        self.weights = weights
        self.covariates = dict(covariates or {})

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.rows.n

    def numbers(self, variable: str) -> np.ndarray:
        """(n,) values of a covariate."""
        return self.covariates[variable] if variable in self.covariates else self.rows.numbers(variable)

    def codes(self, variable: str) -> np.ndarray:
        """(n,) codes of a factor into its levels."""
        return self.rows.codes(variable, self.levels[variable])

    def replaced(self, covariates: Mapping[str, np.ndarray]) -> RowValues:
        """The same rows with other values of some covariates."""
        return RowValues(self.rows, self.levels, self.weights, {**self.covariates, **covariates})


def cell_totals(values: RowValues, shapes: Sequence[Shape], where: np.ndarray | None = None) -> list[np.ndarray]:
    """Weighted sums over the rows `where` (positions; all by default) of the products of each shape, one array each."""
    take = (lambda a: a) if where is None else (lambda a: a[where])
    n = values.n if where is None else len(where)
    weights = np.ones(n) if values.weights is None else take(values.weights)
    out = []
    for factors, covariates in shapes:
        product = weights
        for variable, power in Counter(covariates).items():
            own = take(values.numbers(variable))
            product = product * (own if power == 1 else own**power)
        sizes = tuple(len(values.levels[factor]) for factor in factors)
        if not factors:
            out.append(np.array(product.sum()))
            continue
        cell = np.zeros(n, dtype=np.int64)
        for factor, size in zip(factors, sizes, strict=True):
            cell = cell * size + take(values.codes(factor))
        out.append(np.bincount(cell, product, minlength=int(np.prod(sizes))).reshape(sizes))
    return out


def row_statistics(
    values: RowValues, shapes: Sequence[Shape], covariates: Sequence[str], frequency: bool, where: np.ndarray | None = None
) -> RowStatistics:
    """Means over rows in memory.

    Parameters
    ----------
    values : RowValues
    shapes : sequence of Shape
    covariates : sequence of str
        Those whose percentiles are kept.
    frequency : bool
        Whether weights count observations.
    where : (m,) int64, optional
        Positions of the rows; all by default.
    """
    totals = cell_totals(values, shapes, where)
    n = float(values.n if where is None else len(where))
    take = (lambda a: a) if where is None else (lambda a: a[where])
    weights = np.ones(int(n)) if values.weights is None else take(values.weights)
    weight = float(weights.sum())
    ranks = {variable: percentiles(take(values.numbers(variable)), weights) for variable in covariates}
    return of_totals(shapes, totals, weight if frequency else n, weight, ranks)


def of_totals(shapes: Sequence[Shape], totals: Sequence[np.ndarray], n: float, weight: float, ranks: dict) -> RowStatistics:
    """Means of sums."""
    means = tuple(CellMeans(f, c, total / weight) for (f, c), total in zip(shapes, totals, strict=True))
    return RowStatistics(n, weight, means, ranks)


def percentiles(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(101,) minimum, percentiles 1 to 99, maximum.

    The p-th is the first value below and at which more than the share p of the weights lies; where the share is p exactly, the
    mean of that value and the next (Stata's `summarize, detail`).

    Examples
    --------
    >>> percentiles(np.array([3.0, 1.0, 2.0, 4.0]), np.ones(4))[[0, 25, 50, 60, 100]]
    array([1. , 1.5, 2.5, 3. , 4. ])
    """
    order = np.argsort(values, kind="stable")
    ordered, below = values[order], np.cumsum(weights[order])
    wanted = below[-1] * np.arange(1, 100) / 100.0
    slack = below[-1] * 1e-12
    first = np.minimum(np.searchsorted(below, wanted + slack, side="right"), len(ordered) - 1)
    exact = np.searchsorted(below, wanted - slack, side="left")
    inner = np.where(exact < first, (ordered[np.minimum(exact, len(ordered) - 1)] + ordered[first]) / 2.0, ordered[first])
    return np.concatenate([ordered[:1], inner, ordered[-1:]])


class Averages:
    """The means of statistics, looked up by product."""

    def __init__(self, statistics: RowStatistics, levels: Mapping[str, tuple[Level, ...]]):
        self.statistics = statistics
        self._tables = {(table.factors, table.covariates): np.asarray(table.values) for table in statistics.means}
        self._place = {variable: {level: i for i, level in enumerate(own)} for variable, own in levels.items()}

    def of(self, parts: Sequence[Part]) -> float:
        """The mean of a product."""
        if not parts:
            return 1.0
        shape = shape_of(parts)
        level = {variable: value for variable, value in parts if value is not None}
        if any(value is not None and level[variable] != value for variable, value in parts):
            return 0.0  # two levels of one factor at once
        return float(self._tables[shape][tuple(self._place[name][level[name]] for name in shape[0])])

    def shares(self, variable: str) -> np.ndarray:
        """The shares of a factor's levels."""
        return self._tables[((variable,), ())]

    def mean(self, variable: str) -> float:
        """The mean of a covariate."""
        return float(self._tables[((), (variable,))])
