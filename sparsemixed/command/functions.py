"""The functions that expressions may call: one table."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sparsemixed.command.values import KindError, Values, equal, finite, is_text, less, missing, rounded, truth
from sparsemixed.numerals import seven_digits
from sparsemixed.wildcards import compiled


@dataclass(frozen=True)
class Function:
    """A function of values.

    Attributes
    ----------
    evaluate : callable
        Takes float64 or object arrays that broadcast together, and exact numbers if `exact`; returns an array.
    fewest, most : int
        Number of arguments; `most` None means any number.
    kinds : str
        One letter per argument, the last repeated: "n" numeric, "s" string, "a" any.
    exact : bool
        Whether it only compares, so that numbers need no rounding.
    """

    evaluate: Callable[..., np.ndarray]
    fewest: int
    most: int | None
    kinds: str = "n"
    exact: bool = False

    def __call__(self, arguments: list[Values]) -> np.ndarray:
        for rank, values in enumerate(arguments):
            kind = self.kinds[min(rank, len(self.kinds) - 1)]
            if kind != "a" and is_text(values) != (kind == "s"):
                raise KindError(f"type mismatch: argument {rank + 1} must be {'a string' if kind == 's' else 'numeric'}")
        return self.evaluate(*(arguments if self.exact else map(rounded, arguments)))


def _numeric(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    return lambda *arguments: finite(function(*arguments))


def _indicator(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    return lambda *arguments: np.asarray(function(*arguments), dtype=np.float64)


def _of_strings(function: Callable[[str], object], dtype: type) -> Callable[..., np.ndarray]:
    return np.vectorize(function, otypes=[dtype])


def _inlist(values: Values, *candidates: Values) -> np.ndarray:
    found = equal(values, candidates[0])
    for candidate in candidates[1:]:
        found = found | equal(values, candidate)
    return found


def _inrange(values: Values, low: Values, high: Values) -> np.ndarray:
    """A missing bound is no bound; a missing value is never inside."""
    above = ~less(values, low)
    if not is_text(low):
        above = above | missing(low)
    return above & ~less(high, values) & ~missing(values)


def _missing(*arguments: Values) -> np.ndarray:
    result = missing(arguments[0])
    for values in arguments[1:]:
        result = result | missing(values)
    return result


def _extreme(choose: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """`fmax` or `fmin` over the arguments: missing only where all are."""

    def evaluate(*arguments: np.ndarray) -> np.ndarray:
        result = arguments[0]
        for values in arguments[1:]:
            result = choose(result, values)
        return result

    return evaluate


def _cond(test: np.ndarray, yes: np.ndarray, no: np.ndarray, unknown: np.ndarray | None = None) -> np.ndarray:
    choices = [yes, no] if unknown is None else [yes, no, unknown]
    if len({is_text(values) for values in choices}) > 1:
        raise KindError("type mismatch: cond() cannot return a string in one case and a number in another")
    result = np.where(truth(test), yes, no)
    return result if unknown is None else np.where(missing(test), unknown, result)


def _round(values: np.ndarray, unit: np.ndarray | float = 1.0) -> np.ndarray:
    unit = np.asarray(unit, dtype=np.float64)
    safe = np.where(unit == 0, 1.0, unit)
    return np.where(unit == 0, values, safe * np.floor(values / safe + 0.5))


def _mod(values: np.ndarray, divisor: np.ndarray) -> np.ndarray:
    """The remainder, at least 0 and below the divisor; there is none for divisors that are not positive."""
    return np.where(divisor > 0, values - divisor * np.floor(values / divisor), np.nan)


def _inverse_logit(values: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0.0, -values))


def _real(text: str) -> float:
    """The number that a text is; missing if it is none."""
    return float(text) if _NUMBER.fullmatch(text) else np.nan


def _string(value: float) -> str:
    """A number as Stata's %9.0g writes most; a point where it is missing."""
    return "." if np.isnan(value) else seven_digits(value)


def _strmatch(text: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """Whether the whole text is of the pattern, in which * stands for any characters and ? for one."""
    return np.vectorize(lambda one, sought: compiled(sought).matches(one), otypes=[bool])(text, pattern)


def _strpos(text: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Where the part starts, counted from 1; 0 if it is not there."""
    return np.vectorize(lambda one, sought: one.find(sought) + 1 if sought else 0, otypes=[np.float64])(text, part)


def _slice(text: str, start: float, length: float) -> str:
    """Stata's substr for one string: 1-based, counted from the end if negative, to the end if the length is missing."""
    if not np.isfinite(start):
        return ""
    first = int(start) - 1 if start > 0 else len(text) + int(start)
    if start == 0 or first < 0:
        return ""
    return text[first:] if not np.isfinite(length) else text[first : first + max(int(length), 0)]


def _substr(text: np.ndarray, start: np.ndarray, length: np.ndarray | float = np.nan) -> np.ndarray:
    return np.vectorize(_slice, otypes=[object])(text, start, np.asarray(length, dtype=np.float64))


_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_BLANKS = " \t\n"

_LENGTH = Function(_of_strings(len, np.float64), 1, 1, "s")
_LOWER = Function(_of_strings(str.lower, object), 1, 1, "s")
_UPPER = Function(_of_strings(str.upper, object), 1, 1, "s")
_TRUNCATE = Function(_numeric(np.trunc), 1, 1)
_STRING = Function(np.vectorize(_string, otypes=[object]), 1, 1)
_TRIM = Function(_of_strings(lambda text: text.strip(_BLANKS), object), 1, 1, "s")
_TRIM_LEFT = Function(_of_strings(lambda text: text.lstrip(_BLANKS), object), 1, 1, "s")
_TRIM_RIGHT = Function(_of_strings(lambda text: text.rstrip(_BLANKS), object), 1, 1, "s")
_LOG = Function(_numeric(np.log), 1, 1)
_MISSING = Function(_indicator(_missing), 1, None, "a", exact=True)

FUNCTIONS: dict[str, Function] = {
    "abs": Function(_numeric(np.abs), 1, 1),
    "atan": Function(_numeric(np.arctan), 1, 1),
    "ceil": Function(_numeric(np.ceil), 1, 1),
    "cond": Function(_cond, 3, 4, "na"),
    "cos": Function(_numeric(np.cos), 1, 1),
    "exp": Function(_numeric(np.exp), 1, 1),
    "floor": Function(_numeric(np.floor), 1, 1),
    "inlist": Function(_indicator(_inlist), 2, None, "a", exact=True),
    "inrange": Function(_indicator(_inrange), 3, 3, "a", exact=True),
    "int": _TRUNCATE,
    "invlogit": Function(_numeric(_inverse_logit), 1, 1),
    "length": _LENGTH,
    "ln": _LOG,
    "log": _LOG,
    "log10": Function(_numeric(np.log10), 1, 1),
    "logit": Function(_numeric(lambda values: np.log(values) - np.log1p(-values)), 1, 1),
    "lower": _LOWER,
    "ltrim": _TRIM_LEFT,
    "max": Function(_numeric(_extreme(np.fmax)), 1, None),
    "mi": _MISSING,
    "min": Function(_numeric(_extreme(np.fmin)), 1, None),
    "missing": _MISSING,
    "mod": Function(_numeric(_mod), 2, 2),
    "real": Function(_numeric(_of_strings(_real, np.float64)), 1, 1, "s"),
    "round": Function(_numeric(_round), 1, 2),
    "rtrim": _TRIM_RIGHT,
    "sign": Function(_numeric(np.sign), 1, 1),
    "sin": Function(_numeric(np.sin), 1, 1),
    "sqrt": Function(_numeric(np.sqrt), 1, 1),
    "string": _STRING,
    "strlen": _LENGTH,
    "strlower": _LOWER,
    "strmatch": Function(_indicator(_strmatch), 2, 2, "s"),
    "strofreal": _STRING,
    "strpos": Function(_strpos, 2, 2, "s"),
    "strtrim": _TRIM,
    "strupper": _UPPER,
    "substr": Function(_substr, 2, 3, "snn"),
    "tan": Function(_numeric(np.tan), 1, 1),
    "trim": _TRIM,
    "trunc": _TRUNCATE,
    "upper": _UPPER,
}
