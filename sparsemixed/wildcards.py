"""Patterns in which * stands for any characters and ? for one, matched without backtracking."""

from __future__ import annotations

import re
from functools import lru_cache


class Wildcards:
    """A compiled pattern.

    What stands between two stars has a length of its own, and its leftmost place is as good as any: each part is looked for
    once, after the one before it, so that the time is at most the product of the lengths of pattern and text.

    Parameters
    ----------
    pattern : str

    Examples
    --------
    >>> [Wildcards("a*b?").matches(text) for text in ("abc", "a--b-b1", "ab")]
    [True, True, False]
    """

    def __init__(self, pattern: str):
        parts = pattern.split("*")
        self._parts = [re.compile("".join("." if sign == "?" else re.escape(sign) for sign in part), re.DOTALL) for part in parts]
        self._last = len(parts[-1])

    def matches(self, text: str) -> bool:
        """Whether the whole text is of the pattern."""
        first, *middle, last = self._parts if len(self._parts) > 1 else (*self._parts, None)
        if last is None:
            return first.fullmatch(text) is not None
        found = first.match(text)
        end = len(text) - self._last
        for part in middle:
            found = None if found is None else part.search(text, found.end(), max(end, 0))
        return found is not None and found.end() <= end and last.fullmatch(text, end) is not None


@lru_cache(maxsize=128)
def compiled(pattern: str) -> Wildcards:
    """The compiled pattern, kept for the next texts."""
    return Wildcards(pattern)
