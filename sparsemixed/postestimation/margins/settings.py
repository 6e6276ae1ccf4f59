"""What a margin sets variables to, and the row of the fixed part that this makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sparsemixed.design.data.rows import Level
from sparsemixed.design.values import Design
from sparsemixed.postestimation.margins.cell_means import Averages, Part, column_parts
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
    """

    values: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, Mapping[Level, float]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def merged(self, later: Setting) -> Setting:
        """Both, the later one where they differ."""
        texts = {name: text for name, text in self.texts.items() if name not in later.values and name not in later.shares}
        return Setting({**self.values, **later.values}, {**self.shares, **later.shares}, {**texts, **later.texts})

    def at_level(self, variable: str, level: Level) -> Setting:
        """The same with a factor at one level."""
        return replace(self, shares={**self.shares, variable: {level: 1.0}})

    def sets(self, variable: str) -> bool:
        """Whether a variable is no longer as observed."""
        return variable in self.values or variable in self.shares


class FixedRows:
    """Makes rows over all columns of a design's fixed part: means of X after settings.

    Parameters
    ----------
    design, spec : Design, ModelSpec
    """

    def __init__(self, design: Design, spec: ModelSpec):
        self.columns = column_parts(design, spec)
        self.status = np.array([column.status for column in design.columns])
        self.variables = tuple(dict.fromkeys(v for parts in self.columns for v, _ in parts))
        self._estimated = np.flatnonzero(self.status == "estimated")
        self._empty = np.flatnonzero(self.status == "empty")
        self._collinear = [(place, combination) for place, combination in sorted(design.combinations.items())]

    def margin(self, setting: Setting, averages: Averages) -> np.ndarray:
        """(columns,) means of all columns, base cells' included."""
        return np.array([_mean(parts, setting, averages) for parts in self.columns])

    def slope(self, variable: str, setting: Setting, averages: Averages, times: bool = False) -> np.ndarray:
        """(columns,) means of the columns' derivatives by a covariate; `times` multiplies by the covariate: x dX/dx."""
        out = np.zeros(len(self.columns))
        for i, parts in enumerate(self.columns):
            power = parts.count((variable, None))
            if power:
                rest = list(parts)
                if not times:
                    rest.remove((variable, None))
                out[i] = power * _mean(rest, setting, averages)
        return out

    def estimated(self, whole: np.ndarray) -> np.ndarray:
        """(..., p) the entries of rows (..., columns) that belong to estimated coefficients."""
        return whole[..., self._estimated]

    def unknown(self, whole: np.ndarray) -> np.ndarray:
        """(..., u) what of rows (..., columns) falls on coefficients that the sample does not determine.

        Cells without observations, and collinear columns as far as they are not the combination that they were in the sample.
        """
        own = self.estimated(whole)
        apart = [whole[..., place] - own @ combination for place, combination in self._collinear]
        return np.concatenate([whole[..., self._empty], *(a[..., None] for a in apart)], axis=-1)


def _mean(parts: Sequence[Part], setting: Setting, averages: Averages) -> float:
    """The mean of a product whose variables are set, or as observed."""
    weight, rest = 1.0, []
    for variable, level in parts:
        if level is None and variable in setting.values:
            weight *= setting.values[variable]
        elif level is not None and variable in setting.shares:
            weight *= setting.shares[variable].get(level, 0.0)
        else:
            rest.append((variable, level))
        if weight == 0.0:
            return 0.0
    return weight * averages.of(rest)
