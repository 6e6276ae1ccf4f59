"""The program: the subcommands, which one was asked for, and every way it can end in a status and at most one message."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import logging
import os
import sys
import traceback
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from sparsemixed.cli.endings import BROKEN_OFF, INTERNAL_ERROR, USER_ERROR, one_message
from sparsemixed.errors import NotEstimableWarning, SparseMixedError, SparseMixedWarning, printable

if TYPE_CHECKING:
    from types import ModuleType

VERSION = sys.modules["sparsemixed"].__version__  # a package is always imported before its modules
COMMANDS = {
    "fit": "fit a model and print its tables",
    "batch": "fit many models, each a line of a file",
    "show": "print the tables of a saved fit",
    "report": "write the tables of a saved fit as text, Markdown, HTML or LaTeX, or a page with pictures",
    "predict": "predict for new data from a saved fit",
    "test": "test a linear hypothesis about the coefficients of a saved fit",
    "lincom": "estimate a linear combination of the coefficients of a saved fit",
    "nlcom": "estimate nonlinear functions of the estimates of a saved fit",
    "testnl": "test a nonlinear hypothesis about the estimates of a saved fit",
    "profile": "limits of the estimates of a saved fit by profile likelihood",
    "lrtest": "compare two saved fits by their likelihoods",
    "compare": "set saved fits side by side in one table",
    "schema": "print the JSON schema of what fit --json and batch write",
    "completion": "print a script that completes commands in a shell",
}
"""Subcommand -> what it does; each is a file of `cli.commands`, which is loaded when it is asked for."""
EXIT_STATUS = """
exit status: 0 converged, 1 fitted but not converged, 2 an error in the command or the data, 3 an internal error
"""
EXAMPLES = """\
examples:
  sparsemixed fit pig.dta "weight week || id: week, covariance(unstructured) reml"
  sparsemixed fit ratings.csv "y ~ x + (1 | user) + (1 | item)" --reml --json fit.json
  sparsemixed fit visits.parquet "y i.drug##c.time if age < 65 || id:" --save visits.fit --quiet
  sparsemixed show visits.fit --level 90 --stddeviations
  sparsemixed test visits.fit "2.drug = 3.drug = 0"
  sparsemixed predict visits.fit new.csv --what fitted --out predicted.csv
  sparsemixed batch jobs.jsonl --jobs 4 --out results.parquet
"""


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        usage = " ".join(self.format_usage().split())
        self.exit(USER_ERROR, f"{self.prog}: {printable(message)} ({usage})\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    known = parser([name for name in given[:1] if name in COMMANDS])
    options, options.words = known.parse_known_args(given)
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
        return _failed(one_message(error), USER_ERROR)
    except BrokenPipeError:
        _leave_output()
        return _failed("standard output was closed before everything was written", USER_ERROR)
    except OSError as error:
        where = f"`{error.filename}`: " if error.filename else ""
        return _failed(f"{where}{error.strerror or error}", USER_ERROR)
    except KeyboardInterrupt:
        return _failed("interrupted", BROKEN_OFF)
    except Exception as error:  # the last resort of a program: whatever went wrong inside ends in one line
        if options.debug:
            traceback.print_exc()
        what = " ".join(printable(str(error)).split("\n"))
        return _failed(f"internal error: {type(error).__name__}: {what} (--debug shows where)", INTERNAL_ERROR)


def process() -> int:
    """`main` for a process of its own, which is not taken apart at its end: that takes longer than to read a small file."""
    ended: list[int] = []
    atexit.register(_leave, ended)  # called last: what is registered later comes first
    ended.append(main())
    return ended[0]


def _leave(ended: list[int]) -> None:
    """End the process here; in the ordinary way where it did not come to its end, or has output that cannot be written."""
    if not ended:
        return
    logging.shutdown()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended[0])


def _failed(message: str, status: int) -> int:
    with contextlib.suppress(OSError):  # nobody may be left to read it
        print(f"sparsemixed: {message}", file=sys.stderr)
    return status


def _leave_output() -> None:
    """Python would meet the closed stream again when it flushes it at the end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(told: list[warnings.WarningMessage]) -> None:
    for one in told:
        if issubclass(one.category, NotEstimableWarning):
            print(f"sparsemixed: {one.message}", file=sys.stderr)
        elif not issubclass(one.category, SparseMixedWarning):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def parser(wanted: list[str] | None = None) -> argparse.ArgumentParser:
    """All commands, those that are wanted (by default all) with their options."""
    top = Parser(
        prog="sparsemixed",
        description="Linear mixed-effects models.",
        epilog=f"{EXAMPLES}{EXIT_STATUS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"sparsemixed {VERSION}")
    commands = top.add_subparsers(required=True, metavar=f"{{{','.join(COMMANDS)}}}")
    for name in COMMANDS:
        if wanted is None or name in wanted:
            _add(commands, name, import_module(f"sparsemixed.cli.commands.{name}"))
        else:
            commands.add_parser(name, help=COMMANDS[name])
    return top


def _add(commands: Any, name: str, command: ModuleType) -> None:
    what = COMMANDS[name]
    # Abbreviations are off: --l could be --log or the model's --level.
    one = commands.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=f"{command.EXAMPLES}{getattr(command, 'EXIT_STATUS', EXIT_STATUS)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    one.add_argument("--debug", action="store_true", help="show where an internal error happened")
    one.set_defaults(run=command.run, takes_words=False)
    command.add_arguments(one)
