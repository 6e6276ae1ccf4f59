"""JSON and arrays to values: the way back of `storage.encode`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.command.expression import read_expression
from sparsemixed.storage.classes import EXPRESSIONS, FAMILIES, class_of
from sparsemixed.storage.dates import DATES
from sparsemixed.storage.encode import NUMBERS

LONGEST_EXPRESSION = 100_000
"""Characters of an expression up to which it is parsed."""


class UnknownName(Exception):  # noqa: N818 - not for users: `storage.fit_file` words the message
    """A file has a class or a field that this version does not know."""


class Decoder:
    """JSON to values.

    Parameters
    ----------
    arrays : callable
        From the name of an array to the array.
    """

    def __init__(self, arrays: Callable[[str], np.ndarray]):
        self._arrays = arrays

    def decode(self, json: Any) -> Any:
        """The value; what is not of the form that `Encoder` writes raises some exception.

        Raises
        ------
        UnknownName
        """
        if not isinstance(json, dict):
            return json
        ((tag, content),) = json.items()
        if tag in READERS:
            return READERS[tag](self, content)
        if tag in DATES:
            return DATES[tag].read(content)
        if tag in FAMILIES:
            return FAMILIES[tag](**{name: self.decode(argument) for name, argument in content.items()})
        if (kind := class_of(tag)) is not None:
            return self._dataclass(tag, kind, content)
        raise UnknownName(tag)

    def _all(self, items: list) -> list:
        return [self.decode(item) for item in items]

    def _objects(self, content: list) -> np.ndarray:
        shape, items = content
        values = np.empty(len(items), dtype=object)
        for place, item in enumerate(items):  # an assignment of the whole list would look into tuples
            values[place] = self.decode(item)
        return values.reshape(shape)

    def _numbers(self, content: list) -> np.ndarray:
        dtype, shape, items = content
        if dtype not in NUMBERS:
            raise ValueError(f"numbers of type {dtype}")
        return np.array(self._all(items), dtype=dtype).reshape(shape)

    def _frame(self, content: list) -> pd.DataFrame:
        n_rows, columns = content
        series = {name: _column(self.decode(values), dtype, n_rows) for name, dtype, values in columns}
        return pd.DataFrame(series, index=pd.RangeIndex(n_rows))

    def _index(self, content: list) -> pd.Index:
        names, levels = content
        found = [_column(values := self.decode(level), dtype, len(values)) for dtype, level in levels]
        names = self.decode(names)
        return pd.Index(found[0], name=names[0]) if len(found) == 1 else pd.MultiIndex.from_arrays(found, names=names)

    def _dataclass(self, name: str, kind: type, content: Mapping[str, Any]) -> Any:
        """Fields that the file does not have take their defaults; those of rows without one may stay behind."""
        fields = {field.name: field for field in dataclasses.fields(kind)}
        unknown = [field for field in content if field not in fields]
        if unknown:
            raise UnknownName(f"{name}.{unknown[0]}")
        values = {field: self.decode(value) for field, value in content.items()}
        for field, text in EXPRESSIONS.get(name, {}).items():
            values[field] = None if values[text] is None else read_expression(_short(values[text]))
        behind = {field for field, about in fields.items() if _may_stay_behind(about) and field not in values}
        if not behind:
            return kind(**values)
        made = object.__new__(kind)
        for field, about in fields.items():
            if field not in behind:
                object.__setattr__(made, field, values[field] if field in values else _default(about))
        return made


def _column(values: Any, dtype: str, n_rows: int) -> pd.Series:
    """Of the length and type that it is said to have: neither may make more of a small file."""
    if len(values) != n_rows or np.dtype(values.dtype).kind in "SUV" or dtype[:1] in "SUV":
        raise ValueError("a column of the wrong length or type")
    return pd.Series(values, dtype=dtype)


def _short(text: str) -> str:
    if len(text) > LONGEST_EXPRESSION:
        raise ValueError("an expression that nobody typed")
    return text


def _may_stay_behind(field: dataclasses.Field) -> bool:
    return bool(field.metadata.get("rows")) and field.default is dataclasses.MISSING


def _default(field: dataclasses.Field) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    if field.default is dataclasses.MISSING:
        raise ValueError(f"the field {field.name} is missing")
    return field.default


READERS: dict[str, Callable[[Decoder, Any], Any]] = {
    "float": lambda decoder, text: float(text),
    "tuple": lambda decoder, items: tuple(decoder._all(items)),
    "list": lambda decoder, items: decoder._all(items),
    "dict": lambda decoder, items: {decoder.decode(key): decoder.decode(value) for key, value in items},
    "array": lambda decoder, name: decoder._arrays(name),
    "numbers": Decoder._numbers,
    "objects": Decoder._objects,
    "frame": Decoder._frame,
    "index": Decoder._index,
}
"""Tag of a container -> its reader."""
