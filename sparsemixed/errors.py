"""The errors a user can meet, each with one clear message: what was found, where, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NO_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
LONGEST_LINE = 400
"""Of a line of a text that an error shows more would bury the caret; the rest is left out."""


LONGEST_MESSAGE = 1200


def shortened(text: str, most: int = 60) -> str:
    """The text as far as a message can hold it.

    Examples
    --------
    >>> shortened("123456789", most=7)
    '1234...'
    """
    return text if len(text) <= most else f"{text[: most - 3]}..."


class SparseMixedError(Exception):
    """Base of every error that sparsemixed raises on purpose."""

    def __str__(self) -> str:
        # What a terminal would act on, and what no encoding has, is shown as one sign.
        return _NO_TEXT.sub("\ufffd", super().__str__())


class CommandError(SparseMixedError):
    """A model text that cannot be understood.

    Parameters
    ----------
    message : str
        What was found and what to do.
    text : str, optional
        The command or formula as typed.
    position : int, optional
        Offset in `text` at which the trouble starts; shown as a caret under the text.
    """

    def __init__(self, message: str, text: str | None = None, position: int | None = None):
        self.message, self.text, self.position = message, text, position
        super().__init__(message)

    def __str__(self) -> str:
        message = shortened(super().__str__(), LONGEST_MESSAGE)
        if self.text is None or self.position is None:
            return message
        line_start = self.text.rfind("\n", 0, self.position) + 1
        line, place = self.text[line_start:].split("\n", 1)[0].replace("\t", " "), self.position - line_start
        if len(line) > LONGEST_LINE:
            start = max(place - LONGEST_LINE // 2, 0)
            line, place = line[start : start + LONGEST_LINE], place - start
        return f"{message}\n  {_NO_TEXT.sub(chr(0xFFFD), line)}\n  {' ' * place}^"


class OptionError(CommandError):
    """An option that is unknown, impossible in its place, or in conflict with another one."""


class NotAvailableError(OptionError):
    """An option or statement that sparsemixed recognises and does not carry out yet."""


class DataError(SparseMixedError):
    """Data that cannot be read or modelled: unknown variables, wrong types, no observations."""


class NumericalError(SparseMixedError):
    """A computation that broke down: the message names the stage and the component."""


class SlowConvergenceError(NumericalError):
    """Conjugate gradients need more iterations than a factorization is worth."""


def suggestion(word: str, known: Iterable[str]) -> str:
    """The end of a message about a misspelt word: the nearest known one; empty if nothing is near.

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


class NoObservationsError(DataError):
    """No row of the data can be used."""
