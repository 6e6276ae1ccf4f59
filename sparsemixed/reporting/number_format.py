"""Numbers as Stata's formats print them."""

from __future__ import annotations

import math

from sparsemixed.command.number_formats import parse_format
from sparsemixed.numerals import without_zero


def general(value: float, width: int = 9) -> str:
    """Stata's `%<width>.0g`: as many significant digits as fit, no trailing zeros, no zero before the point.

    Two places are kept for a sign and a point, so width 9 shows seven digits. Below 1e-5, where the fixed form would have
    fewer digits than the exponential one, and above width - 2 digits, the exponential form is used.

    Examples
    --------
    >>> general(25337.4912), general(0.36806684), general(6.7123e-10), general(-0.0984378)
    ('25337.49', '.3680668', '6.71e-10', '-.0984378')
    """
    if math.isnan(value) or math.isinf(value):
        return "."
    if value == 0:
        return "0"
    digits = width - 2
    exponent = int(f"{abs(value):.{digits - 1}e}".partition("e")[2])
    if exponent >= digits or exponent < -5:
        return f"{value:.{max(width - 7, 0)}e}"
    decimals = digits if exponent < 0 else digits - 1 - exponent
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return without_zero(text)


def fixed(value: float, decimals: int) -> str:
    """Stata's `%#.<decimals>f`, with `.` for a missing value."""
    return f"{value:.{decimals}f}" if math.isfinite(value) else "."


def statistic(value: float) -> str:
    """A z or t statistic with two decimals, and without them where it would run into the number before it.

    Examples
    --------
    >>> statistic(-6.768), statistic(39001762.34)
    ('-6.77', '3.9e+07')
    """
    text = fixed(value, 2)
    return text if len(text) <= 9 else f"{value:.1e}"


def thousands(value: float, decimals: int) -> str:
    """The same with commas: `2,998.00`."""
    return f"{value:,.{decimals}f}" if math.isfinite(value) else "."


def count(value: float) -> str:
    """A whole number with commas: `73,421`."""
    return f"{int(value):,}"


def percent(level: float) -> str:
    """A confidence level without needless decimals: `95`, `99.5`."""
    return f"{level:g}"


def once(value: float) -> str:
    """An estimate that stands in the first of several lines; nothing in the others."""
    return "" if math.isnan(value) else general(value)


FORMATS = {
    "estimate": general,
    "once": once,
    "std_err": general,
    "limit": general,
    "statistic": statistic,
    "pvalue": lambda x: fixed(x, 3),
    "probability": lambda x: fixed(x, 4),
    "chi2": lambda x: fixed(x, 2),
    "df": lambda x: thousands(x, 1),
    "ddf": lambda x: thousands(x, 2),
    "count": count,
    "average": lambda x: f"{x:,.1f}",
    "criterion": lambda x: general(x, 10),
    "number": general,
}
"""How each semantic kind of number is written; every renderer reads this table."""


def formatted(value: float, text: str) -> str:
    """A number in one of Stata's formats; a point where it is missing, fewer digits where it would be too wide.

    Examples
    --------
    >>> formatted(1234.5678, "%8.2f"), formatted(0.5, "%9.3e"), formatted(0.0625, "%9.0g"), formatted(1e9, "%5.2f")
    ('1234.57', '5.000e-01', '.0625', '1e+09')
    """
    asked = parse_format(text)
    if not math.isfinite(value):
        return "."
    if asked.style == "g" and asked.digits == 0:
        return general(value, asked.width)
    shown = f"{value:{',' if asked.commas else ''}.{asked.digits}{asked.style}}"
    if asked.style == "g":
        shown = without_zero(shown)
    return shown if len(shown) <= asked.width else general(value, asked.width)


def written(value: float, kind: str) -> str:
    """A number in the format of its kind."""
    return FORMATS[kind](value)
