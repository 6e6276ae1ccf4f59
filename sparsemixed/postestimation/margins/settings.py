"""What a margin sets variables to, and the row of the fixed part that this makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sparsemixed.design.data.rows import Level
from sparsemixed.design.values import Design
from sparsemixed.postestimation.margins.cell_means import Averages, Part, column_parts, offset_parts
from sparsemixed.spec import ModelSpec


@dataclass(frozen=True)
class Setting:
    """What some variables are set to; all others stay as observed.

    Attributes
    ----------
    values : dict
        Covariate -> number.
    shares : dict
        Factor -> {level: weight}; one level of weight 1, or several that add up to 1.
    texts : dict
        Variable -> how its value is described, `(mean)`, `(asbalanced)`; empty for plain values.
    reweighted : frozenset of str
        Balanced factors whose cells without observations leave their weight to the other cells of the same term.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, Mapping[Level, float]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    reweighted: frozenset[str] = frozenset()

    def merged(self, later: Setting) -> Setting:
        """Both, the later one where they differ."""
        texts = {name: text for name, text in self.texts.items() if not later.sets(name)}
        kept = {name for name in self.reweighted if not later.sets(name)}
        return Setting(
            {**self.values, **later.values},
            {**self.shares, **later.shares},
            {**texts, **later.texts},
            frozenset(kept) | later.reweighted,
        )

    def without(self, names: Sequence[str]) -> Setting:
        """The same with some variables as observed."""
        values = {name: value for name, value in self.values.items() if name not in names}
        shares = {name: own for name, own in self.shares.items() if name not in names}
        texts = {name: text for name, text in self.texts.items() if name not in names}
        return Setting(values, shares, texts, self.reweighted - set(names))

    def at_level(self, variable: str, level: Level) -> Setting:
        """The same with a factor at one level."""
        return Setting(self.values, {**self.shares, variable: {level: 1.0}}, self.texts, self.reweighted - {variable})

    def sets(self, variable: str) -> bool:
        """Whether a variable is no longer as observed."""
        return variable in self.values or variable in self.shares


@dataclass(frozen=True)
class Product:
    """What settings leave of a column: a number times the product of what stays as observed."""

    weight: float
    rest: tuple[Part, ...]


class FixedRows:
    """Makes rows over all columns of a design's fixed part, offsets as last columns: means of X after settings.

    Parameters
    ----------
    design, spec : Design, ModelSpec
    """

    def __init__(self, design: Design, spec: ModelSpec):
        self.columns = [*column_parts(design, spec), *offset_parts(spec)]
        self.variables = tuple(dict.fromkeys(v for parts in self.columns for v, _ in parts))
        status = np.array([column.status for column in design.columns])
        self._n = len(status)
        self._estimated = np.flatnonzero(status == "estimated")
        self._empty = np.flatnonzero(status == "empty")
        self._collinear = [(place, combination) for place, combination in sorted(design.combinations.items())]
        self._terms = [column.term for column in design.columns]

    def margin(self, setting: Setting, averages: Averages, cells: Averages | None = None) -> np.ndarray:
        """(columns,) means of all columns, base cells' included; `cells` says which cells occur, for reweighted factors."""
        return np.array([_mean(one, averages) for one in self.products(setting, cells)])

    def slope(
        self, variable: str, setting: Setting, averages: Averages, times: bool = False, cells: Averages | None = None
    ) -> np.ndarray:
        """(columns,) means of the columns' derivatives by a covariate; `times` multiplies by the covariate: x dX/dx."""
        return np.array([_mean(one, averages) for one in self.products(setting, cells, variable, times)])

    def products(self, setting: Setting, cells: Averages | None = None, variable: str = "", times: bool = False) -> list[Product]:
        """Each column after settings, or its derivative by a covariate, times the covariate if asked for."""
        out = []
        for i, parts in enumerate(self.columns):
            power = parts.count((variable, None)) if variable else 1
            left = list(parts)
            if variable and power and not times:
                left.remove((variable, None))
            out.append(self._product(i, left, float(power), setting, cells) if power else NOTHING)
        return out

    def _product(self, i: int, parts: Sequence[Part], weight: float, setting: Setting, cells: Averages | None) -> Product:
        rest, balanced = [], False
        for variable, level in parts:
            if level is None and variable in setting.values:
                weight *= setting.values[variable]
            elif level is not None and variable in setting.reweighted:
                balanced = True
            elif level is not None and variable in setting.shares:
                weight *= setting.shares[variable].get(level, 0.0)
            else:
                rest.append((variable, level))
            if weight == 0.0:
                return NOTHING
        return Product(weight * self._cell_share(i, setting, cells) if balanced else weight, tuple(rest))

    def _cell_share(self, i: int, setting: Setting, cells: Averages | None) -> float:
        """One over the number of its term's cells that occur and differ from a column's in reweighted factors alone."""
        assert cells is not None

        def apart(parts: Sequence[Part]) -> list[Part]:
            return [part for part in parts if part[0] not in setting.reweighted]

        own = [j for j in range(self._n) if self._terms[j] == self._terms[i]]
        alike = [j for j in own if apart(self.columns[j]) == apart(self.columns[i])]
        occur = [j for j in alike if cells.of([part for part in self.columns[j] if part[1] is not None]) > 0]
        return 1.0 / len(occur) if i in occur else 0.0

    def estimated(self, whole: np.ndarray) -> np.ndarray:
        """(..., p) the entries of rows (..., columns) that belong to estimated coefficients."""
        return whole[..., self._estimated]

    def offset(self, whole: np.ndarray) -> np.ndarray:
        """(...) what the offsets, whose coefficient is one, add to rows (..., columns)."""
        return whole[..., self._n :].sum(axis=-1)

    def coefficients(self, beta: np.ndarray) -> np.ndarray:
        """(columns,) of all columns: those estimated, ones of offsets, zeros."""
        out = np.zeros(len(self.columns))
        out[self._estimated], out[self._n :] = beta, 1.0
        return out

    def unknown(self, whole: np.ndarray) -> np.ndarray:
        """(..., u) what of rows (..., columns) falls on coefficients that the sample does not determine.

        Cells without observations, and collinear columns as far as they are not the combination that they were in the sample.
        """
        own = self.estimated(whole)
        apart = [whole[..., place] - own @ combination for place, combination in self._collinear]
        return np.concatenate([whole[..., self._empty], *(a[..., None] for a in apart)], axis=-1)


NOTHING = Product(0.0, ())


def _mean(one: Product, averages: Averages) -> float:
    return one.weight * averages.of(one.rest) if one.weight else 0.0
