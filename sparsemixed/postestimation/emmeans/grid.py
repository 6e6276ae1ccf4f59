"""The reference grid: what variables are set to, and rows of X averaged over its cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from sparsemixed.design.data.rows import Level
from sparsemixed.design.fixed.terms import find_level, level_text
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.margins.at_settings import FixedVariables
from sparsemixed.postestimation.margins.cell_means import Averages
from sparsemixed.postestimation.margins.sample import MarginSample
from sparsemixed.postestimation.margins.settings import FixedRows, Setting

LARGEST_GRID = 100_000
"""Cells."""
JOINT = ("proportional", "cells", "flat")
"""Weights that are not products over factors."""


class ReferenceGrid:
    """All combinations of the levels of factors, with covariates at their means or at given values.

    Parameters
    ----------
    fit : Fit
    sample : MarginSample
    at : mapping
        Variable -> the levels or values that the grid has.
    two_values : bool
        Whether covariates that `at` does not name have two values, one below and one above their mean, as tests of their slopes
        need.

    Attributes
    ----------
    levels : dict
        Variable -> its levels in the grid.
    factors, covariates : tuple of str
    """

    def __init__(self, fit: Fit, sample: MarginSample, at: Mapping[str, Sequence], two_values: bool = False):
        self.fit, self.sample = fit, sample
        self.variables, self.rows = FixedVariables(fit), FixedRows(fit.design, fit.spec)
        self.averages = Averages(sample.overall(), fit.design.levels)
        self.factors = tuple(self.variables.factors)
        self.covariates = tuple(name for name in self.variables.covariates if name not in self.factors)
        self.levels: dict[str, tuple] = dict(self.variables.factors)
        for name in self.covariates:
            mean = self.averages.mean(name)
            self.levels[name] = (mean - 1.0, mean + 1.0) if two_values else (mean,)
        self.given = tuple(at)
        for name, values in at.items():
            self._known(name, "at")
            self.levels[name] = self._values(name, values)

    def check(self, names: Sequence[str], command: str) -> None:
        """Refuse names that are no variables of the grid, and covariates with one value.

        Raises
        ------
        OptionError
        """
        for name in names:
            self._known(name, command)
            if name in self.covariates and len(self.levels[name]) < 2:
                raise OptionError(f"{command}: {name} is continuous; name its values by at={{'{name}': [...]}}")

    def _known(self, name: str, command: str) -> str:
        self.variables.check_free(name, command)
        if name not in self.levels:
            known = ", ".join(self.levels) or "none"
            raise OptionError(f"{command}: {name} is not a variable of the fixed part; its variables are {known}")
        return name

    def _values(self, name: str, values: Sequence) -> tuple:
        if not values:
            raise OptionError(f"at: {name} has no values")
        if name in self.covariates:
            wrong = next((v for v in values if isinstance(v, (bool, str)) or not np.isfinite(_number(v))), None)
            if wrong is not None:
                raise OptionError(f"at: {name} is continuous and takes numbers; found {wrong!r:.40}")
            return tuple(float(v) for v in values)
        found = []
        for value in values:
            level = find_level(value if isinstance(value, (int, float, str)) else str(value), self.variables.factors[name])
            if level is None:
                shown = ", ".join(map(level_text, self.variables.factors[name][:10]))
                raise OptionError(f"at: {value!r:.40} is no level of {name}; its levels in the sample are {shown}")
            found.append(level)
        return tuple(dict.fromkeys(found))

    # --- averages ------------------------------------------------------------------------------------------------------------

    def cells(self, names: Sequence[str]) -> list[tuple]:
        """The combinations of the levels of some variables, the last fastest."""
        count = int(np.prod([len(self.levels[name]) for name in names], dtype=float))
        if count > LARGEST_GRID:
            raise OptionError(
                f"the reference grid has {count:,} cells; at most {LARGEST_GRID:,} are taken: restrict levels by at="
            )
        return list(product(*(self.levels[name] for name in names)))

    def averaged(self, names: Sequence[str], weights: str, trend: str = "") -> np.ndarray:
        """(cells, columns) rows of X in the cells of some variables, averaged over all others; NaN where nothing has weight.

        Parameters
        ----------
        names : sequence of str
        weights : {"equal", "proportional", "outer", "cells", "flat"}
            Of the combinations of other factors; values of covariates have equal weights.
        trend : str
            Covariate by which rows are differentiated.
        """
        factors = [name for name in self.factors if name not in names]
        spread = [name for name in self.covariates if name not in names and len(self.levels[name]) > 1]
        fixed = {name: self.levels[name][0] for name in self.covariates if name not in names and name not in spread}
        cells = self.cells(names)
        inner = self._inner_settings(factors, weights)
        table = self._joint_weights(names, cells, factors, weights) if weights in JOINT and factors else np.ones((len(cells), 1))
        points = [Setting({**fixed, **dict(zip(spread, point, strict=True))}) for point in self.cells(spread)]
        out = np.full((len(cells), len(self.rows.columns)), np.nan)
        for row, cell, own in zip(out, cells, table, strict=True):
            if own.sum() <= 0:
                continue
            total = np.zeros(len(row))
            for weight, other in zip(own / own.sum(), inner, strict=True):
                if weight:
                    total += weight * np.mean([self._row(self._at(names, cell, p.merged(other)), trend) for p in points], axis=0)
            row[:] = total
        return out

    def _row(self, setting: Setting, trend: str) -> np.ndarray:
        return self.rows.slope(trend, setting, self.averages) if trend else self.rows.margin(setting, self.averages)

    def _at(self, names: Sequence[str], cell: tuple, setting: Setting) -> Setting:
        for name, value in zip(names, cell, strict=True):
            setting = setting.merged(Setting({name: value})) if name in self.covariates else setting.at_level(name, value)
        return setting

    def _inner_settings(self, factors: Sequence[str], weights: str) -> list[Setting]:
        """The other factors: all combinations, or one setting of shares where weights are products."""
        if weights in JOINT and factors:
            return [self._at(factors, cell, Setting()) for cell in self.cells(factors)]
        return [Setting({}, {name: self.shares(name, weights) for name in factors})]

    def shares(self, name: str, weights: str) -> dict[Level, float]:
        """The weights of a factor's levels where nothing else is looked at."""
        levels = self.levels[name]
        if weights in ("equal", "flat"):
            return dict.fromkeys(levels, 1.0 / len(levels))
        every = self.counts((name,))
        kept = np.array([every[self.variables.factors[name].index(level)] for level in levels])
        return dict(zip(levels, (kept / kept.sum()).tolist(), strict=True))

    def _joint_weights(self, names: Sequence[str], cells: Sequence[tuple], factors: Sequence[str], weights: str) -> np.ndarray:
        """(cells, combinations of other factors)."""
        own = [name for name in names if name in self.factors]
        counts = self.counts((*own, *factors))
        take = np.ix_(*([self.variables.factors[f].index(level) for level in self.levels[f]] for f in (*own, *factors)))
        counts = counts[take].reshape(int(np.prod([len(self.levels[f]) for f in own], dtype=int)), -1)
        if weights == "flat":
            counts = (counts > 0).astype(float)
        if weights == "proportional":
            counts = np.broadcast_to(counts.sum(axis=0), counts.shape)
        # Values of covariates do not change how often a cell was observed.
        places = {cell: i for i, cell in enumerate(self.cells(own))}
        return np.array([counts[places[tuple(v for n, v in zip(names, cell, strict=True) if n in own)]] for cell in cells])

    def counts(self, factors: Sequence[str]) -> np.ndarray:
        """Observations in the cells of factors, times their weights, by all levels of each."""
        values = self.sample.rows("weights")
        weights = self.fit.design.weights.rows if self.fit.design.weights is not None else values.weights
        if weights is None or len(weights) != values.n:
            weights = np.ones(values.n)
        sizes = [len(values.levels[name]) for name in factors]
        place = np.zeros(values.n, dtype=np.int64)
        for name, size in zip(factors, sizes, strict=True):
            place = place * size + values.codes(name)
        return np.bincount(place, weights, minlength=int(np.prod(sizes, dtype=int))).reshape(sizes)


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")
