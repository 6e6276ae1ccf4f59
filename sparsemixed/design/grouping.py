"""Groups: nested codes, their labels, and the table of groups."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.design.codes import combine_all, first_rows
from sparsemixed.design.rows import Rows
from sparsemixed.design.values import GroupRow
from sparsemixed.spec import RandomEquation


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
            columns[variable] = pd.Series(list(values)).to_numpy()[place[first]]
        return pd.DataFrame(columns, index=pd.RangeIndex(n_groups))

    def table(self, equations: tuple[RandomEquation, ...]) -> tuple[GroupRow, ...]:
        """One row per distinct level, top to bottom, equations of one level counted once."""
        label_of = {equation.grouping: equation.label for equation in reversed(equations)}
        order = dict.fromkeys(equation.grouping for equation in equations)
        return tuple(self._row(label_of[grouping], grouping) for grouping in order)

    def _row(self, label: str, grouping: tuple[str, ...]) -> GroupRow:
        codes, n_groups = self.codes(grouping)
        sizes = np.bincount(codes, minlength=n_groups)
        return GroupRow(label, n_groups, int(sizes.min()), self.rows.n / n_groups, int(sizes.max()))
