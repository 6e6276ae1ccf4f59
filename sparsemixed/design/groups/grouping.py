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
        codes, n_groups = self.codes(variables)
        first = first_rows(codes, n_groups)
        columns = {}
        for variable in variables:
            place, values = self.rows.distinct(variable)
            # Long integers among decimals would become floats, and the same ones.
            exact = self.rows.frame[variable].exact is not None
            columns[variable] = pd.Series(list(values), dtype=object if exact else None).to_numpy()[place[first]]
        return pd.DataFrame(columns, index=pd.RangeIndex(n_groups))
