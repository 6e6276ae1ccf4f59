"""Numbers as Stata's formats print them."""

from __future__ import annotations

import math


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
        return f"{value:.{width - 7}e}"
    decimals = digits if exponent < 0 else digits - 1 - exponent
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def fixed(value: float, decimals: int) -> str:
    """Stata's `%#.<decimals>f`, with `.` for a missing value."""
    return f"{value:.{decimals}f}" if math.isfinite(value) else "."


def count(value: float) -> str:
    """A whole number with commas: `73,421`."""
    return f"{int(value):,}"


def percent(level: float) -> str:
    """A confidence level without needless decimals: `95`, `99.5`."""
    return f"{level:g}"


FORMATS = {
    "estimate": general,
    "std_err": general,
    "limit": general,
    "statistic": lambda x: fixed(x, 2),
    "pvalue": lambda x: fixed(x, 3),
    "probability": lambda x: fixed(x, 4),
    "chi2": lambda x: fixed(x, 2),
    "df": lambda x: fixed(x, 1),
    "ddf": lambda x: fixed(x, 2),
    "count": count,
    "average": lambda x: f"{x:,.1f}",
    "criterion": lambda x: general(x, 10),
}
"""How each semantic kind of number is written; every renderer reads this table."""


def written(value: float, kind: str) -> str:
    """A number in the format of its kind."""
    return FORMATS[kind](value)
