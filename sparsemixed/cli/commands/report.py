"""`report`: the tables of a saved fit in any format."""

from __future__ import annotations

import argparse

from sparsemixed.cli.documents import FORMATS, add_output, check_output, format_of, write_document
from sparsemixed.cli.endings import status_of
from sparsemixed.cli.sources import FIT, load_fit

EXAMPLES = """\
examples:
  sparsemixed report visits.fit --out visits.html
  sparsemixed report visits.fit --format markdown --noheader --level 90
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FIT, the format, and words that are display options."""
    parser.usage = "sparsemixed report FIT [--format FORMAT] [--out OUT] [any display option]"
    parser.add_argument("fit", metavar="FIT", help=FIT)
    add_output(parser, FORMATS)
    parser.set_defaults(takes_words=True)


def run(options: argparse.Namespace) -> int:
    """Write what the printed tables hold."""
    from sparsemixed.command.shell import display_options

    shown = display_options(options.words)
    check_output(options)
    results = load_fit(options.fit)
    write_document(results.render(format_of(options), **shown), options, results.fit.spec.text)
    return status_of(results)
