"""Names given as arguments: one text, or a list of texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sparsemixed.errors import OptionError, shortened


def names_in(given: Any, where: str) -> tuple[str, ...]:
    """The names, none of them twice; `where` begins the message of an error.

    Raises
    ------
    OptionError
        It holds none, the same one twice, or something else.

    Examples
    --------
    >>> names_in("id", "by"), names_in(["school", "class"], "by")
    (('id',), ('school', 'class'))
    """
    names = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Sequence) else ()
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise OptionError(f"{where} takes a name, or a list of names; found {shortened(repr(given))}")
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise OptionError(f"{where} names {repeated} twice")
    return names
