"""`lincom`: linear combinations of coefficients."""

from __future__ import annotations

import argparse

from sparsemixed.cli.documents import add_output, check_output, write_shown
from sparsemixed.cli.endings import status_of
from sparsemixed.cli.hypothesis_arguments import add_combination_options, number
from sparsemixed.cli.sources import FIT, load_fit

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
    add_combination_options(parser)
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Estimate, and write the table."""
    check_output(options)
    results = load_fit(options.fit)
    level, df = number(options.level, "--level"), number(options.df, "--df")
    write_shown(results.lincom(options.expression, level, options.small, df=df), options)
    return status_of(results)
