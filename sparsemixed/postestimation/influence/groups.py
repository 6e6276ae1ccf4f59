"""Which rows are deleted together: single rows, the groups of a level of the model, or those of any codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.spec.names import names_in


@dataclass(frozen=True)
class DeletedGroups:
    """Groups of the rows of a sample.

    Attributes
    ----------
    codes : (n,) int64
        Group of each row.
    index : Index (J,)
        What the groups are called.
    by : str or None
        Of which factor they are; None for single rows.
    """

    codes: np.ndarray
    index: pd.Index
    by: str | None

    @property
    def n_groups(self) -> int:
        """J."""
        return len(self.index)

    def named(self, group: int) -> str:
        """A group in a message."""
        return f"row {self.index[group]}" if self.by is None else f"{self.by} {self.index[group]}"


def single_rows(fit: Fit) -> DeletedGroups:
    """Every row for itself, called as in the data."""
    return DeletedGroups(np.arange(fit.design.n_rows), fit.design.row_index, None)


def level_of_model(fit: Fit, by: str | Sequence[str]) -> DeletedGroups | None:
    """The groups of a level that has random effects, None where no level is called so.

    Parameters
    ----------
    by : str or sequence of str
        Its variable, or the variables from the top level down. A level means its groups within those above it. A factor with
        random effects, `R.item` or the `1 | item` of a formula, is called by its own name.
    """
    names = group_names(by)
    for term in fit.design.random:
        columns = tuple(map(str, term.labels.columns))
        if columns and (columns == names or (len(names) == 1 and columns[-1] == names[0])):
            return DeletedGroups(term.codes.astype(np.int64), labels_index(term.labels), ":".join(names))
    return None


def group_names(by: str | Sequence[str]) -> tuple[str, ...]:
    """The names in `by`.

    Raises
    ------
    OptionError
        It holds none, or something else.
    """
    return names_in(by, "by")


def labels_index(labels: pd.DataFrame) -> pd.Index:
    """One variable's values, or those of several as a MultiIndex."""
    if labels.shape[1] == 1:
        return pd.Index(labels.iloc[:, 0], name=str(labels.columns[0]))
    return pd.MultiIndex.from_frame(labels)
