"""Columns of tables that are not pandas: whatever narwhals can read, or streams batches of Arrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sparsemixed.design.data.arrow import Stream, exported_stream, table_or_stream
from sparsemixed.errors import DataError, first_line

KNOWN = (
    "a data frame (pandas, polars, pyarrow, a relation of duckdb, a table of ibis), a dict of arrays, the path of a file, or a "
    "function that makes an iterator of batches"
)


class Columns(NamedTuple):
    """Names, number of rows, and a function from a column's position to its pandas Series.

    One column is converted at a time, so unused columns cost nothing and a polars table needs no pyarrow.
    """

    names: list[str]
    n_rows: int
    fetch: Callable[[int], pd.Series]


class Query(NamedTuple):
    """Names, and a function that computes some of the columns, in the order of the data."""

    names: list[str]
    run: Callable[[Sequence[str]], Columns]


def foreign_columns(data: Any) -> Columns | Query:
    """The columns of a table in memory, or the query by which they are to be had.

    Raises
    ------
    DataError
        The object is no table.
    """
    import narwhals as nw

    if type(data).__module__.startswith("pyarrow"):
        data = table_or_stream(data)
    try:
        table = nw.from_native(data) if not isinstance(data, Stream) else data
    except TypeError as error:
        if not hasattr(data, "__arrow_c_stream__"):
            raise DataError(_no_table(data)) from error
        table = exported_stream(data)
    except Exception as error:  # every library has its own exceptions
        raise DataError(f"the data cannot be read: {first_line(error)}") from error
    if isinstance(table, Stream):
        read = table.read
        return Query(table.names, lambda names: _columns(nw.from_native(read(names), eager_only=True)))
    if isinstance(table, nw.LazyFrame):
        return _lazy(table)
    return _columns(table)


def _no_table(data: Any) -> str:
    if isinstance(data, Iterator):
        return (
            f"the data are a {type(data).__name__}, which can be read once, and a fit reads batches twice; give a function that "
            "makes a new one each time"
        )
    return f"the data are a {type(data).__name__}; give {KNOWN}"


def _columns(table: Any) -> Columns:
    names = list(table.columns)
    return Columns(names, len(table), lambda position: _to_pandas(table[:, position]))


def _lazy(query: Any) -> Query:
    names = _asked(lambda: list(query.collect_schema().names()))
    return Query(names, lambda wanted: _columns(_asked(lambda: query.select(*wanted).collect())))


def _asked(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except ImportError as error:
        raise DataError(f"the data cannot be computed without a package that is not installed: {error}") from error
    except Exception as error:  # every library has its own exceptions
        raise DataError(f"the query that is the data failed: {type(error).__name__}: {first_line(error)}") from error


def as_series(values: Any) -> pd.Series | None:
    """A series or column of polars or pyarrow as one of pandas; None for what is none."""
    if type(values).__module__.partition(".")[0] not in ("polars", "pyarrow"):
        return None
    import narwhals as nw

    if type(values).__name__.endswith("Array") and not hasattr(values, "chunks"):
        import pyarrow as pa

        values = pa.chunked_array([values])
    return _to_pandas(nw.from_native(values, series_only=True))


def _to_pandas(column: Any) -> pd.Series:
    """A narwhals Series as a pandas one, missing values and the order of categories kept."""
    import narwhals as nw

    dtype = column.dtype
    if dtype == nw.Boolean or (dtype.is_integer() and dtype not in (nw.Int128, nw.UInt128)):  # those are Python's integers
        return _masked(column, "boolean" if dtype == nw.Boolean else dtype)
    if dtype.is_float():
        return pd.Series(column.to_numpy())
    if dtype == nw.Categorical and column.implementation.is_pyarrow():
        # Through pyarrow itself: narwhals' own conversion hands out the dictionary in place of the values.
        return column.to_native().to_pandas()
    # A polars Categorical keeps its categories in order of first sight, which means nothing: taken for text, and sorted.
    values = column.to_list()
    if isinstance(dtype, nw.Enum):
        return pd.Series(pd.Categorical(values, categories=list(dtype.categories)))
    return pd.Series(values, dtype=object)


def _masked(column: Any, dtype: Any) -> pd.Series:
    missing = column.is_null().to_numpy()
    if dtype == "boolean":
        values, extension = column.fill_null(False).to_numpy().astype(bool), pd.arrays.BooleanArray
    else:
        values, extension = column.fill_null(0).to_numpy(), pd.arrays.IntegerArray
    return pd.Series(extension(np.ascontiguousarray(values), np.array(missing, dtype=bool)))
