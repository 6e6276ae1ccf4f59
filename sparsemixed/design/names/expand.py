"""Names as typed to names of columns: wildcards, ranges of columns and abbreviations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from sparsemixed.design.data.frame import read_frame
from sparsemixed.design.wording import first_names
from sparsemixed.errors import CommandError
from sparsemixed.spec import Factor, ModelSpec, RandomEquation, Term, Weight, WeightSpec
from sparsemixed.time_series import split_name
from sparsemixed.wildcards import compiled

_SPAN = re.compile(r"(?P<first>\w+)-(?P<last>\w+)")
MOST_TERMS = 10_000


def concrete_spec(spec: ModelSpec, data: Any) -> ModelSpec:
    """The specification with every pattern and abbreviation replaced by the columns it stands for.

    Names that stand for nothing are left: `build_design` tells of them. A concrete specification comes back unchanged.

    Parameters
    ----------
    spec : ModelSpec
    data : anything that `read_frame` takes

    Raises
    ------
    CommandError
        A pattern that no column matches, a range that is none, an ambiguous abbreviation.
    """
    patterns = any(factor.pattern for terms in _lists(spec) for term in terms for factor in term.factors)
    if not patterns and not spec.abbreviations and not any("~" in name for name in _whole_names(spec)):
        return spec
    return _Names(spec, read_frame(data).names).applied()


def _lists(spec: ModelSpec) -> list[tuple[Term, ...]]:
    return [spec.fixed, *(equation.terms for equation in spec.random)]


def _whole_names(spec: ModelSpec) -> list[str]:
    """Names that stand for one column each, outside of lists of variables and expressions."""
    residual, times = spec.residual, spec.tsset
    levels = [name for equation in spec.random for name in (*equation.grouping, equation.factor)]
    others = [residual.by, residual.t, spec.vce.variable, *(() if times is None else (times.panel, times.time))]
    return [name for name in (spec.response, *levels, *others) if name is not None]


class _Names:
    """What the names of one specification stand for.

    Parameters
    ----------
    spec : ModelSpec
    columns : list of str
        In the order of the data.
    """

    def __init__(self, spec: ModelSpec, columns: Sequence[str]):
        self._spec, self._columns, self._known = spec, columns, set(columns)
        self._positions = dict(spec.positions)

    def applied(self) -> ModelSpec:
        """The concrete specification."""
        spec = self._spec
        self._response = self._whole(spec.response)
        residual, vce, times = spec.residual, spec.vce, spec.tsset
        by, t = (None if name is None else self._whole(name) for name in (residual.by, residual.t))
        if times is not None:
            panel = None if times.panel is None else self._whole(times.panel)
            times = replace(times, time=self._whole(times.time), panel=panel)
        concrete = replace(
            spec,
            response=self._response,
            fixed=self._terms(spec.fixed),
            random=tuple(map(self._equation, spec.random)),
            residual=replace(residual, by=by, t=t, group=residual.group and tuple(map(self._whole, residual.group))),
            vce=vce if vce.variable is None else replace(vce, variable=self._whole(vce.variable)),
            tsset=times,
            weights=None if spec.weights is None else self._weights(spec.weights),
        )
        return replace(concrete, positions=self._positions)

    def _whole(self, name: str, place: Factor | str | None = None) -> str:
        """The name that one typed without a pattern stands for; `place` is where a message points, if not to the name."""
        operated = None if name in self._known else split_name(name)
        if operated is not None:
            return self._placed(operated[0].on(self._whole(operated[1])), name)
        if name in self._known or not (self._spec.abbreviations or "~" in name):
            return name
        longer = self._like(name) if "~" in name else [column for column in self._columns if column.startswith(name)]
        if len(longer) > 1:
            raise self._error(f"{name} is ambiguous: it abbreviates {first_names(longer)}", place or name)
        return self._placed(longer[0], name) if longer else name

    def _placed(self, name: str, typed: str) -> str:
        if typed in self._positions:
            self._positions.setdefault(name, self._positions[typed])
        return name

    def _terms(self, terms: Sequence[Term]) -> tuple[Term, ...]:
        expanded: dict[Term, Term] = {}  # a term may come from several patterns
        for term in terms:
            for factors in product(*map(self._factors, term.factors)):
                expanded.setdefault(Term(factors), Term(factors))
                if len(expanded) > MOST_TERMS:
                    factor = term.factors[0]
                    raise CommandError(f"the list expands to more than {MOST_TERMS} terms", self._spec.text, factor.position)
        return tuple(expanded)

    def _factors(self, factor: Factor) -> list[Factor]:
        if not factor.pattern:
            return [replace(factor, variable=self._whole(factor.variable))]
        operated = split_name(factor.variable)
        pattern = factor.variable if operated is None else operated[1]
        names = [column if operated is None else operated[0].on(column) for column in self._matching(pattern, factor)]
        return [replace(factor, variable=self._placed(name, factor.variable), pattern=False) for name in names]

    def _matching(self, pattern: str, factor: Factor) -> list[str]:
        """The columns of a pattern in the order of the data, never the response."""
        span = _SPAN.fullmatch(pattern)
        found = self._between(span["first"], span["last"], factor) if span else self._like(pattern)
        others = [name for name in found if name != self._response]
        if not others:
            why = f"but the response `{self._response}`" if found else f"the data have {first_names(self._columns)}"
            raise self._error(f"no variable matches {pattern}{' ' if found else '; '}{why}", factor)
        if "~" in pattern and len(others) > 1:
            raise self._error(f"{pattern} abbreviates one variable and matches {first_names(others)}; * is for all", factor)
        return others

    def _like(self, pattern: str) -> list[str]:
        wildcards = compiled(pattern.replace("~", "*"))
        return [name for name in self._columns if wildcards.matches(name)]

    def _between(self, first: str, last: str, factor: Factor) -> list[str]:
        whole = [self._whole(end, factor) for end in (first, last)]
        for name in whole:
            if name not in self._known:
                message = f"variable `{name}` not found; {first}-{last} are the columns from `{first}` to `{last}`"
                raise self._error(message, factor)
        start, stop = map(self._columns.index, whole)
        if stop < start:
            raise self._error(f"`{whole[1]}` stands before `{whole[0]}` in the data; write {last}-{first}", factor)
        return list(self._columns[start : stop + 1])

    def _equation(self, equation: RandomEquation) -> RandomEquation:
        grouping = tuple(map(self._whole, equation.grouping))
        label = _relabelled(equation.label, equation.grouping, grouping)
        factor = None if equation.factor is None else self._whole(equation.factor)
        return replace(equation, label=label, grouping=grouping, terms=self._terms(equation.terms), factor=factor)

    def _weights(self, weights: WeightSpec) -> WeightSpec:
        def renamed(weight: Weight) -> Weight:
            grouping = tuple(map(self._whole, weight.grouping or ()))
            return replace(weight, grouping=grouping, label=_relabelled(weight.label, weight.grouping or (), grouping))

        return replace(weights, groups=tuple(map(renamed, weights.groups)))

    def _error(self, message: str, place: Factor | str) -> CommandError:
        position = self._positions.get(place) if isinstance(place, str) else place.position
        return CommandError(message, self._spec.text, position)


def _relabelled(label: str, before: Sequence[str], after: Sequence[str]) -> str:
    """A level's label is its last variable in commands and all of them in formulas."""
    if before and label == before[-1]:
        return after[-1]
    return ":".join(after) if before and label == ":".join(before) else label
