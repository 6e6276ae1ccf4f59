"""Values to JSON and arrays.

Numbers, texts, booleans and null stand for themselves. Everything else is an object with one key, its type: `{"tuple": [...]}`,
`{"array": "7"}`, `{"Column": {"name": "week", ...}}`. The types are a closed list: see `storage.classes`.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import DataError
from sparsemixed.storage.classes import DATACLASSES, EXPRESSIONS, FAMILIES, class_of
from sparsemixed.storage.dates import DATES, is_zone

Json = Any
"""What the module json reads and writes."""


MAX_INLINE_SIZE = 32
"""Size up to which an array stands in the JSON itself: as a file of its own it would take more room."""
NUMBERS = ("<f8", "<i8", "<i4", "|b1")
"""Types of number that Python's own hold exactly."""


class Encoder:
    """Values to JSON, their arrays put aside.

    Parameters
    ----------
    rows : bool
        Whether to keep the fields that have one entry per row of the data (see `design.row_data`).

    Attributes
    ----------
    arrays : dict of str to ndarray
        The large ones, by the name that the JSON has for each; an array that stands in several places is there once.
    """

    def __init__(self, rows: bool):
        self.rows = rows
        self.arrays: dict[str, np.ndarray] = {}
        self._names: dict[int, str] = {}

    def encode(self, value: object) -> Json:
        """The JSON of a value.

        Raises
        ------
        DataError
            For a value of a type that no file can hold.

        Examples
        --------
        >>> Encoder(rows=True).encode({"a": (1, float("nan"))})
        {'dict': [['a', {'tuple': [1, {'float': 'nan'}]}]]}
        """
        if isinstance(value, np.generic) and value.dtype.kind in "biufU":
            value = value.item()
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, (tuple, list)) and type(value) in (tuple, list):  # a named tuple would come back without its names
            return {type(value).__name__: [self.encode(item) for item in value]}
        if isinstance(value, dict):
            return {"dict": [[self.encode(key), self.encode(item)] for key, item in value.items()]}
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, pd.DataFrame):
            columns = [[name, _type(column), self._array(column.to_numpy())] for name, column in value.items()]
            return {"frame": [len(value), columns]}
        if isinstance(value, pd.Index):
            levels = [value.get_level_values(level) for level in range(value.nlevels)]
            return {
                "index": [self.encode(list(value.names)), [[_type(level), self._array(level.to_numpy())] for level in levels]]
            }
        return self._instance(value)

    def _array(self, values: np.ndarray) -> Json:
        if values.dtype.kind == "O":
            return {"objects": [list(values.shape), [self.encode(item) for item in values.ravel()]]}
        if values.size <= MAX_INLINE_SIZE and values.dtype.str in NUMBERS and values.flags.c_contiguous:
            return {"numbers": [values.dtype.str, list(values.shape), [self.encode(item) for item in values.ravel().tolist()]]}
        if id(values) not in self._names:
            name = self._names[id(values)] = str(len(self.arrays))
            self.arrays[name] = values  # which also keeps its id from being given to another
        return {"array": self._names[id(values)]}

    def _instance(self, value: object) -> Json:
        name = type(value).__name__
        if type(value) is DATACLASSES.get(name):
            return {name: self._fields(name, value)}
        if type(value) is FAMILIES.get(name):
            arguments = inspect.signature(type(value)).parameters
            return {name: {argument: self.encode(getattr(value, argument)) for argument in arguments}}
        for tag, written in DATES.items():
            if isinstance(value, written.kind):
                return {tag: written.write(value)}
        if dataclasses.is_dataclass(value) and type(value) is class_of(name):
            return {name: self._fields(name, value)}
        raise DataError(f"a value of type {name} cannot be saved: {value!r:.80}")

    def _fields(self, name: str, value: Any) -> Json:
        """Expressions are left to their texts."""
        fields = [f for f in dataclasses.fields(value) if self.rows or not f.metadata.get("rows")]
        fields = [f for f in fields if not f.metadata.get("second_form")]
        parsed = EXPRESSIONS.get(name, {})
        return {f.name: None if f.name in parsed else self.encode(getattr(value, f.name)) for f in fields}


def _type(column: pd.Series | pd.Index) -> str:
    """The type of a column; objects, where it is a time zone that has no name to find it by."""
    dtype = column.dtype
    return "object" if isinstance(dtype, pd.DatetimeTZDtype) and not is_zone(str(dtype.tz)) else str(dtype)
