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
        self._codes: dict[tuple[str, ...], tuple[np.ndarray, int]] = {}

    def codes(self, variables: tuple[str, ...]) -> tuple[np.ndarray, int]:
        """Codes (n,) int32 and the number of groups: observed combinations, in sorted order of the variables' values."""
        if variables not in self._codes:
            # A parent level's codes serve the levels below it.
            parent = [self.codes(variables[:-1])[0]] if len(variables) > 1 else []
            own = [self.rows.numbered(variables[-1])[0]] if variables else []
            codes = combine_all(parent + own, self.rows.n)
            self._codes[variables] = codes, int(codes.max()) + 1
        return self._codes[variables]

    def labels(self, variables: tuple[str, ...]) -> pd.DataFrame:
        """The values of the variables in each group, one row per group."""
        return self.labels_later(variables)()

    def labels_later(self, variables: tuple[str, ...]) -> Callable[[], pd.DataFrame]:
        """What makes `labels`; it holds on to nothing that users may change."""
        codes, n_groups = self.codes(variables)
        first = first_rows(codes, n_groups)
        parts = [(self.rows.numbered(variable)[0][first], self._values(variable)) for variable in variables]
        return partial(_labels, variables, parts, n_groups)

    def _values(self, name: str) -> Callable[[], np.ndarray]:
        """What makes the distinct values of a variable as pandas keeps them."""
        variable = self.rows.frame[name]
        if variable.exact is None and variable.kind == "numeric" and variable.values.dtype in (np.int64, np.float64):
            numbers = self.rows.numbered(name)[1]
            return lambda: numbers
        # Long integers among decimals would become floats, and the same ones.
        values, dtype = list(self.rows.distinct(name)[1]), None if variable.exact is None else object
        return lambda: pd.Series(values, dtype=dtype).to_numpy()


def _labels(variables: tuple[str, ...], parts: list[tuple[np.ndarray, Callable[[], np.ndarray]]], n_groups: int) -> pd.DataFrame:
    """Of each variable the place of every group's value among the distinct ones, and what makes these."""
    columns = {variable: values()[place] for variable, (place, values) in zip(variables, parts, strict=True)}
    if len(columns) == 1 and columns[variables[0]].dtype.kind in "if":
        return pd.DataFrame(columns[variables[0]][:, None], columns=list(variables))
    return pd.DataFrame(columns, index=pd.RangeIndex(n_groups))
