"""Nearest known words for a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable


def suggestion(word: str, known: Iterable[str]) -> str:
    """The end of a message, empty if nothing is near.

    Examples
    --------
    >>> suggestion("coviarance", ["covariance", "collinear"])
    '; did you mean covariance?'
    >>> suggestion("zzz", ["covariance"])
    ''
    """
    # difflib costs some milliseconds to import and only errors need it.
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
