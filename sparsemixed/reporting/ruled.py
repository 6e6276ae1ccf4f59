"""The heading of one level among several, as `by` prints it."""

from __future__ import annotations

from sparsemixed.errors import printable

RULE = "-" * 78


def ruled(heading: str) -> str:
    """A heading as text under a line, and printable.

    Examples
    --------
    >>> print(ruled("school = 1").replace("-" * 70, ""))
    --------
    -> school = 1
    """
    shown = printable(heading).replace("\n", "\\n")
    return f"{RULE}\n-> {shown}"
