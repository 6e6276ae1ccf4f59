"""Columns of values as expressions see them: float64 with NaN for missing, or strings with "" for missing."""

from __future__ import annotations

import numpy as np


class KindError(Exception):
    """A value of the wrong kind (numeric or string); the expression adds where."""


def is_text(values: np.ndarray) -> bool:
    """Whether the values are strings."""
    return values.dtype == object


def as_values(column: np.ndarray) -> np.ndarray:
    """A data column as float64 or as an object array of strings.

    Parameters
    ----------
    column : (n,) array
        Numbers, booleans, strings, or objects of one of these kinds with missing values among them. Not modified.

    Examples
    --------
    >>> as_values(np.array([1, 2]))
    array([1., 2.])
    >>> as_values(np.array(["a", None], dtype=object))
    array(['a', ''], dtype=object)
    """
    column = np.asarray(column)
    if column.dtype.kind in "biuf":
        return column.astype(np.float64)
    if column.dtype.kind in "UT":
        return column.astype(object)
    if column.dtype.kind != "O":
        raise KindError("is neither numeric nor a string")
    # Imported here because only data can bring objects, and then pandas is loaded already.
    import pandas as pd

    missing = np.asarray(pd.isna(column))
    present = column[~missing]
    kind = pd.api.types.infer_dtype(present, skipna=False)
    if kind == "string":
        return np.where(missing, "", column)
    if kind not in {"integer", "floating", "boolean", "mixed-integer-float", "decimal", "empty"}:
        raise KindError("mixes values that are neither all numeric nor all strings")
    values = np.full(column.shape, np.nan)
    values[~missing] = present.astype(np.float64)
    return values


def finite(values: np.ndarray) -> np.ndarray:
    """Results of arithmetic: what has no finite value is missing, as in Stata."""
    values = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def truth(values: np.ndarray) -> np.ndarray:
    """Boolean view: anything but zero is true, so missing is true."""
    if is_text(values):
        raise KindError("a string is neither true nor false")
    return values != 0


def missing(values: np.ndarray) -> np.ndarray:
    """Which values are missing, as booleans."""
    return values == "" if is_text(values) else np.isnan(values)


def equal(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Elementwise equality where missing equals missing."""
    _same_kind(left, right)
    same = np.asarray(left == right, dtype=bool)
    return same if is_text(left) else same | (np.isnan(left) & np.isnan(right))


def less(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Elementwise `<` where missing is above every number; strings compare character by character.

    Examples
    --------
    >>> less(np.array([1.0, np.nan]), np.array([np.nan, np.nan]))
    array([ True, False])
    """
    _same_kind(left, right)
    below = np.asarray(left < right, dtype=bool)
    return below if is_text(left) else below | (~np.isnan(left) & np.isnan(right))


def _same_kind(left: np.ndarray, right: np.ndarray) -> None:
    if is_text(left) != is_text(right):
        raise KindError("type mismatch: a string and a number cannot be compared")
