"""What is kept of every fit: `_b`, `_se`, `e(ll)`, `ratio = _b[x] / _b[z]`, or functions of the fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsemixed.command.nonlinear import read_combinations
from sparsemixed.errors import CommandError, OptionError, shortened
from sparsemixed.inference.estimation_metric import metric_estimates
from sparsemixed.inference.named_estimates import Estimates
from sparsemixed.nonlinear_form import NonlinearForm, UndefinedValueError, evaluated
from sparsemixed.results import Results

WHOLE = ("_b", "_se")
"""Statistics that stand for one of every entry of e(b)."""
_OWN = re.compile(r"(?<![\w\]])(?:_se\s*\[(?P<se>[^\]]*)\]|e\s*\(\s*(?P<e>\w+)\s*\))")
_SINGLE = re.compile(r"(?P<what>_b|_se)\s*\[(?P<of>[^\]]+)\]")
_NAMED = re.compile(r"(?P<name>[^\W\d]\w*)\s*=(?!=)\s*(?P<expression>.+)", re.DOTALL)
_LABELLED = re.compile(r"\(\s*(?P<name>[^\W\d]\w*)\s*:(?P<expression>.+)\)", re.DOTALL)


@dataclass(frozen=True)
class Statistic:
    """A number of a fit, or `_b` or `_se` for all of them.

    Attributes
    ----------
    name : str
        Of its column.
    form : NonlinearForm or None
        None for `_b` and `_se`, and for functions.
    own : tuple of (str, str, str)
        What stands for standard errors and stored results in `form`: its name there, `se` or `e`, and whose.
    function : callable or None
        Of a fit, where it was given as one.
    """

    name: str
    form: NonlinearForm | None = None
    own: tuple[tuple[str, str, str], ...] = ()
    function: Callable[[Results], float] | None = None


def read_statistics(given: str | Sequence[str] | Mapping[str, Any] | None) -> tuple[Statistic, ...]:
    """Statistics from a text, texts, or a mapping of names to texts or functions of a fit; `_b` without any.

    Raises
    ------
    CommandError
        An expression that cannot be understood.
    OptionError
        Two statistics of one name.

    Examples
    --------
    >>> [one.name for one in read_statistics("_b _se ll=e(ll) ratio = _b[x]/_b[z]")]
    ['_b', '_se', 'll', 'ratio']
    """
    if isinstance(given, Mapping):
        found = [_named(name, value) for name, value in given.items()]
    else:
        if given is not None and not isinstance(given, (str, Sequence)):
            raise OptionError(f"statistics are texts, a list of them, or expressions by name; found {shortened(repr(given))}")
        texts = _split(given) if isinstance(given, str) else [str(one) for one in given or ()]
        found = [_read(text, f"_stat_{i}") for i, text in enumerate(texts, start=1)]
    found = found or [Statistic("_b")]
    names = [one.name for one in found]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise OptionError(f"two statistics are called {repeated}; write name=expression")
    return tuple(found)


def _split(text: str) -> list[str]:
    """Parts at blanks outside of parentheses and brackets, a sign = with what stands around it."""
    text = re.sub(r"\s*(?<![=<>!~])=(?!=)\s*", "=", text)
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "([") - (sign in ")]")
        if sign.isspace() and depth <= 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part for part in parts if part]


def _named(name: str, given: str | Callable[[Results], float]) -> Statistic:
    """A statistic from a function of a fit, or from a text."""
    if isinstance(given, str) or not callable(given):
        return _read(str(given), name)
    return Statistic(name, function=given)


def _read(text: str, name: str) -> Statistic:
    plain = text.strip()
    if plain in WHOLE:
        return Statistic(plain)
    match = _LABELLED.fullmatch(plain) or _NAMED.fullmatch(plain)
    if match is not None:
        name, plain = match["name"], match["expression"].strip()
    elif (single := _SINGLE.fullmatch(plain)) is not None:
        name = f"{single['what']}_{single['of'].strip().removeprefix('_')}"
    own: list[tuple[str, str, str]] = []

    def stand_in(found: re.Match) -> str:
        kind = "e" if found["e"] else "se"
        own.append((f"stored_{len(own)}", kind, found[kind].strip()))
        return own[-1][0]

    combinations = read_combinations(_OWN.sub(stand_in, plain))
    if len(combinations) != 1:
        raise CommandError(f"a statistic is one expression, found {shortened(plain)}")
    return Statistic(name, combinations[0][1], tuple(own))


def values_of(results: Any, statistics: Sequence[Statistic]) -> dict[str, float]:
    """The statistics of a fit by the names of their columns.

    `_b` and `_se` give a column for every entry of e(b), `y_b_time`, `lns1_1_1_b_cons`.

    Raises
    ------
    CommandError
        A name that the fit does not have.
    OptionError
        A function that is not defined at the estimates, or no number.
    """
    found: dict[str, float] = {}
    for one in statistics:
        if one.name in WHOLE and one.form is None and one.function is None:
            found |= _all(results, one.name)
        elif one.function is not None:
            found[one.name] = _number(one.function(results), one.name)
        else:
            found[one.name] = _evaluated(results, one)
    return found


def _all(results: Results, what: str) -> dict[str, float]:
    metric = metric_estimates(results.fit)
    numbers = metric.b if what == "_b" else np.sqrt(np.clip(np.diag(metric.V), 0.0, None))
    names = (f"{equation}{what}_{name.removeprefix('_')}" for equation, name in metric.names)
    return dict(zip(names, map(float, numbers), strict=True))


def _number(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise OptionError(f"the statistic {name} is to be a number, and its function gives {type(value).__name__}") from None


def _evaluated(results: Results, one: Statistic) -> float:
    assert one.form is not None
    estimates, known = Estimates(results.fit), {name: _stored(results, kind, whose) for name, kind, whose in one.own}
    others = {p.name: estimates.find(p.name).value for p in one.form.parameters if p.name not in known}
    try:
        return float(evaluated(one.form, known | others)[0])
    except UndefinedValueError as error:
        raise OptionError(f"the statistic {one.name}: {error} has no value at the estimates") from None


def _stored(results: Results, kind: str, whose: str) -> float:
    """A standard error, or a number of e()."""
    if kind == "se":
        names = {(f"{equation}:{name}" if equation != results.fit.spec.response else name): place
                 for place, (equation, name) in enumerate(metric_estimates(results.fit).names)}  # fmt: skip
        if whose not in names:
            raise CommandError(f"_se[{whose}]: there is no estimate of that name; there are {', '.join(list(names)[:8])}")
        return float(np.sqrt(max(metric_estimates(results.fit).V[names[whose], names[whose]], 0.0)))
    try:
        return float(results.e[whose])
    except (KeyError, TypeError, ValueError):
        raise CommandError(f"e({whose}) is no number of these fits") from None
