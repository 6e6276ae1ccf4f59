"""What pictures of a fit are made from: the fit, its public methods, and the values of its variables in the rows used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.data.rows import Rows
from sparsemixed.design.fixed.terms import level_text
from sparsemixed.errors import DataError, OptionError, suggestion
from sparsemixed.estimation.fit import Fit


@dataclass(frozen=True)
class Subject:
    """A fit to be drawn.

    Attributes
    ----------
    results : object
        With the methods of `Results`.
    sample : function
        Without arguments, to the rows of the data that were used; raises `DataError` where the data are not known.
    table : function
        Without arguments, to these rows of the pandas frame that the model was fitted to; None where it was no such frame.
    """

    results: Any
    sample: Callable[[], Rows]
    table: Callable[[], pd.DataFrame | None]

    @property
    def fit(self) -> Fit:
        """The fit itself."""
        return self.results.fit

    @property
    def level(self) -> float:
        """Confidence level of the fit's tables, in per cent."""
        return self.fit.spec.display.level

    def numbers(self, name: str) -> np.ndarray:
        """(n,) values of a variable in the sample, from the design where it is a column of the fixed part.

        Raises
        ------
        OptionError
            There is no such variable.
        DataError
            It is not numeric, or the data are not known.
        """
        names = list(self.fit.design.names)
        if name in names:
            return self.fit.design.X[:, names.index(name)]
        try:
            rows = self.sample()
        except (DataError, OptionError) as error:
            raise type(error)(f"plot: `{name}` is no column of the fixed part, and {error}") from None
        if name not in rows.frame:
            raise OptionError(f"plot: there is no variable `{name}`{suggestion(name, rows.frame.names)}")
        return rows.numbers(name)


def value_label(fit: Fit, variable: str, level: Any) -> str | None:
    """The label that the data give a level, or None."""
    for value, label in fit.design.value_labels.get(variable, {}).items():
        if level_text(value) == level_text(level):
            return str(label)
    return None


def group_labels(fit: Fit, labels: pd.DataFrame, n: int) -> list[str]:
    """(n,) names of groups: the values that name them joined by colons, with the labels of the data."""
    if not len(labels.columns):
        return ["_all"] * n
    texts = []
    for name in labels.columns:
        known: Mapping[str, str] = {level_text(k): v for k, v in fit.design.value_labels.get(str(name), {}).items()}
        texts.append([known.get(text, text) for text in map(_text, labels[name].tolist())])
    return [":".join(map(str, row)) for row in zip(*texts, strict=True)]


def _text(value: Any) -> str:
    return level_text(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else str(value)
