"""The errors and warnings a user can meet, each with one clear message: what was found, where, and what to do."""

from __future__ import annotations

import logging
import re
import sys
import warnings
from collections.abc import Iterable

LOGGER = logging.getLogger("sparsemixed")
LOGGER.addHandler(logging.NullHandler())  # a program that sets up no logging sees the warnings once, not twice
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


CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but the end of a line, marks that turn the direction of writing, and halves of characters."""


def printable(text: str) -> str:
    r"""A text for a terminal: names and labels come from data, and must not steer it.

    Examples
    --------
    >>> printable("var(\x1b[2Jx)")
    'var(\\x1b[2Jx)'
    """
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class SparseMixedError(Exception):
    """Base of every error that sparsemixed raises on purpose."""

    def __str__(self) -> str:
        return printable(super().__str__())


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
        return f"{message}\n  {printable(line)}\n  {' ' * len(printable(line[:place]))}^"


class UnknownVariableError(CommandError):
    """A name in a model text that the data do not have; `advice` is what the message adds to that."""

    def __init__(self, message: str, text: str | None = None, position: int | None = None, name: str = "", advice: str = ""):
        super().__init__(message, text, position)
        self.name, self.advice = name, advice


class OptionError(CommandError):
    """An option that is unknown, impossible in its place, or in conflict with another one."""


class NotAvailableError(OptionError):
    """An option or statement that sparsemixed recognises and does not carry out yet."""


class DataError(SparseMixedError):
    """Data that cannot be read or modelled: unknown variables, wrong types, no observations."""


class NumericalError(SparseMixedError):
    """A computation that broke down: the message names the stage and the component."""


class SparseMixedWarning(UserWarning):
    """Base of every warning of a fit or a prediction that is there, and must be read with care."""


class ConvergenceWarning(SparseMixedWarning):
    """The search did not reach its tolerances: the results are not final."""


class IdentificationWarning(SparseMixedWarning):
    """Columns omitted as collinear, or parameters that the data do not tell apart."""


class BoundaryWarning(SparseMixedWarning):
    """Components on the boundary of the parameter space, which have no standard errors."""


class PriorDataWarning(SparseMixedWarning):
    """A prior that puts next to no probability where the restricted likelihood has its maximum."""


class NotEstimableWarning(SparseMixedWarning):
    """Rows that are not predicted, because the sample says nothing about them."""


class NoResponseWarning(SparseMixedWarning):
    """Groups that were to be predicted from their own responses, and gave none."""


class SlowSamplingWarning(SparseMixedWarning):
    """Importance sampling does not cover a posterior, and a sampler that takes longer has taken over."""


def warn(message: str, kind: type[SparseMixedWarning]) -> None:
    """Tell the logger `sparsemixed`, and Python's warnings, at the line of the user's that called this package."""
    message = printable(message)
    LOGGER.warning("%s", message)
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == "sparsemixed":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, kind, stacklevel=level)


class FactorTooLargeError(NumericalError):
    """A factorization that is too large for its library or for the memory."""


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


def first_line(error: Exception) -> str:
    """What another library's error says first; the rest is for its own developers.

    Examples
    --------
    >>> first_line(ValueError("no such column\\nat line 3"))
    'no such column'
    """
    return str(error).strip().split("\n")[0]
