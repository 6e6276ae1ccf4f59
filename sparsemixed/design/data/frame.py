"""The user's data, whatever holds it, as named columns that are converted only when asked for."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from sparsemixed.design.data.files import read_file
from sparsemixed.design.data.foreign import foreign_columns
from sparsemixed.design.data.variable import Variable, as_variable
from sparsemixed.errors import DataError


class Frame:
    """Columns of data by name.

    Parameters
    ----------
    names : list of str
    n_rows : int
    fetch : callable
        From the position of a column to a pandas Series of length n_rows.
    value_labels : mapping, optional
        variable -> {value: label}.
    index : Index, optional
        That of a pandas frame.

    Attributes
    ----------
    names, n_rows, value_labels, index
    """

    def __init__(
        self,
        names: list[str],
        n_rows: int,
        fetch: Callable[[int], pd.Series],
        value_labels: Mapping[str, dict[int, str]] | None = None,
        index: pd.Index | None = None,
    ):
        repeated = [name for name, count in Counter(names).items() if count > 1]
        if repeated:
            raise DataError(f"the data have more than one column named `{repeated[0]}`; rename them")
        self.names, self.n_rows, self.value_labels, self.index = names, n_rows, dict(value_labels or {}), index
        self._position = {name: position for position, name in enumerate(names)}
        self._fetch = fetch
        self._converted: dict[str, Variable] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._position

    def __getitem__(self, name: str) -> Variable:
        """The column, converted on first use."""
        if name not in self._converted:
            self._converted[name] = as_variable(name, self._fetch(self._position[name]))
        return self._converted[name]

    def series(self, name: str) -> pd.Series:
        """The column as it came."""
        return self._fetch(self._position[name])


def read_frame(data: Any) -> Frame:
    """Look at data without converting or changing them.

    Parameters
    ----------
    data : DataFrame, path, or Frame
        A pandas DataFrame, anything that narwhals reads (polars, pyarrow), or the path of a file (.dta, .csv, .parquet,
        .feather; .csv.gz). Value labels of a .dta file are kept apart: the values stay numbers.

    Returns
    -------
    Frame

    Raises
    ------
    DataError
        When a file is missing or unreadable, the object is no table, or two columns share a name.
    """
    if isinstance(data, Frame):
        return data
    if isinstance(data, (str, os.PathLike)):
        table, labels = read_file(data)
        return _from_pandas(table, labels)
    if isinstance(data, pd.DataFrame):
        return _from_pandas(data, {}, data.index)
    names, n_rows, fetch = foreign_columns(data)
    return Frame(names, n_rows, fetch)


def _from_pandas(table: pd.DataFrame, labels: Mapping[str, dict[int, str]], index: pd.Index | None = None) -> Frame:
    columns = list(table.columns)
    plain = all(type(name) is str for name in columns) and table.columns.is_unique

    def fetch(position: int) -> pd.Series:
        # By its name a column is found in a quarter of the time.
        return table[columns[position]] if plain else table.iloc[:, position]

    return Frame([str(name) for name in columns], len(table), fetch, labels, index)
