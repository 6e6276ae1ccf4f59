"""One model of `fit`: fitted with the options of the command line, as it is printed, and saved."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsemixed.cli.streams import STANDARD, write_bytes

if TYPE_CHECKING:
    from sparsemixed.results import Results


def fitted(options: argparse.Namespace, data: Any, given: dict[str, Any]) -> tuple[Results, float]:
    """The fit and the seconds that it took."""
    from sparsemixed.api import mixed

    shown = options.progress or (sys.stderr.isatty() and not options.quiet)
    start = time.perf_counter()
    results = mixed(options.command, data, progress=_show_progress if shown else None, constraints=options.constraint, **given)
    return results, time.perf_counter() - start


def _show_progress(entry: Any) -> None:
    remark = " (backed up)" if entry.backed_up else ""
    print(f"iteration {entry.iteration}: log likelihood {entry.llf:.8g}{remark}", file=sys.stderr, flush=True)


def printed(options: argparse.Namespace, results: Results, seconds: float) -> str:
    """The tables, and what they cost."""
    fit = results.fit
    cost = f"Time: {seconds:.2f} s, iterations: {fit.iterations}, factorizations: {fit.factorizations} ({fit.solver})"
    return f"{results.summary(log=True) if options.log else results}\n\n{cost}\n"


def save(results: Results, path: str, data: bool) -> None:
    """The fit in a file, or on standard output."""
    if path != STANDARD:
        results.save(path, data=data)
        return
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "fit"
        results.save(whole, data=data)
        write_bytes(whole.read_bytes())
