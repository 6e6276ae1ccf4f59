"""`schema`: what the JSON of fits and batches holds, as a JSON schema."""

from __future__ import annotations

import argparse
from importlib import resources

from sparsemixed.cli.streams import write_text

EXAMPLES = """\
examples:
  sparsemixed schema fit > fit.schema.json
  sparsemixed schema job
"""
SCHEMAS = {
    "fit": "what fit --json writes",
    "batch": "a line of the results of batch",
    "job": "a line of JOBS, which batch reads",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which schema."""
    listed = "; ".join(f"{name}: {what}" for name, what in SCHEMAS.items())
    parser.add_argument("name", metavar="NAME", choices=tuple(SCHEMAS), help=listed)


def run(options: argparse.Namespace) -> int:
    """Print it."""
    write_text(schema(options.name))
    return 0


def schema(name: str) -> str:
    """The schema as JSON, a file of the package."""
    return (resources.files("sparsemixed.cli") / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
