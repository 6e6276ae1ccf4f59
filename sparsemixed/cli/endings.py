"""How the program ends: the exit statuses, and what an error says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sparsemixed.errors import CommandError, SparseMixedError, printable

if TYPE_CHECKING:
    from sparsemixed.results import Results

CONVERGED, NOT_CONVERGED, USER_ERROR, INTERNAL_ERROR = 0, 1, 2, 3
BROKEN_OFF = 130
"""As shells say that a program was interrupted."""


def status_of(*fits: Results) -> int:
    """Whether all fits converged; of those that did not it is said how they ended."""
    unfinished = [fit for fit in fits if not fit.converged]
    for fit in unfinished:
        print(f"sparsemixed: {printable(fit.status)}", file=sys.stderr)
    return NOT_CONVERGED if unfinished else CONVERGED


def one_message(error: SparseMixedError) -> str:
    """What an error says: one line, or three with a caret under the text of a command."""
    text = str(error)
    return text if isinstance(error, CommandError) else " ".join(filter(None, map(str.strip, text.split("\n"))))
