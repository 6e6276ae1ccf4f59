"""Numbers as Stata writes them into texts: no zero before the point."""

from __future__ import annotations


def without_zero(text: str) -> str:
    """A number without the zero before its point.

    Examples
    --------
    >>> without_zero("0.25"), without_zero("-0.5"), without_zero("10.5"), without_zero("0")
    ('.25', '-.5', '10.5', '0')
    """
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def seven_digits(value: float) -> str:
    """A number in an equation or a text: seven digits.

    Examples
    --------
    >>> seven_digits(1 / 3), seven_digits(-2.5), seven_digits(4.0)
    ('.3333333', '-2.5', '4')
    """
    return without_zero(f"{value:.7g}")
