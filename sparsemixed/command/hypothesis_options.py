"""Options of `test`, `testparm`, `lincom`, `nlcom` and `testnl`, in the text after a comma and by keyword."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparsemixed.command.after_comma import Kind, merged, positive_number, split_options
from sparsemixed.errors import OptionError

TEST: Mapping[str, Kind] = {"Mtest": "word", "df": "number", "small": "switch", "Accumulate": "switch", "Equal": "switch"}
COMBINATION: Mapping[str, Kind] = {"Level": "number", "df": "number", "small": "switch"}
MTEST = ("noadjust", "bonferroni", "holm", "sidak")


def read_test(command: str, text: Any, keywords: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The hypothesis, and the options `mtest`, `df`, `small`, `equal`.

    Raises
    ------
    OptionError
        For options that are unknown, wrong, or not of this command.
    """
    text, options = _read(command, text, TEST, keywords)
    if options.get("accumulate") is True:
        raise OptionError(f'{command}: accumulate adds to an earlier test: pass it, fit.{command}("x3 = 0", accumulate=earlier)')
    if options.get("equal") and command != "testparm":
        raise OptionError(f"{command}: equal is an option of testparm; write x1 = x2 = x3")
    if "mtest" in options:
        options["mtest"] = _mtest(options["mtest"], command)
    return text, options


def read_combination(command: str, text: Any, keywords: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The expressions, and the options `level`, `df`, `small`."""
    return _read(command, text, COMBINATION, keywords)


def _read(command: str, text: Any, known: Mapping[str, Kind], keywords: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    text, typed = split_options(text, known) if isinstance(text, str) else (text, {})
    options = merged(command, typed, keywords)
    if "df" in options:
        options["df"] = positive_number(options["df"], f"{command}: df")
    return text, options


def _mtest(given: Any, command: str) -> str:
    """`b` for bonferroni and so on; without an argument nothing is adjusted."""
    if given is True:
        return "noadjust"
    found = [name for name in MTEST if isinstance(given, str) and given and name.startswith(given.lower())]
    if len(found) != 1:
        raise OptionError(f"{command}: mtest({given}) is not one of {', '.join(MTEST)}")
    return found[0]
