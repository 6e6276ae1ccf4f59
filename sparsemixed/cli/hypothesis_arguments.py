"""Arguments that `test`, `lincom`, `nlcom` and `testnl` share."""

from __future__ import annotations

import argparse

from sparsemixed.errors import OptionError

EXAMPLE = {"--level": "90", "--df": "30"}


def add_test_options(parser: argparse.ArgumentParser) -> None:
    """--small, --df and --mtest."""
    parser.add_argument("--small", action="store_true", help="F test with the degrees of freedom of the fit's dfmethod")
    parser.add_argument("--df", metavar="#", help="denominator degrees of freedom of F tests")
    parser.add_argument(
        "--mtest",
        metavar="METHOD",
        help="test equations one by one, p-values adjusted: noadjust, bonferroni, holm, sidak",
    )


def add_combination_options(parser: argparse.ArgumentParser) -> None:
    """--level, --small and --df."""
    parser.add_argument("--level", metavar="#", help="confidence level in per cent; default: that of the fit")
    parser.add_argument("--small", action="store_true", help="t test with the degrees of freedom of the fit's dfmethod")
    parser.add_argument("--df", metavar="#", help="degrees of freedom of t tests")


def number(text: str | None, option: str) -> float | None:
    """The number of an option, if it was given.

    Raises
    ------
    OptionError
        If it is none.
    """
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise OptionError(f"{option} {text} is no number; write {option} {EXAMPLE[option]}") from None
