"""What a call of `margins` asks for: its text and its keywords as one request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsemixed.errors import NotAvailableError, OptionError, shortened, suggestion
from sparsemixed.inference.hypotheses.hypothesis import terms_text
from sparsemixed.inference.hypotheses.multiple import METHODS
from sparsemixed.postestimation.margins.request import (
    DERIVATIVES,
    SWITCHES,
    VALUED,
    at_items,
    expanded_terms,
    split_command,
)
from sparsemixed.postestimation.margins.values import Derivative, MarginsRequest, pieces_of, read_terms
from sparsemixed.spec.numbers import check_level
from sparsemixed.time_series import unmarked

KNOWN = (*SWITCHES, *VALUED)
EFFECTS = {"effects": ("statistic", "limits"), "pveffects": ("statistic",), "cieffects": ("limits",)}
"""Suboptions of pwcompare() and contrast() -> what the text has of the comparisons."""
OF_PAIRS = (*EFFECTS, "cimargins", "groups", "sort")
OF_CONTRASTS = (*EFFECTS, "noeffects", "nowald", "overall", "atjoint", "overjoint", "withinjoint", "noatlevels", "lincom")
TOGETHER = {"atjoint": "at", "overjoint": "groups", "withinjoint": "groups", "noatlevels": "levels"}
"""Suboptions of contrast() -> what is not tested part by part: points of at(), groups, levels after `@`."""


@dataclass(frozen=True)
class Operators:
    """What compares margins besides the operators of their terms.

    Attributes
    ----------
    at : str
        Of the points of at(), without its dot; empty to look at the points one by one.
    by : tuple of str
        Of each variable of over() and within(); empty for those that are looked at one by one.
    """

    at: str = ""
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shape:
    """How comparisons are shown.

    Attributes
    ----------
    effects : tuple of str
        Of "statistic" and "limits", what the text has of each; empty to leave their table out.
    wald : bool
        Whether contrasts have the table of joint tests.
    sort : bool
        Whether comparisons are sorted by size within each term.
    margins : bool
        Whether the margins are listed first.
    groups : bool
        Whether the margins are listed with letters, in place of pairs.
    together : frozenset of str
        Of "at", "groups" and "levels", what contrasts are tested over jointly alone, and not one by one besides.
    overall : bool
        Whether there is a test of everything even with one term.
    """

    effects: tuple[str, ...] = ("limits",)
    wald: bool = True
    sort: bool = False
    margins: bool = False
    groups: bool = False
    together: frozenset[str] = frozenset()
    overall: bool = False


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
    operators : Operators
    shape : Shape
    weighted : bool
        Whether the weights of the estimation count.
    everywhere : bool
        Whether rows that the model was not fitted to count.
    legend, pvalues, squish : bool
        Whether the text has the points of at(), p-values, and no blank lines.
    post : bool
        Whether the margins are to be Stata's estimation results.
    subpop : str
        The condition that selects the rows averaged over; empty for all.
    """

    request: MarginsRequest
    terms: tuple[str, ...]
    pairs: bool = False
    contrasts: bool = False
    operators: Operators = Operators()
    shape: Shape = Shape()
    weighted: bool = True
    everywhere: bool = False
    legend: bool = True
    pvalues: bool = True
    squish: bool = False
    post: bool = False
    subpop: str = ""


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
    if "grand" in options and typed:
        typed = (*typed, "")
    operators, shape, contrasts = _comparisons(typed, options)
    pairs = bool(options.get("pwcompare"))
    if pairs and contrasts:
        raise OptionError("margins: pwcompare and contrasts cannot be combined; ask for them one after the other")
    return Asked(
        request=_request(typed, options, level),
        terms=typed,
        pairs=pairs,
        contrasts=contrasts,
        operators=operators,
        shape=shape,
        weighted="noweights" not in options,
        everywhere="noesample" in options,
        subpop=options.get("subpop", ""),
        legend="noatlegend" not in options,
        pvalues="nopvalues" not in options,
        squish="vsquish" in options,
        post="post" in options,
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
    if not isinstance(options.get("subpop", ""), str):
        raise OptionError(f"margins: subpop takes a condition as a text; found {options['subpop']!r:.40}")
    for name, allowed in (("vce", ("delta", "unconditional")), ("emptycells", ("strict", "reweight"))):
        if options.get(name, allowed[0]) not in allowed:
            raise OptionError(f"margins: {name}({options[name]}) is not one of {name}({allowed[0]}) and {name}({allowed[1]})")
    return listed, options


def _comparisons(typed: tuple[str, ...], options: Mapping[str, Any]) -> tuple[Operators, Shape, bool]:
    """Operators, what is shown, and whether contrasts are asked for."""
    pairs, contrast = options.get("pwcompare"), options.get("contrast")
    marks = [unmarked(piece)[0] for term in typed for piece in pieces_of(term)]
    by = tuple(mark if mark not in ("i", "c") else "" for mark, _ in _marked_by(options))
    words, at = _words("contrast", contrast, OF_CONTRASTS)
    of_pairs, _ = _words("pwcompare", pairs, OF_PAIRS)
    contrasts = bool(contrast) or any(by) or any(mark not in ("", "i", "c") for mark in marks)
    chosen = [word for word in (*words, *of_pairs) if word in EFFECTS]
    if len(chosen) > 1:
        raise OptionError(f"margins: {chosen[0]} and {chosen[1]} cannot be combined")
    effects = EFFECTS[chosen[0]] if chosen else () if "noeffects" in words else EFFECTS["cieffects"]
    together = frozenset(TOGETHER[word] for word in words if word in TOGETHER)
    listed = "sort" in of_pairs, "cimargins" in of_pairs, "groups" in of_pairs
    shape = Shape(effects, "nowald" not in words, *listed, together, "overall" in words)
    return Operators(at, by), shape, contrasts


def _words(option: str, given: Any, known: tuple[str, ...]) -> tuple[list[str], str]:
    """Suboptions of pwcompare() or contrast(), and the operator r of `atcontrast(r._at)`, `at(r)`."""
    if given is None or given is True:
        return [], ""
    text = terms_text(given, option, "effects")
    match = re.search(r"\b(?:atcontrast|at)\(\s*([^()\s]*(?:\([^()]*\))?)\s*\)", text) if option == "contrast" else None
    at = ""
    if match is not None:
        text, at = text[: match.start()] + text[match.end() :], match[1].removesuffix("_at").removesuffix(".")
        if not at:
            raise OptionError("margins: atcontrast() needs an operator: atcontrast(r._at)")
    words = text.split()
    for word in words:
        if word not in known:
            raise OptionError(f"margins: {option}({shortened(word)}) is not one of {', '.join(known)}")
        if word == "lincom":
            raise NotAvailableError("margins: contrast(lincom) is not available; test() and lincom() of the margins are")
    return words, at


def _marked_by(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Operators and names of the variables of over() and within()."""
    names = [name for option in ("over", "within") if option in options for name in _names(options[option], option)]
    return [unmarked(name) for name in names]


def _request(typed: tuple[str, ...], options: Mapping[str, Any], level: float) -> MarginsRequest:
    df = _number(options["df"], "df") if "df" in options else None
    small, unconditional = bool(options.get("small")), options.get("vce") == "unconditional"
    if df is not None and df <= 0:
        raise OptionError(f"margins: df({df:g}) must be positive")
    if df is not None and small:
        raise OptionError("margins: df() and small cannot be combined; small takes the degrees of freedom of the fit's method")
    if unconditional and small:
        raise OptionError(
            "margins: vce(unconditional) and small cannot be combined: degrees of freedom take the rows as fixed; give df()"
        )
    mcompare = str(options.get("mcompare", "noadjust")).split()
    method, rest = (mcompare or ["noadjust"])[0], mcompare[1:]
    if method not in METHODS:
        raise OptionError(f"margins: mcompare({method}) is not one of {', '.join(METHODS)}")
    if rest and (rest != ["adjustall"] or method not in ("bonferroni", "sidak")):
        raise OptionError(f"margins: mcompare({' '.join(mcompare)}): only bonferroni and sidak take adjustall")
    over, within = (_plain_names(options, option) for option in ("over", "within"))
    return MarginsRequest(
        terms=read_terms(typed),
        at=tuple(at_items(options.get("at"))),
        over=over,
        within=within,
        derivative=_derivative(options),
        atmeans=bool(options.get("atmeans")),
        asbalanced=bool(options.get("asbalanced")),
        reweight=options.get("emptycells") == "reweight" or bool(within),
        level=check_level(_number(options.get("level", level), "level"), "margins: level"),
        small=small,
        df=df,
        mcompare=method,
        adjust_all=bool(rest),
        unconditional=unconditional,
    )


def _derivative(options: Mapping[str, Any]) -> Derivative:
    kinds = [kind for kind in DERIVATIVES if kind in options]
    if len(kinds) > 1:
        raise OptionError(f"margins: {kinds[0]}() and {kinds[1]}() cannot be combined")
    if not kinds:
        if options.get("continuous"):
            raise OptionError("margins: continuous says how factors are differentiated, and needs dydx() or eydx()")
        return Derivative()
    return Derivative(kinds[0], _names(options[kinds[0]], kinds[0]), bool(options.get("continuous")))


def _plain_names(options: Mapping[str, Any], option: str) -> tuple[str, ...]:
    return tuple(unmarked(name)[1] for name in _names(options[option], option)) if option in options else ()


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
