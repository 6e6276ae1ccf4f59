"""`nlcom`: nonlinear functions of coefficients and variance parameters."""

from __future__ import annotations

import argparse

from sparsemixed.cli.documents import add_output, check_output, write_shown
from sparsemixed.cli.endings import status_of
from sparsemixed.cli.hypothesis_arguments import add_combination_options, number
from sparsemixed.cli.sources import FIT, load_fit

EXAMPLES = """\
examples:
  sparsemixed nlcom visits.fit "_b[2.drug]/_b[3.drug]"
  sparsemixed nlcom visits.fit "icc: var(_cons)/(var(_cons) + var(Residual))" --level 90 --format markdown

An expression that begins with a minus sign follows two of them: nlcom visits.fit -- "-time^2".
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FIT and EXPRESSION."""
    parser.add_argument("fit", metavar="FIT", help=FIT)
    parser.add_argument("expression", metavar="EXPRESSION", help="the functions, in quotes")
    add_combination_options(parser)
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Estimate, and write the table."""
    check_output(options)
    results = load_fit(options.fit)
    level, df = number(options.level, "--level"), number(options.df, "--df")
    write_shown(results.nlcom(options.expression, level=level, small=options.small, df=df), options)
    return status_of(results)
