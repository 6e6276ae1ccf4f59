"""`compare`: saved fits side by side."""

from __future__ import annotations

import argparse
from pathlib import Path

from sparsemixed.cli.documents import add_output, check_output, write_shown
from sparsemixed.cli.endings import status_of
from sparsemixed.cli.sources import FIT, load_fit
from sparsemixed.cli.streams import check_one

EXAMPLES = """\
examples:
  sparsemixed compare intercepts.fit slopes.fit
  sparsemixed compare intercepts.fit slopes.fit --stats N,ll,aic,N_g --stars --out table.tex
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Any number of FITs."""
    parser.add_argument("fits", metavar="FIT", nargs="+", help=FIT)
    parser.add_argument("--names", metavar="NAMES", help="heads of the columns, separated by commas; default: the files' names")
    parser.add_argument("--stats", metavar="STATS", default="N,ll,aic,bic", help="N, ll, df, aic, bic, ... or names of e()")
    parser.add_argument("--no-se", action="store_true", help="leave out standard errors")
    parser.add_argument("--stars", action="store_true", help="mark coefficients by their p-values")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Write the table."""
    check_one("standard input", *options.fits)
    check_output(options)
    fits = [load_fit(name) for name in options.fits]
    from sparsemixed.comparisons import compare

    names = options.names.split(",") if options.names else _names(options.fits)
    write_shown(compare(*fits, names=names, stats=options.stats.split(","), se=not options.no_se, stars=options.stars), options)
    return status_of(*fits)


def _names(files: list[str]) -> list[str] | None:
    """Files without folders and endings; numbers where those are not different."""
    found = [Path(name).stem for name in files]
    return found if len(set(found)) == len(found) else None
