"""`report`: the tables of a saved fit in any format, or a page with tables, diagnostics and pictures."""

from __future__ import annotations

import argparse

from sparsemixed.cli.documents import FORMATS, add_output, check_output, format_of, write_document
from sparsemixed.cli.endings import status_of
from sparsemixed.cli.sources import FIT, load_fit

EXAMPLES = """\
examples:
  sparsemixed report visits.fit --out visits.html
  sparsemixed report visits.fit --format markdown --noheader --level 90
  sparsemixed report visits.fit -o visits-report.html
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FIT, the format, and words that are display options."""
    parser.usage = "sparsemixed report FIT [-o PAGE] [--format FORMAT] [--out OUT] [any display option]"
    parser.add_argument("fit", metavar="FIT", help=FIT)
    page = "HTML file for a whole report: tables, diagnostics in words, pictures (needs matplotlib)"
    parser.add_argument("-o", "--page", metavar="PAGE", help=page)
    add_output(parser, FORMATS)
    parser.set_defaults(takes_words=True)


def run(options: argparse.Namespace) -> int:
    """Write what the printed tables hold."""
    from sparsemixed.command.shell import display_options

    shown = display_options(options.words)
    if options.page is not None:
        return _write_page(options, shown)
    check_output(options)
    results = load_fit(options.fit)
    write_document(results.render(format_of(options), **shown), options, results.fit.spec.text)
    return status_of(results)


def _write_page(options: argparse.Namespace, shown: dict) -> int:
    """The whole report.

    Raises
    ------
    OptionError
        What concerns tables alone is asked for, too.
    """
    from sparsemixed.errors import OptionError

    beside = ["--out"] * (options.out is not None) + ["--format"] * (options.format is not None) + [f"--{name}" for name in shown]
    if beside:
        raise OptionError(f"report: -o writes the whole page, and {beside[0]} is for tables alone; use one of them")
    results = load_fit(options.fit)
    results.report(options.page)
    return status_of(results)
