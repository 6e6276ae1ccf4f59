"""Numbers of which float64 cannot tell all apart, compared as what they are: identifiers beyond 2**53, long decimals."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

LARGEST_WHOLE = 2**53
"""Whole numbers up to this are all numbers of float64."""
DECIMAL_DIGITS = 15
"""Significant digits up to which different decimals are different numbers of float64."""


@dataclass(frozen=True, eq=False)
class ExactNumbers:
    """Numbers as Python's integers and decimals, which compare without rounding.

    Attributes
    ----------
    numbers : (n,) or () object
        Zero where missing.
    missing : (n,) or () bool
    """

    numbers: np.ndarray
    missing: np.ndarray

    @property
    def size(self) -> int:
        """How many."""
        return self.numbers.size

    @property
    def is_constant(self) -> bool:
        """Whether it is one number, typed."""
        return self.numbers.ndim == 0

    def floats(self) -> np.ndarray:
        """The same in float64, NaN where missing; beyond 1e308 infinite."""
        return np.where(self.missing, np.nan, _floats(self.numbers))

    def negative(self) -> ExactNumbers:
        """The same with the other sign."""
        return ExactNumbers(np.asarray(-self.numbers, dtype=object), self.missing)

    def rows(self, place: np.ndarray, there: np.ndarray) -> ExactNumbers:
        """Those in the rows `place` (n,), missing where not `there` (n,)."""
        return ExactNumbers(self.numbers[place], self.missing[place] | ~there)


def beyond_floats(values: np.ndarray) -> bool:
    """Whether float64 may round some of these whole numbers to their neighbours; False for arrays of other types.

    Examples
    --------
    >>> beyond_floats(np.array([1, 2**53])), beyond_floats(np.array([1, 2**53 + 1]))
    (False, True)
    """
    return bool(values.dtype.kind in "iu" and values.size and max(-int(values.min()), int(values.max())) > LARGEST_WHOLE)


def needs_digits(value: Any) -> bool:
    """Whether float64 may round a number to a neighbour: a large whole one, or a decimal of many digits.

    Examples
    --------
    >>> needs_digits(2**53 + 1), needs_digits(0.1), needs_digits(Decimal("0.1")), needs_digits(Decimal("0.1234567890123456"))
    (True, False, False, True)
    """
    if isinstance(value, Decimal):
        if not value.is_finite():
            return False
        significant = "".join(map(str, value.as_tuple().digits)).rstrip("0")
        return len(significant) > DECIMAL_DIGITS or not -LARGEST_WHOLE <= value <= LARGEST_WHOLE
    return not isinstance(value, (bool, float, np.floating)) and abs(int(value)) > LARGEST_WHOLE


def exact_numbers(column: np.ndarray, missing: np.ndarray) -> ExactNumbers:
    """Numbers in an object array (n,), with what is `missing` (n,) bool."""
    numbers = np.full(column.shape, 0, dtype=object)
    numbers[~missing] = [_exact(value) for value in column[~missing]]
    return ExactNumbers(numbers, missing)


def typed(digits: str) -> ExactNumbers | None:
    """A number in a text, where float64 does not have all that was typed of it.

    Examples
    --------
    >>> typed("1000000000000000003").numbers.item(), typed("0.1"), typed("9007199254740990")
    (1000000000000000003, None, None)
    """
    try:
        value = Decimal(digits)
    except InvalidOperation:  # an exponent that no number has
        return None
    if not needs_digits(value) or not np.isfinite(float(digits)):
        return None
    # Written with a point or an exponent, it is a measurement.
    number = int(value) if digits.isdecimal() else value
    return ExactNumbers(_scalar(number), np.array(False))


def aligned(left: Any, right: Any, equality: bool) -> tuple[np.ndarray, np.ndarray]:
    """Arrays whose elements compare as two columns or constants do, of which at least one is exact.

    Parameters
    ----------
    left, right : ExactNumbers or float64 array
    equality : bool
        Whether it is equality that is asked for.

    Raises
    ------
    ValueError
        Numbers in float64 that may have been rounded to a neighbour of those that they are compared with.
    """
    if isinstance(left, ExactNumbers) and isinstance(right, ExactNumbers):
        return left.numbers, right.numbers
    exact, floats = (left, right) if isinstance(left, ExactNumbers) else (right, left)
    if exact.is_constant:
        number = exact.numbers.item()
        if isinstance(number, Decimal) or _float(number) == number:
            same = exact.floats()
            return (same, floats) if exact is left else (floats, same)
    large = floats[np.isfinite(floats) & (np.abs(floats) > LARGEST_WHOLE)]
    if large.size and (equality or not exact.is_constant):
        raise ValueError(
            f"the numbers compared are in double precision where they are as large as {float(large[0]):.17g}, and may have been "
            "rounded; read them as whole numbers, and type constants digit by digit"
        )
    other = np.full(floats.shape, 0, dtype=object)
    there = ~np.isnan(floats)
    other[there] = [_exact(value) for value in np.atleast_1d(floats)[np.atleast_1d(there)]]
    return (exact.numbers, other) if exact is left else (other, exact.numbers)


def _exact(value: Any) -> int | float | Decimal:
    """A number as one that compares exactly: a float64 that is not whole stands for the shortest decimal that it is."""
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return number if not np.isfinite(number) else int(number) if number.is_integer() else Decimal(repr(number))
    return value if isinstance(value, (int, Decimal)) else int(value)


def _float(value: int | Decimal) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _floats(numbers: np.ndarray) -> np.ndarray:
    return np.array([_float(value) for value in numbers.ravel()]).reshape(numbers.shape)


def _scalar(value: int | Decimal) -> np.ndarray:
    out = np.empty((), dtype=object)
    out[()] = value
    return out
