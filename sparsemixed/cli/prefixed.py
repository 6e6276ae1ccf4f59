"""`fit` of a command with a prefix: what it returns is printed, and its numbers are written as rows."""

from __future__ import annotations

import argparse
from typing import Any

from sparsemixed.cli.endings import CONVERGED, NOT_CONVERGED
from sparsemixed.cli.fit_by_level import fit_by_level
from sparsemixed.cli.record import plain, write_json
from sparsemixed.cli.streams import write_text
from sparsemixed.command.prefixes import Prefixed, read_prefix
from sparsemixed.errors import OptionError


def fit_prefixed(options: argparse.Namespace, prefixed: Prefixed, data: Any, given: dict[str, Any]) -> int:
    """Print what a prefix makes of a model; the status tells whether something failed.

    Raises
    ------
    OptionError
        Options of the command line that are about a single fit.
    """
    if options.by:
        raise OptionError(f'--by {options.by} and a prefix: write the prefix by first, "by {options.by}: {options.command}"')
    if prefixed.prefix.function == "by" and read_prefix(prefixed.rest) is None:
        options.command = prefixed.rest
        return fit_by_level(options, data, given, prefixed.variables)
    name = prefixed.prefix.name
    if options.save:
        raise OptionError(f"--save is about a fit, and the prefix {name} makes something else; --json writes its numbers")
    from sparsemixed.api import mixed

    found: Any = mixed(options.command, data, constraints=options.constraint, **given)
    table = found if not hasattr(found, "frame") else found.frame.reset_index()
    if not options.quiet:
        write_text(f"{_text(found)}\n")
    if options.json:
        write_json(options.json, {"command": options.command, "prefix": name, "rows": _rows(table)})
    return NOT_CONVERGED if "message" in table and table["message"].notna().any() else CONVERGED


def _text(found: Any) -> str:
    """Tables as they are shown; a data frame whole."""
    return str(found) if hasattr(found, "document") else found.to_string(index=False)


def _rows(table: Any) -> list[dict[str, Any]]:
    table = table.astype(object).where(table.notna(), None)
    return [plain(dict(zip(table.columns, row, strict=True))) for row in table.itertuples(index=False, name=None)]
