"""Phrases that several messages share."""

from __future__ import annotations

from collections.abc import Iterable

SHOWN = 12
"""Names in a message, at most: enough to recognise the data by."""


def first_names(names: Iterable[object]) -> str:
    """The first names of many, as a message lists them.

    Examples
    --------
    >>> first_names("abc"), first_names(range(20))
    ('a, b, c', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...')
    """
    every = [str(name) for name in names]
    return ", ".join([*every[:SHOWN], *(["..."] if len(every) > SHOWN else [])])
