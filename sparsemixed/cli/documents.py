"""Results in a format, on standard output or in a file."""

from __future__ import annotations

import argparse
import html
import json
from pathlib import Path
from typing import TYPE_CHECKING

from sparsemixed.cli.record import plain
from sparsemixed.cli.streams import STANDARD, write_text

if TYPE_CHECKING:
    from sparsemixed.reporting.shown import Shown

FORMATS = ("text", "markdown", "html", "latex")
ENDINGS = {".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html", ".tex": "latex", ".json": "json"}
"""File name ending -> format; any other is text."""
PAGE = """\
<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font-family: sans-serif; }}
table {{ border-collapse: collapse; margin: 1em 0; }}
th, td {{ padding: 0.1em 0.6em; }}
td {{ font-variant-numeric: tabular-nums; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""
"""A page by itself: nothing is loaded from elsewhere."""


def add_output(parser: argparse.ArgumentParser, formats: tuple[str, ...] = (*FORMATS, "json")) -> None:
    """The options --format and --out."""
    parser.add_argument("--format", choices=formats, help="default: as the name of OUT ends, else text")
    parser.add_argument("--out", metavar="OUT", help="file to write; default, and -: standard output")


def check_output(options: argparse.Namespace) -> None:
    """Refuse a file that cannot be written, before the work.

    Raises
    ------
    DataError
    """
    if options.out not in (None, STANDARD):
        from sparsemixed.storage.destination import check_destination

        check_destination(options.out)


def format_of(options: argparse.Namespace) -> str:
    """The format asked for, or that of the file's name."""
    return options.format or ENDINGS.get(Path(options.out or "").suffix.lower(), "text")


def write_shown(shown: Shown, options: argparse.Namespace) -> None:
    """A test, a combination or a comparison in its format; JSON is one object for each row of its data frame."""
    wanted = format_of(options)
    if wanted != "json":
        write_document(shown.render(wanted), options, f"sparsemixed {options.run.__module__.rpartition('.')[2]}")
        return
    frame = shown.frame
    keys = [name or "name" for name in frame.index.names]
    rows = [
        dict(zip(keys, key if isinstance(key, tuple) else (key,), strict=True)) | dict(zip(frame.columns, values, strict=True))
        for key, values in zip(frame.index, frame.to_numpy().tolist(), strict=True)
    ]
    write_document(json.dumps(plain(rows), indent=2, allow_nan=False), options)


def write_document(text: str, options: argparse.Namespace, title: str = "sparsemixed") -> None:
    """A text that is rendered; HTML becomes a page by itself."""
    if format_of(options) == "html":
        text = PAGE.format(title=html.escape(title), body=text)
    text = text.rstrip("\n") + "\n"
    if options.out in (None, STANDARD):
        write_text(text)
        return
    from sparsemixed.storage.destination import whole_file

    with whole_file(options.out) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
