"""`predict`: predictions for new data."""

from __future__ import annotations

import argparse

from sparsemixed.cli.endings import status_of
from sparsemixed.cli.sources import DATA, DELIMITER, FIT, load_fit, resolve_data
from sparsemixed.cli.streams import STANDARD, check_one, write_text

EXAMPLES = """\
examples:
  sparsemixed predict visits.fit new.csv                                      the fixed part, as CSV on the terminal
  sparsemixed predict visits.fit new.dta --what fitted --out predicted.dta    with the effects of the groups that are known
  sparsemixed predict visits.fit new.parquet --what stdp --out errors.feather

One row for each row of DATA, in the same order; missing where a variable is missing.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FIT, DATA and what to predict."""
    parser.add_argument("fit", metavar="FIT", help=FIT)
    parser.add_argument("data", metavar="DATA", help=DATA)
    parser.add_argument("--delimiter", metavar="MARK", help=DELIMITER)
    parser.add_argument(
        "--what",
        choices=("xb", "stdp", "fitted"),
        default="xb",
        help="the fixed part (default), its standard error, or the fixed part with the effects of the groups",
    )
    parser.add_argument(
        "--new-levels",
        choices=("population", "error"),
        default="population",
        help="for fitted: groups that the model does not know have no effect (default), or are an error",
    )
    parser.add_argument(
        "--out",
        metavar="OUT",
        help="file for the predictions: .csv, .parquet, .feather, .dta; default, and -: CSV on standard output",
    )


def run(options: argparse.Namespace) -> int:
    """Predict for the rows of the data."""
    check_one("standard input", options.fit, options.data)
    to_file = options.out not in (None, STANDARD)
    if to_file:
        from sparsemixed.storage.destination import check_destination
        from sparsemixed.storage.table_file import check_format

        check_format(options.out)
        check_destination(options.out)
    results = load_fit(options.fit)
    found = results.predict(resolve_data(options.data, options.delimiter), options.what, new_levels=options.new_levels).to_frame()
    if to_file:
        from sparsemixed.storage.table_file import write_table

        write_table(found, options.out)
    else:
        write_text(found.to_csv(index=False))
    return status_of(results)
