"""`lincom`: linear combinations of coefficients."""

from __future__ import annotations

import argparse

from sparsemixed.cli.documents import add_output, check_output, write_shown
from sparsemixed.cli.endings import status_of
from sparsemixed.cli.sources import FIT, load_fit
from sparsemixed.errors import OptionError

EXAMPLES = """\
examples:
  sparsemixed lincom visits.fit "2.drug - 3.drug"
  sparsemixed lincom visits.fit "time + 6*2.drug#c.time" --level 90 --small --format markdown

An expression that begins with a minus sign follows two of them: lincom visits.fit -- "-time".
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FIT and EXPRESSION."""
    parser.add_argument("fit", metavar="FIT", help=FIT)
    parser.add_argument("expression", metavar="EXPRESSION", help="the combination, in quotes")
    parser.add_argument("--level", metavar="#", help="confidence level in per cent; default: that of the fit")
    parser.add_argument("--small", action="store_true", help="t test with the degrees of freedom of the fit's dfmethod")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Estimate, and write the table."""
    check_output(options)
    level = None if options.level is None else _number(options.level)
    results = load_fit(options.fit)
    write_shown(results.lincom(options.expression, level, options.small), options)
    return status_of(results)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise OptionError(f"--level {text} is no number; write --level 90") from None
