"""Names and labels come from data: what a terminal or a page would obey rather than show is written out."""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import Any

from sparsemixed.reporting.document import Document, Verbatim

CONTROL = {"Cc", "Cs", "Zl", "Zp"}
"""Categories of Unicode: control characters, halves of characters, separators of lines and paragraphs."""
DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the order in which text is read."""


def printable(text: str) -> str:
    r"""Text with control characters as the escapes that Python writes.

    Examples
    --------
    >>> print(printable("a\x1b[31mb\n"), printable("naïve €"))
    a\x1b[31mb\n naïve €
    """
    return "".join(_escaped(c) if unicodedata.category(c) in CONTROL or c in DIRECTIONS else c for c in text)


def printable_document(document: Document) -> Document:
    """The same document with every text in it printable; those that keep their lines are so line by line."""
    return _cleaned(document)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, tuple):
        return tuple(map(_cleaned, value))
    if isinstance(value, Verbatim):
        return dataclasses.replace(value, text="\n".join(map(printable, value.text.split("\n"))))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(value, **{f.name: _cleaned(getattr(value, f.name)) for f in dataclasses.fields(value)})
    return value


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
