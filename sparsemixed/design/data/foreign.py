"""Columns of tables that are not pandas: whatever narwhals can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import DataError


def foreign_columns(data: Any) -> tuple[list[str], int, Callable[[int], pd.Series]]:
    """Names, number of rows, and a function from a column's position to its pandas Series.

    One column is converted at a time, so unused columns cost nothing and a polars table needs no pyarrow.
    """
    import narwhals as nw

    try:
        table = nw.from_native(data)
    except TypeError as error:
        raise DataError(
            f"the data are a {type(data).__name__}; give a data frame (pandas, polars, pyarrow) or the path of a file"
        ) from error
    if isinstance(table, nw.LazyFrame):
        table = table.collect()
    names = table.columns

    def fetch(position: int) -> pd.Series:
        return _to_pandas(table[names[position]])

    return list(names), len(table), fetch


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
