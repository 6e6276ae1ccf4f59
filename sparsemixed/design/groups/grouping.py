"""Groups: nested codes and their labels."""

from __future__ import annotations

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
        codes, n_groups = self.codes(variables)
        first = first_rows(codes, n_groups)
        columns = {}
        for variable in variables:
            columns[variable] = self._values(variable)[self.rows.numbered(variable)[0][first]]
        if len(columns) == 1 and columns[variables[0]].dtype.kind in "if":
            return pd.DataFrame(columns[variables[0]][:, None], columns=list(variables))
        return pd.DataFrame(columns, index=pd.RangeIndex(n_groups))

    def _values(self, name: str) -> np.ndarray:
        """The distinct values of a variable as pandas keeps them."""
        variable = self.rows.frame[name]
        if variable.exact is not None:
            # Long integers among decimals would become floats, and the same ones.
            return pd.Series(list(self.rows.distinct(name)[1]), dtype=object).to_numpy()
        if variable.kind == "numeric" and variable.values.dtype in (np.int64, np.float64):
            return self.rows.numbered(name)[1]
        return pd.Series(list(self.rows.distinct(name)[1])).to_numpy()
