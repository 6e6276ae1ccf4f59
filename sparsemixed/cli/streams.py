"""Standard input and output, which a minus sign names."""

from __future__ import annotations

import os
import sys

from sparsemixed.errors import DataError, OptionError

STANDARD = "-"


def read_standard_input() -> bytes:
    """Everything that comes in.

    Raises
    ------
    DataError
        It is closed, or empty.
    """
    if sys.stdin is None or sys.stdin.closed:
        raise DataError("standard input is closed; name a file")
    content = sys.stdin.buffer.read()
    if not content:
        raise DataError("nothing came in on standard input")
    return content


def check_one(what: str, *names: str | None) -> None:
    """Standard input is read once, and standard output takes one thing.

    Raises
    ------
    OptionError
    """
    if sum(name == STANDARD for name in names) > 1:
        raise OptionError(f"{what} can be named by - only once")


def write_text(text: str) -> None:
    """Write to standard output; a reader that has seen enough (`| head`) is no error, and files are written all the same."""
    try:
        print(text, end="", flush=True)
    except OSError as error:
        # Python would meet the same trouble again when it closes the stream at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise


def write_bytes(content: bytes) -> None:
    """The same for what is no text: a saved fit.

    Raises
    ------
    DataError
        Standard output is a terminal, which would show rubbish.
    """
    if sys.stdout.isatty():
        raise DataError("a saved fit is no text for a terminal; send it to a file or another program")
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
