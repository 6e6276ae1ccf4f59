"""Groups: nested codes and their labels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from sparsemixed.design.data.codes import combine_all, first_rows
from sparsemixed.design.data.rows import Rows


class Groups:
    """The groups of one sample, each set of grouping variables numbered once.

    Parameters
    ----------
    rows : Rows
        The n rows of the sample.
    """

    def __init__(self, rows: Rows):
        self.rows = rows
        self._codes: dict[tuple[str, ...], np.ndarray] = {}

    def codes(self, variables: tuple[str, ...]) -> tuple[np.ndarray, int]:
        """Codes (n,) int32 and the number of groups: observed combinations, in sorted order of the variables' values."""
        if variables not in self._codes:
            # A parent level's codes serve the levels below it.
            parent = [self.codes(variables[:-1])[0]] if len(variables) > 1 else []
            own = [self.rows.distinct(variables[-1])[0]] if variables else []
            self._codes[variables] = combine_all(parent + own, self.rows.n)
        codes = self._codes[variables]
        return codes, int(codes.max()) + 1

    def labels(self, variables: tuple[str, ...]) -> pd.DataFrame:
        """The values of the variables in each group, one row per group."""
        return self.labels_later(variables)()

    def labels_later(self, variables: tuple[str, ...]) -> Callable[[], pd.DataFrame]:
        """What makes `labels`; it holds on to nothing that users may change."""
        codes, n_groups = self.codes(variables)
        first = first_rows(codes, n_groups)
        found = [(*self.rows.distinct(variable), self.rows.frame[variable]) for variable in variables]
        plain = [variable.kind == "numeric" and variable.values.dtype == np.int64 for *_, variable in found]
        parts = [
            (place[first], values, variable.exact is not None, whole)
            for (place, values, variable), whole in zip(found, plain, strict=True)
        ]
        return partial(_labels, variables, parts, n_groups)


def _labels(variables: tuple[str, ...], parts: list[tuple[np.ndarray, tuple, bool, bool]], n_groups: int) -> pd.DataFrame:
    """Of each variable the place of every group's value among the distinct ones, these, and what `_array` asks."""
    columns = {
        variable: _array(values, exact, whole)[place]
        for variable, (place, values, exact, whole) in zip(variables, parts, strict=True)
    }
    if len(columns) == 1 and columns[variables[0]].dtype.kind in "if":
        return pd.DataFrame(columns[variables[0]][:, None], columns=list(variables))
    return pd.DataFrame(columns, index=pd.RangeIndex(n_groups))


def _array(values: tuple, exact: bool, whole: bool) -> np.ndarray:
    """The distinct values of a variable as pandas keeps them; of `exact` numbers, and of whole ones in 64 bits."""
    if exact:
        # Long integers among decimals would become floats, and the same ones.
        return pd.Series(list(values), dtype=object).to_numpy()
    if whole:
        return np.array(values, np.int64)
    return pd.Series(list(values)).to_numpy()
