"""Names and labels come from data: what a terminal or a page would obey rather than show is written out."""

from __future__ import annotations

import dataclasses
from functools import cache
from operator import is_
from typing import Any

from sparsemixed.errors import printable
from sparsemixed.reporting.document import Document, Verbatim


def printable_document(document: Document) -> Document:
    """The same document with every text in it printable; those that keep their lines are so line by line."""
    return _cleaned(document)


def _cleaned(value: Any) -> Any:
    """The value, or a copy of it where a text changes: hardly any does, and a table is hundreds of values."""
    if isinstance(value, str):
        return printable(value).replace("\n", "\\n")
    if isinstance(value, tuple):
        found = tuple(map(_cleaned, value))
        return value if all(map(is_, found, value)) else found
    if isinstance(value, Verbatim):
        return dataclasses.replace(value, text="\n".join(map(printable, value.text.split("\n"))))
    names = _fields(type(value))
    changes = {name: new for name in names if (new := _cleaned(old := getattr(value, name))) is not old}
    return dataclasses.replace(value, **changes) if changes else value


@cache
def _fields(kind: type) -> tuple[str, ...]:
    """Names of the fields of a dataclass; none of other types."""
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()
