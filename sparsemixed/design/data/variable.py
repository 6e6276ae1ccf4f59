"""One column of the data in the form that the design stage computes with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from sparsemixed.design.data.dates import date_numbers, unit_of
from sparsemixed.errors import DataError
from sparsemixed.exact_numbers import LARGEST_WHOLE, beyond_floats

Kind = Literal["numeric", "boolean", "text", "categorical", "dates"]
EXTENDED: type = np.longdouble
"""Of floating point beyond float64; the stubs of numpy do not know it as a class."""

FEW = 4096
"""Numbers of which a second array takes no time."""
NESTED = (list, tuple, dict, set, np.ndarray, pd.Series)
"""Types of values that are several."""


@dataclass(frozen=True)
class Variable:
    """A column of the data.

    Attributes
    ----------
    name : str
    kind : {"numeric", "boolean", "text", "categorical", "dates"}
    values : (n,) array
        Numbers in their own type for numeric and boolean variables; else int32 codes into `categories`, -1 where missing.
    missing : (n,) bool array or None
        None when no value is missing.
    categories : tuple
        The distinct values behind the codes: in category order (categorical), else sorted. Empty for most numbers.
    exact : (n,) int32 array or None
        Only for numbers of which float64 cannot tell all apart, integers beyond 64 bits, decimals and extended precision: codes
        into `categories`, which are then the numbers themselves, and -1 where missing.
    ordered : bool
        A categorical variable that is declared to be ordered.
    unit : str
        What dates count when they are taken as numbers (see `design.data.dates`); empty for other values and times of day.
    """

    name: str
    kind: Kind
    values: np.ndarray
    missing: np.ndarray | None
    categories: tuple[Any, ...] = ()
    exact: np.ndarray | None = None
    ordered: bool = False
    unit: str = ""

    @cached_property
    def is_finite(self) -> bool:
        """Whether no value is infinite or, among floating-point numbers, missing."""
        return self.values.dtype.kind != "f" or all_finite(self.values)

    @property
    def keys(self) -> np.ndarray:
        """What tells the values apart, (n,)."""
        return self.values if self.exact is None else self.exact

    @property
    def is_number(self) -> bool:
        """Whether the values can be computed with as they are; truth values count as 0 and 1."""
        return self.kind in ("numeric", "boolean")

    @property
    def counts_as_number(self) -> bool:
        """Whether it can be a covariate that is not categorical: numbers, and dates, but for times of day."""
        return self.is_number or (self.kind == "dates" and bool(self.unit or not self.categories))

    @property
    def has_names(self) -> bool:
        """Whether the levels are names, so that a formula takes the variable as categorical without being told."""
        return self.kind in ("boolean", "text", "categorical")

    def numbers(self) -> np.ndarray:
        """The values as (n,) float64, NaN where missing; numbers, and dates that have a unit."""
        if self.kind == "dates":
            return self._dates(from_first=False)
        values = self.values.astype(np.float64)
        if self.missing is not None:
            values[self.missing] = np.nan
        return values

    def differences(self) -> np.ndarray:
        """Dates as `numbers`, from the first of them."""
        return self._dates(from_first=True)

    def _dates(self, from_first: bool) -> np.ndarray:
        return np.append(date_numbers(self.categories, self.unit, from_first), np.nan)[self.values]

    def for_expression(self) -> np.ndarray:
        """The values as an `if` expression sees them, (n,): numbers, or text with "" where it is missing.

        Numbers are float64 with NaN; whole ones that float64 does not hold, integers or objects with NaN.
        """
        if self.exact is not None:
            return np.array([*self.categories, np.nan], dtype=object)[self.exact]
        if self.is_number:
            return self._digits() if beyond_floats(self.values) else self.numbers()
        numbers = all(isinstance(value, (int, float)) for value in self.categories)
        if self.kind == "categorical" and self.categories and numbers:
            large = any(abs(value) > LARGEST_WHOLE for value in self.categories)
            return np.array([*self.categories, np.nan], dtype=object if large else np.float64)[self.values]
        return np.array([*map(str, self.categories), ""], dtype=object)[self.values]

    def _digits(self) -> np.ndarray:
        """Whole numbers as they are, as objects where some are missing."""
        if self.missing is None:
            return self.values
        values = self.values.astype(object)
        values[self.missing] = np.nan
        return values


def as_variable(name: str, series: pd.Series, unit: str = "") -> Variable:
    """Classify a column by what it holds; the series is only read.

    Integers stay integers (identifiers beyond 2**53 keep their last digits), the empty string is a missing value, and
    booleans are the numbers 0 and 1. Dates count in `unit`, if the data say one.
    """
    found = _classified(name, series)
    if found.kind != "dates":
        return found
    return replace(found, unit=unit or unit_of(found.categories))


def is_plain(series: pd.Series) -> bool:
    """Whether a column is of one of the two usual types of numbers, so that any part of it is a `Variable` of the same kind."""
    return series.dtype in (np.float64, np.int64)


def part_of(variable: Variable, rows: np.ndarray | slice) -> Variable:
    """Some rows of a column that `is_plain`."""
    missing = None if variable.missing is None else variable.missing[rows]
    if missing is not None and not missing.any():
        missing = None
    found = Variable(variable.name, variable.kind, variable.values[rows], missing)
    if variable.is_finite:
        vars(found)["is_finite"] = True
    return found


def _classified(name: str, series: pd.Series) -> Variable:
    if is_plain(series):
        return _plain(name, series.to_numpy())
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _categorical(name, series)
    if pd.api.types.is_bool_dtype(dtype):
        return _number(name, "boolean", series, np.int8)
    if pd.api.types.is_integer_dtype(dtype):
        return _number(name, "numeric", series, np.uint64 if _beyond_int64(series) else np.int64)
    if pd.api.types.is_float_dtype(dtype):
        return _float(name, series)
    if (isinstance(dtype, np.dtype) and dtype.kind in "mM") or isinstance(dtype, (pd.DatetimeTZDtype, pd.PeriodDtype)):
        return _coded(name, "dates", series)
    if isinstance(dtype, np.dtype) and dtype.kind == "c":
        raise DataError(f"variable `{name}` holds complex numbers; keep the real or the imaginary part")
    if isinstance(dtype, pd.StringDtype):
        return _coded(name, "text", series)
    return _by_inspection(name, series.astype(object))


def _beyond_int64(series: pd.Series) -> bool:
    # Only unsigned 64-bit columns can hold what int64 cannot.
    return str(series.dtype).lower().startswith("uint64") and bool((series > np.iinfo(np.int64).max).any())


def _by_inspection(name: str, series: pd.Series) -> Variable:
    """Classify a column of Python objects by its values; of missing ones all kinds are the same."""
    missing = series.isna().to_numpy(dtype=bool)
    if missing.any():
        values = series.to_numpy(dtype=object, copy=True)
        values[missing] = None
        series = pd.Series(values, dtype=object)
    found = pd.api.types.infer_dtype(series, skipna=True)
    if found in ("floating", "empty"):
        numbers = series.where(series.notna(), np.nan)
        if any(isinstance(value, EXTENDED) for value in numbers):
            return _extended(name, np.array(list(numbers), dtype=np.longdouble))
        return _float(name, numbers.astype(float))
    if found in ("integer", "mixed-integer-float", "decimal"):
        return _exact(name, series)
    if found == "boolean":
        return _number(name, "boolean", series.astype("boolean"), np.int8)
    if found in ("datetime", "datetime64", "date", "timedelta", "timedelta64", "time", "period"):
        return _coded(name, "dates", series)
    if found == "string":
        return _coded(name, "text", series)
    if found == "bytes":
        raise DataError(f"variable `{name}` holds bytes; decode them to text first")
    nested = next((value for value in series if isinstance(value, NESTED)), None)
    if nested is not None:
        kind = type(nested).__name__
        raise DataError(f"variable `{name}` holds several values in a row ({kind}); make columns of one value in every row first")
    raise DataError(f"variable `{name}` mixes values of different types ({found}); convert it to numbers or to text first")


def _exact(name: str, series: pd.Series) -> Variable:
    """Python's integers and decimals: as int64 or uint64 where these hold them, as float64 where that loses nothing."""
    codes, uniques = pd.factorize(series, sort=False)
    missing = _none_missing(codes)
    distinct = [_python_number(value) if isinstance(value, np.generic) else value for value in uniques]
    try:
        floats = np.array([*map(float, distinct), np.nan])
    except OverflowError:
        raise DataError(f"variable `{name}` holds numbers beyond 1e308; keep them as text if they are names") from None
    if all(isinstance(value, int) for value in distinct):
        for dtype in (np.int64, np.uint64):
            if all(np.iinfo(dtype).min <= value <= np.iinfo(dtype).max for value in distinct):
                return Variable(name, "numeric", np.array([*distinct, 0], dtype=dtype)[codes], missing)
    if all(value == number for value, number in zip(distinct, floats[:-1].tolist(), strict=True)):  # Python compares them exactly
        return Variable(name, "numeric", floats[codes], missing)
    order = sorted(range(len(distinct)), key=distinct.__getitem__)
    rank = np.empty(len(distinct) + 1, dtype=np.int32)
    rank[order], rank[-1] = np.arange(len(distinct)), -1
    return Variable(name, "numeric", floats[codes], missing, tuple(distinct[i] for i in order), rank[codes])


def _plain(name: str, values: np.ndarray) -> Variable:
    """Numbers of the two usual types, as they are."""
    found = Variable(name, "numeric", values, None)
    if found.is_finite:
        return found
    missing = np.isnan(values)
    return Variable(name, "numeric", values, missing if missing.any() else None)


def all_finite(values: np.ndarray) -> bool:
    """Whether all numbers (n,) are finite, float64; in one pass over memory where they are, because their sum is.

    Examples
    --------
    >>> all_finite(np.array([1e308, 1e308])), all_finite(np.array([1.0, np.nan])), all_finite(np.array([np.inf, -np.inf]))
    (True, False, False)
    """
    if len(values) < FEW:
        return bool(np.isfinite(values).all())
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum()) or np.isfinite(values).all())


def _number(name: str, kind: Kind, series: pd.Series, dtype: type) -> Variable:
    missing = _mask(series)
    if missing is not None:
        series = series.mask(missing, False if kind == "boolean" else 0)
    return Variable(name, kind, series.to_numpy(dtype=dtype), missing)


def _float(name: str, series: pd.Series) -> Variable:
    if isinstance(series.dtype, np.dtype) and series.dtype.itemsize > np.dtype(np.float64).itemsize:
        return _extended(name, series.to_numpy())
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    missing = np.isnan(values)
    return Variable(name, "numeric", values, missing if missing.any() else None)


def _extended(name: str, values: np.ndarray) -> Variable:
    """Numbers of extended precision: as float64 where that tells them apart and rounds no large whole one."""
    missing = np.isnan(values)
    distinct = np.unique(values[~missing])
    with np.errstate(over="ignore"):
        floats = distinct.astype(np.float64)
    if np.any(np.isinf(floats) & np.isfinite(distinct)):
        raise DataError(f"variable `{name}` holds numbers beyond 1e308; keep them as text if they are names")
    rounded = floats != distinct
    exact, categories = None, ()
    if np.any(floats[1:] == floats[:-1]) or np.any(rounded & (np.abs(floats) >= LARGEST_WHOLE)):
        exact = np.where(missing, -1, np.searchsorted(distinct, values)).astype(np.int32)
        categories = tuple(map(_python_number, distinct))
    return Variable(name, "numeric", values.astype(np.float64), missing if missing.any() else None, categories, exact)


def _python_number(value: Any) -> Any:
    """A number of NumPy as Python's; one of extended precision as the integer, or the shortest decimal, that it is."""
    if not isinstance(value, EXTENDED):
        return value.item()
    if not np.isfinite(value):
        return float(value)
    return int(value) if value == np.rint(value) else Decimal(np.format_float_positional(value, trim="-"))


def _mask(series: pd.Series) -> np.ndarray | None:
    missing = series.isna().to_numpy(dtype=bool)
    return missing if missing.any() else None


def _categorical(name: str, series: pd.Series) -> Variable:
    codes = series.cat.codes.to_numpy().astype(np.int32)
    categories = tuple(_category(value) for value in series.cat.categories)
    _check_text(name, categories)
    if "" in categories:
        codes[codes == categories.index("")] = -1
    return Variable(name, "categorical", codes, _none_missing(codes), categories, ordered=bool(series.cat.ordered))


def _category(value: Any) -> Any:
    """Whole numbers as int, other numbers as float, everything else (intervals, dates) as text."""
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    if isinstance(value, EXTENDED) and float(value) != value:
        return _python_number(value)
    if isinstance(value, (int, float, np.number)):
        return int(value) if float(value).is_integer() else float(value)
    return str(value)


def _coded(name: str, kind: Kind, series: pd.Series) -> Variable:
    codes, uniques = pd.factorize(series, sort=False)
    uniques = np.asarray(uniques, dtype=object)
    if kind == "text":
        uniques = np.array([str(value) for value in uniques], dtype=object)
        _check_text(name, tuple(uniques))
    try:
        order = np.argsort(uniques, kind="stable")
    except TypeError as error:
        raise DataError(
            f"variable `{name}` mixes dates and times that have no order, with and without a time zone, say: convert it ({error})"
        ) from error
    rank = np.empty(len(uniques) + 1, dtype=np.int32)
    rank[order], rank[-1] = np.arange(len(uniques)), -1
    codes, categories = rank[codes], tuple(uniques[order])
    if kind == "text" and categories and categories[0] == "":
        codes, categories = np.maximum(codes - 1, -1).astype(np.int32), categories[1:]
    return Variable(name, kind, codes, _none_missing(codes), categories)


def _check_text(name: str, values: tuple[Any, ...]) -> None:
    """Refuse text with lone surrogates: no file, terminal or frame of text can hold it."""
    for value in values:
        if isinstance(value, str) and not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise DataError(f"variable `{name}` holds text that is no Unicode ({value!a}); read the data again in their encoding")


def _none_missing(codes: np.ndarray) -> np.ndarray | None:
    missing = codes < 0
    return missing if missing.any() else None
