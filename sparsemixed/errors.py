"""The errors a user can meet, each with one clear message: what was found, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable


class SparseMixedError(Exception):
    """Base of every error that sparsemixed raises on purpose."""


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
        if self.text is None or self.position is None:
            return self.message
        line_start = self.text.rfind("\n", 0, self.position) + 1
        line = self.text[line_start:].split("\n", 1)[0].replace("\t", " ")
        return f"{self.message}\n  {line}\n  {' ' * (self.position - line_start)}^"


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
