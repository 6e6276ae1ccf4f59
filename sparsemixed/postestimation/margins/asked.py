"""What a call of `margins` asks for: its text and its keywords as one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsemixed.errors import NotAvailableError, OptionError, suggestion
from sparsemixed.inference.hypotheses.multiple import METHODS
from sparsemixed.postestimation.margins.margins import Derivative, MarginsRequest, read_terms
from sparsemixed.postestimation.margins.request import (
    DERIVATIVES,
    SWITCHES,
    VALUED,
    at_items,
    expanded_terms,
    split_command,
)
from sparsemixed.time_series import unmarked

KNOWN = (*SWITCHES, *VALUED)
ALL_PAIRS = ("effects", "cimargins", "groups", "sort")
"""Suboptions of pwcompare()."""


@dataclass(frozen=True)
class Asked:
    """A request, and what becomes of its margins.

    Attributes
    ----------
    request : MarginsRequest
    terms : tuple of str
        As typed, operators included.
    pairs : bool
        All pairs are compared.
    contrasts : bool
    at_operator : str
        Of the points of at(), without its dot.
    weighted : bool
        Whether the weights of the estimation count.
    legend, pvalues : bool
        Whether the text has the points of at(), and p-values.
    subpop : str
        The condition that selects the rows averaged over; empty for all.
    within : int
        Number of factors, the first ones, within whose levels pairs are compared.
    reverse : bool
        Whether pairs are the first minus the second.
    """

    request: MarginsRequest
    terms: tuple[str, ...]
    pairs: bool = False
    contrasts: bool = False
    at_operator: str = ""
    weighted: bool = True
    legend: bool = True
    pvalues: bool = True
    subpop: str = ""
    within: int = 0
    reverse: bool = False


def read_margins(terms: str, keywords: Mapping[str, Any], level: float) -> Asked:
    """Read a call.

    Parameters
    ----------
    terms : str
        A list of margins, or a whole command with its options after a comma.
    keywords : mapping
        Options by name; those that are None or False were not given.
    level : float
        By default.

    Raises
    ------
    OptionError
        Options that are unknown, of the wrong kind, given twice, or in conflict.
    """
    listed, options = _options(terms, keywords)
    typed = tuple(expanded_terms(listed))
    operators = [mark for term in typed for mark in _marks(term) if mark not in ("", "i", "c")]
    pairs, contrast = options.get("pwcompare"), options.get("contrast")
    if pairs and (operators or contrast):
        raise OptionError("margins: pwcompare and contrasts cannot be combined; ask for them one after the other")
    return Asked(
        request=_request(typed, options, level),
        terms=typed,
        pairs=bool(pairs) and _known_suboptions(pairs),
        contrasts=bool(operators) or bool(contrast),
        at_operator=_at_operator(contrast),
        weighted="noweights" not in options,
        subpop=options.get("subpop", ""),
        legend="noatlegend" not in options,
        pvalues="nopvalues" not in options,
    )


def _options(terms: str, keywords: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    listed, options = split_command(terms)
    given = {name: value for name, value in keywords.items() if value is not None and value is not False}
    for name in given:
        if name not in KNOWN:
            raise OptionError(f"margins: unknown option {name}{suggestion(name, KNOWN)}")
        if name in options:
            raise OptionError(f"margins: {name} is given twice, in the text and by keyword")
    options |= given
    if "post" in options:
        raise NotAvailableError("margins: post is not available; the result has its estimates and their covariance")
    if not isinstance(options.get("subpop", ""), str):
        raise OptionError(f"margins: subpop takes a condition as a text; found {options['subpop']!r:.40}")
    if options.get("vce", "delta") != "delta":
        raise NotAvailableError(f"margins: vce({options['vce']}) is not available; vce(delta) is")
    return listed, options


def _marks(term: str) -> list[str]:
    return [unmarked(piece)[0] for piece in term.replace("@", "#").split("#")]


def _request(typed: tuple[str, ...], options: Mapping[str, Any], level: float) -> MarginsRequest:
    kinds = [kind for kind in DERIVATIVES if kind in options]
    if len(kinds) > 1:
        raise OptionError(f"margins: {kinds[0]}() and {kinds[1]}() cannot be combined")
    derivative = Derivative(kinds[0], _names(options[kinds[0]], kinds[0])) if kinds else Derivative()
    df = _number(options["df"], "df") if "df" in options else None
    if df is not None and df <= 0:
        raise OptionError(f"margins: df({df:g}) must be positive")
    if df is not None and options.get("small"):
        raise OptionError("margins: df() and small cannot be combined; small takes the degrees of freedom of the fit's method")
    mcompare = str(options.get("mcompare", "noadjust"))
    if mcompare not in METHODS:
        raise OptionError(f"margins: mcompare({mcompare}) is not one of {', '.join(METHODS)}")
    return MarginsRequest(
        terms=read_terms(typed),
        at=tuple(at_items(options.get("at"))),
        over=_names(options["over"], "over") if "over" in options else (),
        derivative=derivative,
        atmeans=bool(options.get("atmeans")),
        asbalanced=bool(options.get("asbalanced")),
        level=_level(options.get("level", level)),
        small=bool(options.get("small")),
        df=df,
        mcompare=mcompare,
    )


def _names(value: Any, option: str) -> tuple[str, ...]:
    names = value.split() if isinstance(value, str) else value
    try:
        found = tuple(names)
    except TypeError:
        found = ()
    if not found or not all(isinstance(name, str) for name in found):
        raise OptionError(f"margins: {option} takes names of variables; found {value!r:.40}")
    return found


def _number(value: Any, option: str) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = float("nan")
    if not np.isfinite(found):
        raise OptionError(f"margins: {option} takes a number; found {value!r:.40}")
    return found


def _level(value: Any) -> float:
    level = _number(value, "level")
    if not 10 <= level < 100:
        raise OptionError(f"margins: level must be between 10 and 99.99; found {level:g}")
    return level


def _known_suboptions(pairs: Any) -> bool:
    for word in pairs.split() if isinstance(pairs, str) else ():
        if word not in ALL_PAIRS:
            raise OptionError(f"margins: pwcompare({word}) is not one of {', '.join(ALL_PAIRS)}")
        if word != "effects":
            raise NotAvailableError(f"margins: pwcompare({word}) is not available; pwcompare(effects) is")
    return True


def _at_operator(contrast: Any) -> str:
    """The operator r of `atcontrast(r._at)`, `atcontrast(r)`, `at(r._at)`."""
    if contrast is None or contrast is True:
        return ""
    text = str(contrast).strip()
    for lead in ("atcontrast(", "at("):
        if text.startswith(lead) and text.endswith(")"):
            inner = text[len(lead) : -1].strip()
            return inner.removesuffix("._at").removesuffix(".")
    if text in ("effects", "nowald", "wald", "effects nowald", "nowald effects"):
        return ""
    raise OptionError(f"margins: contrast({text}) is not available; contrast(effects) and contrast(atcontrast(r._at)) are")
