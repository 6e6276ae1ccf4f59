"""The argument of technique(): which techniques take turns, for how many iterations each."""

from __future__ import annotations

import re

from sparsemixed.command.arguments import digits
from sparsemixed.errors import OptionError, suggestion

TECHNIQUES = ("nr", "bfgs", "dfp")
TURN = 5
"""Iterations of a technique without a number, as in Stata."""

_WORD = re.compile(r"[^\s,]+|,")


def techniques(text: str) -> tuple[tuple[str, int], ...]:
    """Techniques with the lengths of their turns.

    Examples
    --------
    >>> techniques("bfgs 10 nr 20"), techniques("nr dfp")
    ((('bfgs', 10), ('nr', 20)), (('nr', 5), ('dfp', 5)))
    """
    found: list[tuple[str, int]] = []
    counted = True
    for match in _WORD.finditer(text):
        word, position = match[0].lower(), match.start()
        if word in TECHNIQUES:
            found.append((word, TURN))
            counted = False
        elif word == "bhhh":
            raise OptionError("bhhh may not be specified", position=position)
        elif not word.isdecimal():
            raise OptionError(f"found {match[0]}, expected nr, bfgs or dfp{suggestion(word, TECHNIQUES)}", position=position)
        elif counted:
            what = "a number follows the name of a technique" if not found else f"a second number after {found[-1][0]}"
            raise OptionError(f"found {word}: {what}, as in bfgs 10 nr 20", position=position)
        elif not word.strip("0"):
            raise OptionError(f"{found[-1][0]} needs at least 1 iteration, found 0", position=position)
        else:
            found[-1] = (found[-1][0], digits(word))
            counted = True
    if not found:
        raise OptionError("found nothing, expected nr, bfgs or dfp")
    return tuple(found)
