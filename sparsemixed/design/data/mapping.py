"""Columns in a dict, or in a structured array of NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.data.foreign import as_series
from sparsemixed.errors import DataError


def mapped_columns(data: Mapping[Any, Any] | np.ndarray) -> dict[str, pd.Series]:
    """One series of the same length for every column.

    Parameters
    ----------
    data : mapping from names to arrays, lists or Series; or a structured array

    Raises
    ------
    DataError
        Columns of different lengths, of one value, of several dimensions, or that can be read only once; Series with
        different indexes; no columns; two names that are written alike.
    """
    names = data.dtype.names or () if isinstance(data, np.ndarray) else list(data)
    columns = {str(name): _series(str(name), data[name]) for name in names}  # type: ignore[call-overload]
    if not columns:
        raise DataError("the data are empty: there are no columns")
    if len(columns) < len(names):
        raise DataError(f"the data have more than one column named `{_repeated(names)}`; rename them")
    lengths = {name: len(column) for name, column in columns.items()}
    first, n = next(iter(lengths.items()))
    other = next((name for name, length in lengths.items() if length != n), None)
    if other is not None:
        raise DataError(f"the columns of the data differ in length: `{first}` has {n} values, `{other}` has {lengths[other]}")
    if not isinstance(data, np.ndarray):
        _check_indexes(data)
    return columns


def _repeated(names: Sequence[Any]) -> str:
    written = [str(name) for name in names]
    return next(name for name in written if written.count(name) > 1)


def _check_indexes(data: Mapping[Any, Any]) -> None:
    """Series with other indexes may mean other rows."""
    series = [column for column in data.values() if isinstance(column, pd.Series)]
    if any(not one.index.equals(series[0].index) for one in series[1:]):
        raise DataError("the Series of the data have different indexes; put them into one DataFrame, or pass arrays")


def _series(name: str, values: Any) -> pd.Series:
    if isinstance(values, pd.Series):
        return values.reset_index(drop=True)
    if isinstance(values, Iterator):
        raise DataError(f"column `{name}` of the data is a {type(values).__name__}, which can be read once; make it a list")
    if isinstance(values, np.ma.MaskedArray):
        series = pd.Series(np.asarray(values.data), dtype=object)
        series[np.ma.getmaskarray(values)] = None
        return series
    found = as_series(values)
    if found is not None:
        return found
    if isinstance(values, (str, bytes, Mapping, set, frozenset)) or not hasattr(values, "__len__") or np.ndim(values) == 0:
        raise DataError(f"column `{name}` of the data is a {type(values).__name__}; give a sequence with one value for each row")
    if isinstance(values, (np.ndarray, pd.Index)) or hasattr(values, "dtype"):
        if np.ndim(values) != 1:
            raise DataError(f"column `{name}` of the data has the shape {np.shape(values)}; give one value for each row")
        return pd.Series(values)
    # Python's own numbers: whole ones beyond 2**53 beside a missing value must not go through float64.
    return pd.Series(list(values), dtype=object)
