"""`show`: the tables of a saved fit."""

from __future__ import annotations

import argparse

from sparsemixed.cli.endings import status_of
from sparsemixed.cli.sources import FIT, load_fit
from sparsemixed.cli.streams import write_text

EXAMPLES = """\
examples:
  sparsemixed show visits.fit
  sparsemixed show visits.fit --level 90 --stddeviations --nofetable
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FIT, and words that are display options."""
    parser.usage = "sparsemixed show FIT [any display option]"
    parser.add_argument("fit", metavar="FIT", help=FIT)
    parser.set_defaults(takes_words=True)


def run(options: argparse.Namespace) -> int:
    """Print the tables."""
    from sparsemixed.command.shell import display_options

    shown = display_options(options.words)
    results = load_fit(options.fit)
    write_text(f"{results.summary(**shown)}\n")
    return status_of(results)
