"""`test`: Wald tests of linear hypotheses."""

from __future__ import annotations

import argparse

from sparsemixed.cli.documents import add_output, check_output, write_shown
from sparsemixed.cli.endings import status_of
from sparsemixed.cli.hypothesis_arguments import add_test_options, number
from sparsemixed.cli.sources import FIT, load_fit

EXAMPLES = """\
examples:
  sparsemixed test visits.fit "2.drug = 3.drug = 0"
  sparsemixed test visits.fit "(time = 0.5) (2.drug = 3.drug)" --small
  sparsemixed test visits.fit "i.drug#c.time" --terms --format json
  sparsemixed test visits.fit "(2.drug) (3.drug)" --mtest holm
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FIT and HYPOTHESIS."""
    parser.add_argument("fit", metavar="FIT", help=FIT)
    parser.add_argument("hypothesis", metavar="HYPOTHESIS", help="equations, or names of coefficients, in quotes")
    parser.add_argument("--terms", action="store_true", help="HYPOTHESIS lists terms, all of whose coefficients are zero")
    add_test_options(parser)
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Test, and write the statistic."""
    check_output(options)
    results = load_fit(options.fit)
    test = results.testparm if options.terms else results.test
    write_shown(test(options.hypothesis, small=options.small, mtest=options.mtest, df=number(options.df, "--df")), options)
    return status_of(results)
