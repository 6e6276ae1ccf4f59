"""Weights given as arrays: each becomes a column of the data, and its keyword the name of this column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sparsemixed.command.weights import KEYWORDS
from sparsemixed.design.data.added_columns import aligned, is_array, new_name, with_columns
from sparsemixed.design.data.frame import Frame, read_frame
from sparsemixed.errors import OptionError
from sparsemixed.fitting.batches import in_batches


def with_weight_columns(data: Any, options: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Data and options in which all weights are names of columns; both as they are where no weight is an array.

    Parameters
    ----------
    data : anything that `mixed` takes
    options : mapping
        `fweights`, `pweights` and `precision_weights` may be arrays, or mappings from levels to arrays or names.

    Raises
    ------
    DataError
        Arrays that do not fit the rows (see `aligned`).
    OptionError
        Arrays beside data that are read in batches.
    """
    given = {name: options[name] for name in KEYWORDS if name in options and _holds_arrays(options[name])}
    if not given:
        return data, dict(options)
    if in_batches(data):
        raise OptionError(f"{next(iter(given))}: data that are read in batches have their weights in a column; name it")
    frame, changed = read_frame(data), dict(options)
    columns: dict[str, pd.Series] = {}
    for name, value in given.items():
        if isinstance(value, Mapping):
            wanted = {level: f"{name}_{level}" if level else name for level in value}
            changed[name] = {k: _column(f"{name}[{k!r}]", wanted[k], v, frame, columns) for k, v in value.items()}
        else:
            changed[name] = _column(name, name, value, frame, columns)
    return with_columns(frame, columns), changed


def _holds_arrays(value: Any) -> bool:
    return any(map(is_array, value.values())) if isinstance(value, Mapping) else is_array(value)


def _column(written: str, wanted: str, value: Any, frame: Frame, columns: dict[str, pd.Series]) -> Any:
    """The name of the column that an array becomes; other values as they are."""
    if not is_array(value):
        return value
    name = new_name("".join(letter if letter.isalnum() else "_" for letter in wanted), {*frame.names, *columns})
    columns[name] = aligned(written, value, frame)
    return name
