"""`batch`: many fits from one start."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sparsemixed.cli.endings import BROKEN_OFF, CONVERGED, NOT_CONVERGED
from sparsemixed.cli.loading import load_fitting
from sparsemixed.cli.streams import STANDARD
from sparsemixed.errors import OptionError

if TYPE_CHECKING:
    from sparsemixed.cli.batch.journal import Journal, Standing
    from sparsemixed.cli.batch.units import Unit

EXAMPLES = """\
examples:
  sparsemixed batch jobs.jsonl --jobs 4 --out results.parquet
  sparsemixed batch jobs.jsonl --out estimates.csv --long
  make-jobs | sparsemixed batch - --out - > results.jsonl

A line of JOBS is a JSON object:
  {"id": "a", "data": "pig.dta", "model": "weight week || id:", "options": {"reml": true}}
  {"id": "b", "data": "visits.csv", "model": "y ~ time + (1 | id)", "by": "region", "save": "fit-{}.fit"}

The same command again does what is not done yet: OUT.journal holds what is.
"""
EXIT_STATUS = """
exit status: 0 every fit converged, 1 some failed or did not converge, 2 nothing was fitted for an error in the jobs or the
arguments, 3 an internal error, 130 interrupted: the same command again goes on
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """JOBS, how many processes, where to."""
    parser.add_argument("jobs_file", metavar="JOBS", help="a file with a JSON object on each line; - for standard input")
    parser.add_argument("--jobs", metavar="N", default="1", help="processes, each on one core; default: 1")
    parser.add_argument(
        "--out",
        metavar="OUT",
        required=True,
        help="the results: .parquet, .csv, .csv.gz, .feather, .jsonl; - for lines of JSON on standard output",
    )
    parser.add_argument("--long", action="store_true", help="a row for each estimate, not for each fit; not for .jsonl")
    parser.add_argument("--retry", action="store_true", help="also repeat what failed or did not converge before")
    parser.add_argument("--restart", action="store_true", help="repeat everything")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    parser.add_argument("--progress", action="store_true", help="report progress on standard error even without a terminal")


def run(options: argparse.Namespace) -> int:
    """Fit what is not done yet, and write the results of everything."""
    from sparsemixed.cli.batch.jobs import read_jobs

    n_processes = _number_of_processes(options.jobs)
    _check_output(options)
    jobs = read_jobs(options.jobs_file)
    load_fitting()
    from sparsemixed.cli.batch.journal import ENDING, Journal, Standing
    from sparsemixed.cli.batch.shelf import Shelf
    from sparsemixed.cli.batch.units import units_of

    shelf = Shelf()
    units = units_of(jobs, shelf)
    if options.out == STANDARD:
        return _run(options, units, shelf, n_processes, Standing(_write_line))
    path = Path(options.out).expanduser()
    with Journal(path.with_name(path.name + ENDING), options.restart) as journal:
        return _run(options, units, shelf, n_processes, journal)


def _number_of_processes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1024):
        raise OptionError(f"--jobs {text} is no number of processes; it is a whole number from 1 to 1024")
    return int(text)


def _check_output(options: argparse.Namespace) -> None:
    """Refuse what cannot be written, before the work."""
    if options.retry and options.restart:
        raise OptionError("--retry repeats some fits and --restart all; give one of them")
    if options.out == STANDARD or options.out.lower().endswith(".jsonl"):
        if options.long:
            raise OptionError(
                "--long is a table, and lines of JSON have all estimates; leave it out, or write a .csv or .parquet"
            )
    if options.out == STANDARD:
        return
    from sparsemixed.cli.batch.journal import ENDING
    from sparsemixed.storage.destination import check_destination

    path = Path(options.out).expanduser()
    from sparsemixed.cli.batch.table import check_format

    check_format(path)
    check_destination(path)
    check_destination(path.with_name(path.name + ENDING))


def _write_line(line: bytes) -> None:
    sys.stdout.write(line.decode())
    sys.stdout.flush()


def _run(options: argparse.Namespace, units: list[Unit], shelf, n_processes: int, journal: Journal | Standing) -> int:
    from sparsemixed.cli.batch.interruption import Interruption
    from sparsemixed.cli.batch.processes import run_here, run_in_processes
    from sparsemixed.cli.batch.progress import Progress
    from sparsemixed.solver.groups.profiled import expect

    left = [unit for unit in units if unit.key not in journal or (options.retry and journal.outcome(unit.key) != "converged")]
    expect(len(left))
    shown = options.progress or (sys.stderr is not None and sys.stderr.isatty() and not options.quiet)
    progress = Progress(len(left), shown)

    def done(unit: Unit, outcome: str, line: bytes) -> None:
        journal.add(unit.key, outcome, line)
        progress.add(outcome)

    with Interruption() as interruption:
        try:
            if n_processes == 1 or len(left) < 2:
                run_here(left, shelf, done, interruption)
            else:
                run_in_processes(left, shelf, n_processes, done, interruption)
        except KeyboardInterrupt:
            interruption.asked = True
        progress.clear()
        _write(options, units, journal)
    return _end(options, units, journal, len(units) - len(left), interruption.asked)


def _write(options: argparse.Namespace, units: list[Unit], journal) -> None:
    if options.out != STANDARD:
        from sparsemixed.cli.batch.table import write_results

        write_results(journal.lines([unit.key for unit in units]), Path(options.out), options.long)


def _end(options: argparse.Namespace, units: list[Unit], journal, before: int, interrupted: bool) -> int:
    """What came of everything, in words and as a status."""
    outcomes = [journal.outcome(unit.key) for unit in units if unit.key in journal]
    counts = {name: outcomes.count(name) for name in ("converged", "not converged", "failed")}
    if interrupted:
        again = "" if options.out == STANDARD else "; the same command again goes on"
        print(f"sparsemixed: interrupted: {len(outcomes)} of {len(units)} fits are done{again}", file=sys.stderr)
        return BROKEN_OFF
    if not options.quiet:
        told = ", ".join(f"{number} {name}" for name, number in counts.items() if number or name == "converged")
        earlier = f", {before} of them before" if before else ""
        print(f"sparsemixed: {len(units)} fits: {told}{earlier}", file=sys.stderr)
    return CONVERGED if counts["converged"] == len(units) else NOT_CONVERGED
