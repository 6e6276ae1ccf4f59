"""The door to both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sparsemixed.command.formula import is_formula, read_formula
from sparsemixed.command.heading import Heading, refuse_other_command, without_heading
from sparsemixed.command.statement import read_command
from sparsemixed.command.text import readable
from sparsemixed.errors import CommandError
from sparsemixed.spec import ModelSpec


def read_model(
    text: str, options: Mapping[str, object] | None = None, options_win: bool = False, columns: Sequence[str] | None = None
) -> ModelSpec:
    """Understand a model text.

    Parameters
    ----------
    text : str
        A formula if it has a `~` outside of an `if` condition, else a command; a leading `mixed` is accepted in both.
    options : mapping of str to object, optional
        Keyword arguments: True or False for those without argument, the argument for the others. An option given here and in the
        text with different values is an error.
    options_win : bool
        Take the keyword in such a case, and of two keywords that contradict each other the later one.
    columns : sequence of str, optional
        Those of the data, for which the point of `y ~ .` stands; without them it stays a pattern.

    Returns
    -------
    ModelSpec
        `sample.first` and `sample.last` are counted from 1, negative ones from the end, None where there is no limit.

    Raises
    ------
    CommandError
        With the offset of what was not understood.

    Examples
    --------
    >>> read_model("weight week || id: week", {"reml": True}).estimation.method
    'reml'
    >>> read_model("weight ~ week + (1 + week | id)").random[0].covariance
    'unstructured'
    """
    if not isinstance(text, str):
        raise CommandError(f"the model must be a text, found {type(text).__name__}")
    given = tuple((name, value, type(value)) for name, value in (options or {}).items())
    names = None if columns is None else tuple(columns)
    if all(isinstance(value, (bool, int, float, str, type(None))) for _, value, _ in given):
        return _read_once(text, given, options_win, names)
    return _read(text, options or {}, options_win, names)


@lru_cache(maxsize=128)
def _read_once(
    text: str, given: tuple[tuple[str, object, type], ...], options_win: bool, columns: tuple[str, ...] | None
) -> ModelSpec:
    """The specification of a text that is fitted again and again; a value that never changes. Errors are not kept."""
    return _read(text, {name: value for name, value, _ in given}, options_win, columns)


def _read(text: str, options: Mapping[str, object], options_win: bool, columns: Sequence[str] | None) -> ModelSpec:
    try:
        heading = without_heading(readable(text), text)
        if is_formula(heading.text):
            return read_formula(text, heading.text, options, heading.deviations, options_win, columns)
        return _command(text, heading, options, options_win)
    except RecursionError:
        raise CommandError("the text is nested too deeply", text, 0) from None


def _command(source: str, heading: Heading, options: Mapping[str, object], options_win: bool) -> ModelSpec:
    try:
        spec = read_command(source, heading.text, options, heading.deviations, options_win)
    except CommandError:
        if not heading.command and "||" not in heading.text:
            refuse_other_command(heading.text, source)
        raise
    return spec
