"""`lrtest`: two fits by their likelihoods."""

from __future__ import annotations

import argparse

from sparsemixed.cli.documents import add_output, check_output, write_shown
from sparsemixed.cli.endings import status_of
from sparsemixed.cli.sources import FIT, load_fit
from sparsemixed.cli.streams import check_one

EXAMPLES = """\
examples:
  sparsemixed lrtest intercepts.fit slopes.fit
  sparsemixed lrtest intercepts.fit slopes.fit --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two times FIT."""
    parser.add_argument("first", metavar="FIT", help=FIT)
    parser.add_argument("second", metavar="FIT", help="the other one, one of them nested in the other; in either order")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Test, and write the statistic."""
    check_one("standard input", options.first, options.second)
    check_output(options)
    fits = load_fit(options.first), load_fit(options.second)
    from sparsemixed.comparisons import lrtest

    write_shown(lrtest(*fits), options)
    return status_of(*fits)
