"""`testnl`: Wald tests of nonlinear hypotheses."""

from __future__ import annotations

import argparse

from sparsemixed.cli.documents import add_output, check_output, write_shown
from sparsemixed.cli.endings import status_of
from sparsemixed.cli.hypothesis_arguments import add_test_options, number
from sparsemixed.cli.sources import FIT, load_fit

EXAMPLES = """\
examples:
  sparsemixed testnl visits.fit "_b[2.drug]*_b[3.drug] = 1"
  sparsemixed testnl visits.fit "(var(_cons) = 2*var(Residual)) (time = 2.drug^2)" --mtest holm
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FIT and HYPOTHESIS."""
    parser.add_argument("fit", metavar="FIT", help=FIT)
    parser.add_argument("hypothesis", metavar="HYPOTHESIS", help="equations, in quotes")
    add_test_options(parser)
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Test, and write the statistic."""
    check_output(options)
    results = load_fit(options.fit)
    found = results.testnl(options.hypothesis, mtest=options.mtest, small=options.small, df=number(options.df, "--df"))
    write_shown(found, options)
    return status_of(results)
