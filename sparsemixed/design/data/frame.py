"""The user's data, whatever holds it, as named columns that are converted only when asked for."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.data.files import read_file
from sparsemixed.design.data.foreign import Query, foreign_columns
from sparsemixed.design.data.mapping import mapped_columns
from sparsemixed.design.data.variable import Variable, all_finite, as_variable, is_plain
from sparsemixed.errors import DataError, OptionError


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
    units : mapping, optional
        variable -> what its dates count, where the data say that.

    Attributes
    ----------
    names, n_rows, value_labels, index, units
    """

    def __init__(
        self,
        names: list[str],
        n_rows: int,
        fetch: Callable[[int], pd.Series],
        value_labels: Mapping[str, dict[int, str]] | None = None,
        index: pd.Index | None = None,
        units: Mapping[str, str] | None = None,
    ):
        if len(set(names)) < len(names):
            repeated = next(name for name, count in Counter(names).items() if count > 1)
            raise DataError(f"the data have more than one column named `{repeated}`; rename them")
        self.names, self.n_rows, self.value_labels, self.index = names, n_rows, dict(value_labels or {}), index
        self.units = dict(units or {})
        self._position = {name: position for position, name in enumerate(names)}
        self._fetch = fetch
        self._converted: dict[str, Variable] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._position

    def __getitem__(self, name: str) -> Variable:
        """The column, converted on first use."""
        if name not in self._converted:
            self._converted[name] = as_variable(name, self._fetch(self._position[name]), self.units.get(name, ""))
        return self._converted[name]

    def series(self, name: str) -> pd.Series:
        """The column as it came."""
        return self._fetch(self._position[name])

    def plain_numbers(self, name: str) -> np.ndarray | None:
        """The values (n,) of a column of the usual types of numbers, all of them finite; None of others, or where there is none.

        Not to be changed: they may be the data's own.
        """
        position = self._position.get(name)
        series = None if position is None else self._fetch(position)
        values = series.to_numpy() if series is not None and is_plain(series) else None
        return values if values is not None and (values.dtype.kind == "i" or all_finite(values)) else None

    def only(self, names: Callable[[], Sequence[str]]) -> Frame:
        """The frame, or one with these columns alone where others would cost something."""
        return self

    def rows(self, kept: np.ndarray) -> Frame:
        """The rows at some positions (m,), as a frame of their own."""

        def fetch(position: int) -> pd.Series:
            return self._fetch(position).iloc[kept]

        index = None if self.index is None else self.index.take(kept)
        return Frame(self.names, len(kept), fetch, self.value_labels, index, self.units)


class QueryFrame(Frame):
    """Columns of a query that is yet to run: it runs once, for all columns, when the first value is asked for."""

    def __init__(self, query: Query):
        super().__init__(list(query.names), 0, lambda position: self._run.fetch(position))
        del self.n_rows
        self._query = query

    @cached_property
    def _run(self):
        return self._query.run(self.names)

    @cached_property
    def n_rows(self) -> int:  # type: ignore[override]
        """Known after the query has run."""
        return self._run.n_rows

    def only(self, names: Callable[[], Sequence[str]]) -> Frame:
        """A query for these columns, in the order of the data; for all where one of them is not a column itself."""
        if "_run" in vars(self) or not (wanted := set(names())) <= set(self.names):
            return self
        return QueryFrame(Query([name for name in self.names if name in wanted], self._query.run))


def read_frame(data: Any, delimiter: str | None = None) -> Frame:
    """Look at data without converting or changing them.

    Parameters
    ----------
    data : DataFrame, mapping, path, or Frame
        A pandas DataFrame, a dict of arrays, anything that narwhals reads (polars, pyarrow, relations of duckdb, tables of ibis)
        or that exports a stream of Arrow batches, or the path of a file (see `files.READERS`). Value labels of a .dta file
        are kept apart: the values stay numbers.
    delimiter : str, optional
        Of a text file.

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
        file = read_file(data, delimiter)
        return _from_pandas(file.table, None, file.names, file.value_labels, file.units)
    if delimiter is not None:
        raise OptionError(f"delimiter={delimiter!r} is for the path of a text file; the data are a {type(data).__name__}")
    if isinstance(data, pd.Series):
        raise DataError("the data are a Series, one column alone; what is needed is a table of named columns")
    if isinstance(data, pd.DataFrame):
        return _from_pandas(data, data.index)
    if isinstance(data, Mapping) or (isinstance(data, np.ndarray) and data.dtype.names):
        columns = mapped_columns(data)
        return Frame(list(columns), len(next(iter(columns.values()))), list(columns.values()).__getitem__)
    found = foreign_columns(data)
    return QueryFrame(found) if isinstance(found, Query) else Frame(*found)


def _from_pandas(
    table: pd.DataFrame,
    index: pd.Index | None,
    names: list[str] | None = None,
    labels: Mapping[str, dict[int, str]] | None = None,
    units: Mapping[str, str] | None = None,
) -> Frame:
    columns, plain = _column_names(table.columns)

    def fetch(position: int) -> pd.Series:
        # By its name a column is found in a quarter of the time.
        column: Any = table[columns[position]] if plain else table.iloc[:, position]
        return column

    if names is None:
        names = columns if plain else [str(name) for name in columns]
    return Frame(names, len(table), fetch, labels, index, units)


def _column_names(columns: pd.Index) -> tuple[list[Any], bool]:
    """Their names, not to be changed, and whether all are texts or all are whole numbers, and different.

    Those looked at last are kept, for fits to one frame after another: an index never changes.
    """
    last = _LAST_COLUMNS[0]
    if last[0] is None or not columns.is_(last[0]):  # a frame gives a new view of it whenever it is asked
        names: list[Any] = list(columns)
        kinds = {type(name) for name in names}
        _LAST_COLUMNS[0] = last = (columns, names, len(kinds) == 1 and kinds <= {str, int} and columns.is_unique)
    return last[1], last[2]


_LAST_COLUMNS: list[tuple[pd.Index | None, list[Any], bool]] = [(None, [], False)]
