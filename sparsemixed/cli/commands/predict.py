"""`predict`: predictions for new data."""

from __future__ import annotations

import argparse

import pandas as pd

from sparsemixed.cli.endings import status_of
from sparsemixed.cli.sources import DATA, DELIMITER, FIT, load_fit, resolve_data
from sparsemixed.cli.streams import STANDARD, check_one, write_text

EXAMPLES = """\
examples:
  sparsemixed predict visits.fit new.csv                                      the fixed part, as CSV on the terminal
  sparsemixed predict visits.fit new.dta --what fitted --out predicted.dta    with the effects of the groups that are known
  sparsemixed predict visits.fit new.parquet --what stdp --out errors.feather
  sparsemixed predict visits.fit later.csv --what fitted --interval prediction --update    from their own responses

One row for each row of DATA, in the same order; missing where a variable is missing.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FIT, DATA and what to predict."""
    parser.add_argument("fit", metavar="FIT", help=FIT)
    parser.add_argument("data", metavar="DATA", help=DATA)
    parser.add_argument("--delimiter", metavar="MARK", help=DELIMITER)
    parser.add_argument(
        "--what",
        choices=("xb", "stdp", "fitted", "response"),
        default="xb",
        help="the fixed part (default), its standard error, that with the effects of the groups, or with errors as well",
    )
    parser.add_argument(
        "--interval",
        choices=("confidence", "prediction"),
        help="add standard errors and limits: of the mean in the group, or of a new observation there",
    )
    parser.add_argument("--level", type=float, metavar="PERCENT", help="of the limits; by default that of the fit")
    parser.add_argument("--update", action="store_true", help="for fitted: predict groups' effects from responses in DATA too")
    parser.add_argument(
        "--new-levels",
        choices=("population", "draw", "error"),
        default="population",
        help="for fitted: groups that the model does not know have no effect (default), a drawn one, or are an error",
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
    data = resolve_data(options.data, options.delimiter)
    asked = {"level": options.level, "interval": options.interval, "new_levels": options.new_levels, "update": options.update}
    found = results.predict(data, options.what, **asked)
    found = found.to_frame() if isinstance(found, pd.Series) else found
    if to_file:
        from sparsemixed.storage.table_file import write_table

        write_table(found, options.out)
    else:
        write_text(found.to_csv(index=False))
    return status_of(results)
