"""Options of `test`, `testparm`, `lincom`, `nlcom` and `testnl`, in the text after a comma and by keyword."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparsemixed.command.after_comma import Kind, merged, positive_number, split_options
from sparsemixed.errors import NotAvailableError, OptionError

TEST: Mapping[str, Kind] = {"Mtest": "word", "df": "number", "small": "switch", "Accumulate": "switch", "Equal": "switch"}
COMBINATION: Mapping[str, Kind] = {"Level": "number", "df": "number", "small": "switch"}
_COMMON: Mapping[str, Kind] = {"MCOMPare": "word", "Level": "number", "df": "number", "small": "switch", "ASOBServed": "switch"}
_COMMON = {**_COMMON, "sort": "switch", "EFFects": "switch", "CIeffects": "switch", "PVeffects": "switch"}
CONTRAST: Mapping[str, Kind] = {**_COMMON, "OVERall": "switch", "lincom": "switch", "nowald": "switch", "NOEFFects": "switch"}
PWCOMPARE: Mapping[str, Kind] = {**_COMMON, "GROUPs": "switch", "CIMargins": "switch"}
ALWAYS_SHOWN = ("effects", "cieffects", "pveffects")
"""Options for columns that the tables have in any case."""
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


def read_comparison(
    command: str, text: Any, known: Mapping[str, Kind], keywords: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """The terms, and the options of `contrast` (`CONTRAST`) or `pwcompare` (`PWCOMPARE`)."""
    text, options = _read(command, text, known, keywords)
    if options.get("small") and "df" in options:
        raise OptionError(f"{command}: df() and small cannot be combined; small takes the degrees of freedom of the fit's method")
    for name in ALWAYS_SHOWN:
        options.pop(name, None)
    method = options.get("mcompare", "noadjust")
    if method in ("snk", "duncan", "dunnett"):
        instead = "emmeans(contrast='trt.vs.ctrl') is" if method == "dunnett" else "tukey, scheffe and sidak hold the error rate"
        why = "Stata has it only after anova, regress and their like, with one error variance"
        raise NotAvailableError(f"mcompare={method!r} is not one of the methods after mixed models: {why}; {instead}")
    if not isinstance(method, str):
        raise OptionError(f"{command}: mcompare takes the name of a method; found {method!r:.40}")
    return text, options


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
