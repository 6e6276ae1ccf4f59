"""Columns of values as expressions see them: float64 with NaN for missing, strings with "" for missing, or exact numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsemixed.exact_numbers import ExactNumbers, aligned, beyond_floats, exact_numbers, needs_digits


class KindError(Exception):
    """A value of the wrong kind (numeric or string); the expression adds where."""


Values = np.ndarray | ExactNumbers


def is_text(values: Values) -> bool:
    """Whether the values are strings."""
    return not isinstance(values, ExactNumbers) and values.dtype == object


def as_values(column: np.ndarray) -> Values:
    """A data column as float64, as an object array of strings, or as exact numbers where float64 cannot tell them apart.

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
    if beyond_floats(column):
        return exact_numbers(column.astype(object), np.zeros(column.shape, dtype=bool))
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
    if kind != "boolean" and any(map(needs_digits, present)):
        return exact_numbers(column, missing)
    values = np.full(column.shape, np.nan)
    values[~missing] = present.astype(np.float64)
    return values


def finite(values: np.ndarray) -> np.ndarray:
    """Results of arithmetic: what has no finite value is missing, as in Stata."""
    values = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def rounded(values: Values) -> np.ndarray:
    """Values to compute with: a number typed with more digits than float64 has is rounded to it, as everywhere.

    Raises
    ------
    KindError
        A column of such numbers: what becomes of neighbours would depend on rounding.
    """
    if not isinstance(values, ExactNumbers):
        return values
    if not values.is_constant:
        raise KindError(
            "numbers of which double precision cannot tell all apart can be compared (==, !=, <, inlist(), inrange()), not "
            "computed with; convert the column to float64 if rounding does no harm"
        )
    return values.floats()


def truth(values: Values) -> np.ndarray:
    """Boolean view: anything but zero is true, so missing is true."""
    if isinstance(values, ExactNumbers):
        return values.missing | (values.floats() != 0)
    if is_text(values):
        raise KindError("a string is neither true nor false")
    return values != 0


def missing(values: Values) -> np.ndarray:
    """Which values are missing, as booleans."""
    if isinstance(values, ExactNumbers):
        return values.missing
    return values == "" if is_text(values) else np.isnan(values)


def equal(left: Values, right: Values) -> np.ndarray:
    """Elementwise equality where missing equals missing."""
    _same_kind(left, right)
    first, second = _comparable(left, right, equality=True)
    same = np.asarray(first == second, dtype=bool)
    if is_text(left):
        return same
    gone, also = missing(left), missing(right)
    return (same & ~gone & ~also) | (gone & also)


def less(left: Values, right: Values) -> np.ndarray:
    """Elementwise `<` where missing is above every number; strings compare character by character.

    Examples
    --------
    >>> less(np.array([1.0, np.nan]), np.array([np.nan, np.nan]))
    array([ True, False])
    """
    _same_kind(left, right)
    first, second = _comparable(left, right, equality=False)
    below = np.asarray(first < second, dtype=bool)
    if is_text(left):
        return below
    gone, also = missing(left), missing(right)
    return (below & ~also & ~gone) | (~gone & also)


def _comparable(left: Values, right: Values, equality: bool) -> tuple[Any, Any]:
    """Arrays whose elements compare as the values do."""
    if not isinstance(left, ExactNumbers) and not isinstance(right, ExactNumbers):
        return left, right
    try:
        return aligned(left, right, equality)
    except ValueError as error:
        raise KindError(str(error)) from None


def _same_kind(left: Values, right: Values) -> None:
    if is_text(left) != is_text(right):
        raise KindError("type mismatch: a string and a number cannot be compared")
