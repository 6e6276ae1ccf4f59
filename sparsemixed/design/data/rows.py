"""The values of chosen rows of the data: as numbers, or as levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.data.codes import compress
from sparsemixed.design.data.frame import Frame
from sparsemixed.design.data.variable import Variable
from sparsemixed.errors import DataError
from sparsemixed.exact_numbers import beyond_floats

Level = int | float | str


class Rows:
    """Some rows of a frame, each variable converted once.

    Parameters
    ----------
    frame : Frame
    kept : (n,) int64
        Positions of the rows.

    Attributes
    ----------
    columns : dict
        Columns of covariates that have been made of the rows; see `fixed.matrix.candidate_columns`.
    """

    def __init__(self, frame: Frame, kept: np.ndarray):
        self.frame, self.kept = frame, kept
        self.n = len(kept)
        # Taking every row needs no copy.
        self._all = self.n == frame.n_rows
        self._numbers: dict[str, np.ndarray] = {}
        self._numbered: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._distinct: dict[str, tuple[Any, ...]] = {}
        self.columns: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}

    def _take(self, values: np.ndarray) -> np.ndarray:
        return values if self._all else values[self.kept]

    @property
    def index(self) -> pd.Index | None:
        """The index of a pandas frame in these rows."""
        whole = self.frame.index
        if whole is None:
            return None
        return whole[:] if self._all else whole.take(self.kept)

    def missing(self, name: str) -> np.ndarray | None:
        """(n,) bool, or None when nothing is missing."""
        missing = self.frame[name].missing
        return None if missing is None else self._take(missing)

    def numbers(self, name: str, use: str = "covariate") -> np.ndarray:
        """Values as (n,) float64, NaN where missing.

        Raises
        ------
        DataError
            When the variable is not numeric; `use` ("covariate", "response") words the advice. Dates are numbers as covariates.
        """
        if name not in self._numbers:
            variable = self.frame[name]
            if not (variable.is_number if use == "response" else variable.counts_as_number):
                raise DataError(_not_numeric(variable, use))
            self._numbers[name] = self._take(variable.numbers())
        return self._numbers[name]

    def differences(self, name: str) -> np.ndarray:
        """Values as (n,) float64 from any zero, so that differences of whole ones beyond 2**53 keep their digits."""
        variable = self.frame[name]
        if variable.unit:
            return self._take(variable.differences())
        if variable.missing is None and variable.exact is None and beyond_floats(variable.values):
            unsigned = self._take(variable.values).astype(np.uint64)  # in which differences of int64 do not overflow
            return (unsigned - np.uint64(int(variable.values.min()) % 2**64)).astype(np.float64)
        return self.numbers(name)

    def numbered(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Codes (n,) int32 of the values, -1 where missing, and the `Variable.keys` that occur, in order."""
        if name not in self._numbered:
            variable, missing = self.frame[name], self.missing(name)
            values = self._take(variable.keys)
            if missing is None or not missing.any():
                codes, found = compress(values)
            else:
                codes = np.full(self.n, -1, dtype=np.int32)
                codes[~missing], found = compress(values[~missing])
            self._numbered[name] = codes, found
        return self._numbered[name]

    def distinct(self, name: str) -> tuple[np.ndarray, tuple[Any, ...]]:
        """Codes (n,) int32 of the values, -1 where missing, and the values that occur, in order."""
        codes, found = self.numbered(name)
        if name not in self._distinct:
            categories = self.frame[name].categories
            self._distinct[name] = tuple([categories[i] for i in found] if categories else found.tolist())
        return codes, self._distinct[name]

    def factor(self, name: str) -> tuple[np.ndarray, tuple[Level, ...]]:
        """As `distinct`, for a variable that is to be categorical.

        Raises
        ------
        DataError
            For dates, and for numbers that are negative or not whole, which make no level.
        """
        variable = self.frame[name]
        codes, levels = self.distinct(name)
        if variable.kind == "dates":
            raise DataError(f"variable `{name}` holds dates or times; convert it to numbers or text to use it as a factor")
        if variable.is_number:
            bad = next((level for level in levels if level < 0 or level != int(level)), None)
            if bad is not None:
                raise DataError(
                    f"the levels of a categorical variable must be nonnegative whole numbers or text; `{name}` has {bad:g}: "
                    f"recode it, or use c.{name} if it is continuous"
                )
            levels = tuple(int(level) for level in levels)
        return codes, levels

    def codes(self, name: str, levels: tuple[Level, ...]) -> np.ndarray:
        """Codes (n,) int32 into given levels, -1 where missing.

        Raises
        ------
        DataError
            When a row has a level that is not among them.
        """
        codes, own = self.factor(name)
        place = {level: position for position, level in enumerate(levels)}
        unseen = [level for level in own if level not in place]
        if unseen:
            shown = ", ".join(str(level) for level in unseen[:5]) + (", ..." if len(unseen) > 5 else "")
            raise DataError(f"variable `{name}` has levels that were not in the sample fitted: {shown}")
        if own == levels:
            return codes
        return np.array([*(place[level] for level in own), -1], dtype=np.int32)[codes]


def _not_numeric(variable: Variable, use: str) -> str:
    held = {"text": "text", "categorical": "categories", "dates": "dates or times"}[variable.kind]
    if use == "response":
        return f"the response `{variable.name}` holds {held}, not numbers; a linear mixed model needs a numeric response"
    if variable.kind == "dates":
        return f"variable `{variable.name}` holds times of day; convert it to numbers (hours, say) to use it as a covariate"
    return f"variable `{variable.name}` holds {held}, not numbers; use i.{variable.name} to enter it as a categorical covariate"
