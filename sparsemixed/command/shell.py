"""Options as words of a shell, `--level 90 --reml`, to keyword arguments by the same table of options as everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sparsemixed.command.options import OPTIONS, Option, find_option, option_advice
from sparsemixed.command.weights import KEYWORDS
from sparsemixed.errors import CommandError, OptionError


def model_options(words: Sequence[str]) -> dict[str, Any]:
    """Keyword arguments of `mixed` from words: an option with an argument takes the next word, or what follows `=`.

    Raises
    ------
    OptionError
        For unknown options, words that belong to none, missing arguments, and options given twice with different arguments.

    Examples
    --------
    >>> model_options(["--reml", "--level", "90", "--dfmethod=kroger", "--pweights", "w"])
    {'reml': True, 'level': '90', 'dfmethod': 'kroger', 'pweights': 'w'}
    """
    found: dict[str, object] = {}
    for option, name, value in _settings(words):
        if name == "constraints":
            raise OptionError('write each constraint as --constraint "x1 = x2"; --constraints, with their numbers, is not needed')
        name = option.name if option else name
        if found.setdefault(name, value) != value:
            raise OptionError(f"--{name} is given twice, with {found[name]} and {value}")
    return found


def display_options(words: Sequence[str]) -> dict[str, Any]:
    """Keyword arguments of `Results.summary` from words.

    Raises
    ------
    OptionError
        As in `model_options`; and for options that are not for showing a fit.

    Examples
    --------
    >>> display_options(["--level=90", "--stddev", "--nolog"])
    {'level': 90.0, 'stddeviations': True, 'log': False}
    """
    found: dict[str, object] = {}
    for option, name, value in _settings(words):
        if option is None or option.part != "display":
            raise OptionError(f"--{name} says how to fit, not how to show a fit: fit the model again")
        if option.argument is None:
            if value is not True:
                raise OptionError(f"--{name} takes no argument, found {value}")
            found[option.field] = option.value
            continue
        try:
            found[option.field] = option.argument(str(value))
        except CommandError as error:
            raise OptionError(f"option {option.written}: {error.message}") from None
    return found


def _settings(words: Sequence[str]) -> Iterator[tuple[Option | None, str, object]]:
    """Each option, None for the keywords of weights, with its whole name and its argument, True where there is none."""
    waiting = iter(words)
    for word in waiting:
        if not word.startswith("--") or word == "--":
            raise OptionError(f"found {word} where an option should be, such as --level 90; the model is one text, in quotes")
        typed, sign, value = word[2:].partition("=")
        typed = typed.replace("-", "_")
        option = find_option(typed)
        if option is None and typed not in KEYWORDS:
            advice = option_advice(typed, (*KEYWORDS, "constraint", "json", "log", "progress", "quiet", "save"))
            raise OptionError(f"unknown option --{typed}{advice}")
        name = typed if option is None else option.name
        if sign or not (option is None or option.takes_argument):
            yield option, name, value if sign else True
            continue
        argument = next(waiting, None)
        if argument is None or argument.startswith("--"):
            raise OptionError(f"--{name} needs an argument")
        yield option, name, argument


def option_words(fitting: bool) -> list[tuple[str, bool]]:
    """Every word that `model_options`, or else `display_options`, knows, and whether an argument follows it.

    Examples
    --------
    >>> [word for word in option_words(fitting=False) if word[0] in ("--level", "--reml", "--noheader")]
    [('--level', True), ('--noheader', False)]
    """
    parts = ("estimation", "display", "residual", "weights", "vce", "data") if fitting else ("display",)
    options = [(option.name, option.takes_argument) for option in OPTIONS if option.part in parts]
    weights = [(name, True) for name in KEYWORDS] if fitting else []
    return [(f"--{name.replace('_', '-')}", takes_argument) for name, takes_argument in (*options, *weights)]
