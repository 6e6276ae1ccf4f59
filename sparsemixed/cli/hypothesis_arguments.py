"""Arguments that `test`, `lincom`, `nlcom` and `testnl` share."""

from __future__ import annotations

import argparse
from typing import Literal

from sparsemixed.cli.documents import add_output, check_output, write_shown
from sparsemixed.cli.endings import status_of
from sparsemixed.cli.sources import FIT, load_fit
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


def add_combination_arguments(parser: argparse.ArgumentParser, what: str) -> None:
    """FIT, EXPRESSION, of which the help says `what` it is, --level, --small, --df and where the output goes."""
    parser.add_argument("fit", metavar="FIT", help=FIT)
    parser.add_argument("expression", metavar="EXPRESSION", help=f"{what}, in quotes")
    parser.add_argument("--level", metavar="#", help="confidence level in per cent; default: that of the fit")
    parser.add_argument("--small", action="store_true", help="t test with the degrees of freedom of the fit's dfmethod")
    parser.add_argument("--df", metavar="#", help="degrees of freedom of t tests")
    add_output(parser)


def write_combination(options: argparse.Namespace, method: Literal["lincom", "nlcom"]) -> int:
    """Estimate by a method of the fit, write the table, and return the exit status."""
    check_output(options)
    results = load_fit(options.fit)
    level, df = number(options.level, "--level"), number(options.df, "--df")
    write_shown(getattr(results, method)(options.expression, level=level, small=options.small, df=df), options)
    return status_of(results)


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
