"""Names and labels come from data: what a terminal or a page would obey rather than show is written out."""

from __future__ import annotations

import dataclasses
from typing import Any

from sparsemixed.errors import printable
from sparsemixed.reporting.document import Document, Verbatim


def printable_document(document: Document) -> Document:
    """The same document with every text in it printable; those that keep their lines are so line by line."""
    return _cleaned(document)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value).replace("\n", "\\n")
    if isinstance(value, tuple):
        return tuple(map(_cleaned, value))
    if isinstance(value, Verbatim):
        return dataclasses.replace(value, text="\n".join(map(printable, value.text.split("\n"))))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(value, **{f.name: _cleaned(getattr(value, f.name)) for f in dataclasses.fields(value)})
    return value
