"""Imputed data: one table for each imputation, from a list of them or a long table with the number of the imputation."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sparsemixed.design.data.frame import Frame, read_frame
from sparsemixed.errors import DataError, OptionError, suggestion
from sparsemixed.fitting.batches import in_batches
from sparsemixed.spec.numbers import is_whole

NUMBERS = ("_mi_m", ".imp", "_imp")
"""Columns that say which imputation a row is of: Stata's, and those of R's mice and miceadds."""
IDENTIFIER = "_mi_id"
"""Stata's column that says which row of the original data a row is."""


def imputed_data(data: Any, column: str | None) -> dict[int, Any]:
    """Number of an imputation -> its data.

    Rows of imputation 0 are the original data. In Stata's style `mlong`, other imputations hold only the rows that were
    incomplete: those of the original data that they lack, by `_mi_id`, are added.

    Parameters
    ----------
    data : sequence or mapping of tables, or one long table
    column : str, optional
        Which imputation a row of a long table is of; by default the first of `NUMBERS` that is there.

    Raises
    ------
    OptionError
        A long table without such a column.
    DataError
        Numbers that are missing, negative or not whole; fewer than two imputations.
    """
    if in_batches(data):
        raise OptionError("mi needs data in memory, and these are read in batches")
    if isinstance(data, Sequence) and not isinstance(data, (str, os.PathLike, np.ndarray)):
        return _several(dict(enumerate(data, start=1)))
    if isinstance(data, Mapping) and data and all(map(is_whole, data)):
        return _several(dict(data))
    return _several(_from_long(read_frame(data), column))


def _several(found: dict[int, Any]) -> dict[int, Any]:
    if len(found) < 2:
        raise DataError(f"mi combines two imputations or more, and the data hold {len(found)}")
    return found


def _from_long(frame: Frame, column: str | None) -> dict[int, Any]:
    name = column or next((name for name in NUMBERS if name in frame), None)
    if name is None:
        raise OptionError(
            f"mi: the data are one table without a column {' or '.join(NUMBERS)} that numbers the imputations; name it, "
            "imputation=, or give a list of tables"
        )
    if name not in frame:
        raise OptionError(f"mi: there is no variable `{name}` that numbers the imputations{suggestion(name, frame.names)}")
    variable = frame[name]
    values = variable.numbers() if variable.counts_as_number else np.full(frame.n_rows, np.nan)
    if not np.all(np.isfinite(values) & (values >= 0) & (values == np.floor(values))):
        raise DataError(f"mi: `{name}` numbers the imputations and is to hold whole numbers from 0, without missing values")
    places = {int(number): np.flatnonzero(values == number) for number in np.unique(values)}
    original = places.pop(0, np.zeros(0, np.int64))
    if IDENTIFIER in frame and len(original):
        keys = frame[IDENTIFIER].keys
        places = {m: np.concatenate([original[~np.isin(keys[original], keys[own])], own]) for m, own in places.items()}
        places = {m: own[np.argsort(keys[own], kind="stable")] for m, own in places.items()}
    return {m: frame.rows(own) for m, own in places.items()}


def chosen(data: dict[int, Any], first: int | None, numbers: Sequence[int] | None) -> dict[int, Any]:
    """The first so many imputations, or those with these numbers.

    Raises
    ------
    OptionError
        Both are given, or there are not so many, or not these.
    """
    if first is not None and numbers is not None:
        raise OptionError("mi: nimputations and imputations exclude each other")
    if first is not None:
        if not is_whole(first) or not 2 <= first <= len(data):
            raise OptionError(
                f"mi: nimputations is a number from 2 to {len(data)}, the imputations that there are; found {first!r}"
            )
        return {number: data[number] for number in list(data)[:first]}
    if numbers is None:
        return data
    unknown = [number for number in numbers if number not in data]
    if unknown:
        known = ", ".join(map(str, list(data)[:20]))
        raise OptionError(f"mi: there is no imputation {', '.join(map(str, unknown))}; there are {known}")
    return _several({number: data[number] for number in numbers})
