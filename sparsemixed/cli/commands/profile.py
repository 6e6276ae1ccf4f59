"""`profile`: limits by profile likelihood, from a fit that was saved with its data."""

from __future__ import annotations

import argparse

from sparsemixed.cli.documents import FORMATS, add_output, check_output, write_document, write_shown
from sparsemixed.cli.endings import status_of
from sparsemixed.cli.hypothesis_arguments import number
from sparsemixed.cli.sources import FIT, load_fit

EXAMPLES = """\
examples:
  sparsemixed fit visits.csv "y time || id: time" --save visits.fit --save-data
  sparsemixed profile visits.fit --stddeviations
  sparsemixed profile visits.fit time "icc: var(_cons)/(var(_cons) + var(Residual))" --level 90
  sparsemixed profile visits.fit --criterion ml --out limits.csv
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FIT, NAMEs, --level, --criterion, --stddeviations and where the output goes."""
    parser.add_argument("fit", metavar="FIT", help=f"{FIT}, with --save-data")
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help="coefficients, variance parameters, functions of both as in nlcom; default: all"
    )
    parser.add_argument("--level", metavar="#", help="confidence level in per cent; default: that of the fit")
    parser.add_argument(
        "--criterion",
        choices=("ml", "reml"),
        help="default: REML's for variance parameters of a fit by REML, and ML for whatever depends on coefficients",
    )
    parser.add_argument(
        "--stddeviations",
        action="store_true",
        default=None,
        help="standard deviations and correlations; default: as in the tables of the fit",
    )
    add_output(parser, (*FORMATS, "csv", "json"))


def run(options: argparse.Namespace) -> int:
    """Profile, and write the limits."""
    check_output(options)
    results, level = load_fit(options.fit), number(options.level, "--level")
    found = results.profile(options.names or None, level, options.criterion, stddeviations=options.stddeviations)
    named = (options.out or "").lower().endswith(".csv")
    if options.format == "csv" or (options.format is None and named):
        write_document(found.limits.to_csv(index_label="name", lineterminator="\n"), options)
    else:
        write_shown(found, options)
    return status_of(results)
