"""Finding coefficients by the names of the table, with or without their marks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import combinations, product

import numpy as np

from sparsemixed.design.fixed.foreign_names import name_in_r, table_names
from sparsemixed.design.fixed.terms import level_text
from sparsemixed.design.values import Column
from sparsemixed.design.wording import first_names
from sparsemixed.errors import CommandError, suggestion
from sparsemixed.numerals import seven_digits
from sparsemixed.spec import MOST_FACTORS, ModelSpec
from sparsemixed.time_series import unmarked

_EQUATION = re.compile(r"\[(?P<equation>[^\]]*)\](?P<name>.+)", re.DOTALL)

_WORDS = re.compile(r"(?:[^\s()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|[()])+")
"""What blanks outside of parentheses separate."""

Piece = tuple[str, str | None]
"""A variable and its level, None for a continuous variable."""


class CoefficientNames:
    """The coefficients of a fixed part by name.

    `2.drug#c.age`, `2bn.drug#c.age` and `c.age#2.drug` all find the same column, and so do `drug[T.2]:age` and `drug2:age`, the
    names of statsmodels and R; base, empty and omitted ones are found too and hold zero.

    Parameters
    ----------
    columns : tuple of Column
    spec : ModelSpec
        Of the model whose columns they are.
    """

    def __init__(self, columns: tuple[Column, ...], spec: ModelSpec):
        self.spec = spec
        self.columns = columns
        estimated = [i for i, c in enumerate(self.columns) if c.status == "estimated"]
        self._place = {i: place for place, i in enumerate(estimated)}
        self._exact = {c.name: i for i, c in enumerate(self.columns)}
        self._plain = {self._key(pieces(spec, c)): i for i, c in enumerate(self.columns)}

    @cached_property
    def _variables(self) -> set[str]:
        return {variable for c in self.columns for variable, _ in pieces(self.spec, c)}

    @cached_property
    def _in_r(self) -> dict[tuple[str, ...], int]:
        """Variables with their levels, as R writes them; those that several columns share are left out."""
        keys = [tuple(sorted(f"{v}{level or ''}" for v, level in pieces(self.spec, c))) for c in self.columns]
        return {key: i for i, key in enumerate(keys) if keys.count(key) == 1}

    @staticmethod
    def _key(found: list[Piece]) -> tuple[str, ...]:
        several = len(found) > 1
        return tuple(sorted(v if level is None and not several else f"{level or 'c'}.{v}" for v, level in found))

    def index(self, name: str, source: str | None = None, position: int | None = None) -> int:
        """Place of a coefficient in the list of columns.

        Raises
        ------
        CommandError
            For a name that is not in the table.
        """
        plain = without_equation(name, self.spec.response)
        if plain is None:
            raise CommandError(f"{name}: the only equation of fixed effects is [{self.spec.response}]", source, position)
        i = self._found(plain)
        if i is None and plain.count(":") < MOST_FACTORS:
            others = (self._found(other) for other in table_names(plain))
            i = next((other for other in others if other is not None), self._in_r.get(name_in_r(plain, self._variables)))
        if i is None:
            hint = suggestion(plain, self._exact)
            raise CommandError(f"there is no coefficient {plain}{hint or _listed(list(self._exact))}", source, position)
        return i

    def _found(self, plain: str) -> int | None:
        """Place in the list of columns of a name in the words of the tables; None if it is none."""
        i = self._exact.get(plain)
        if i is not None or plain.count("#") >= MOST_FACTORS:
            return i
        several = "#" in plain
        readings = product(*([_unmarked(*one, several) for one in _readings(piece)] for piece in plain.split("#")))
        return next((self._plain[key] for reading in readings if (key := tuple(sorted(reading))) in self._plain), None)

    def place(self, name: str, source: str | None = None, position: int | None = None) -> int | None:
        """Place of a coefficient in beta, or None for one that is held at zero; raises as `index`."""
        return self._place.get(self.index(name, source, position))

    def matching(self, text: str) -> list[int]:
        """Places of the estimated coefficients of terms such as `i.drug`, `i.drug#c.age`, `a##b`, `x*`, `drug:age`."""
        found: list[int] = []
        for typed in _WORDS.findall(text):
            if max(typed.replace("##", "#").count("#"), typed.count(":")) >= MOST_FACTORS:
                raise CommandError(f"an interaction has at most {MOST_FACTORS} variables", text, text.index(typed))
            spellings = (typed, *table_names(typed))
            places = [self._place[i] for i in self._place if any(self._matches(one, self.columns[i]) for one in spellings)]
            if not places:
                raise CommandError(f"no coefficient belongs to {typed}{_listed(list(self._exact))}", text, text.index(typed))
            found += [place for place in places if place not in found]
        return sorted(found)

    def _matches(self, typed: str, column: Column) -> bool:
        factors = typed.replace("##", "#").split("#")
        own = pieces(self.spec, column)
        sizes = range(1, len(factors) + 1) if "##" in typed else [len(factors)]
        texts = {name: one.text for one in self.spec.computed for name in one.columns}
        return any(_pair_up(subset, own, texts) for size in sizes for subset in combinations(factors, size))


def without_equation(name: str, response: str) -> str | None:
    """`[weight]week` without its equation; None if it names another equation than the response's.

    Examples
    --------
    >>> without_equation("[weight]week", "weight"), without_equation("[y]week", "weight"), without_equation("week", "weight")
    ('week', None, 'week')
    """
    match = _EQUATION.fullmatch(name)
    if match is None:
        head, colon, tail = name.partition(":")
        return tail if colon and head == response else name
    return match["name"] if match["equation"].strip() == response else None


def equation_text(names: Sequence[str], response: str, row: np.ndarray, value: float) -> str:
    """A row of weights (p,) on coefficients as an equation, the constant on the right.

    Examples
    --------
    >>> equation_text(["x1", "x2", "x3"], "y", np.array([1.0, -2.5, 0.0]), 0.5)
    '[y]x1 - 2.5*[y]x2 = .5'
    """
    return sum_text({f"[{response}]{name}": weight for name, weight in zip(names, row, strict=True)}, value)


def sum_text(weights: Mapping[str, float], value: float) -> str:
    """A weighted sum of named numbers as an equation; weights of zero are left out."""
    text = ""
    for name, weight in weights.items():
        if weight == 0:
            continue
        factor = "" if abs(weight) == 1 else f"{seven_digits(abs(weight))}*"
        sign = ("- " if weight < 0 else "+ ") if text else ("- " if weight < 0 else "")
        text += f"{' ' if text else ''}{sign}{factor}{name}"
    return f"{text or '0'} = {seven_digits(value + 0.0)}"  # no sign on a zero


def pieces(spec: ModelSpec, column: Column) -> list[Piece]:
    """Variables and levels of a column; the constant is the variable `_cons`."""
    if column.term < 0:
        return [("_cons", None)]
    factors = spec.fixed[column.term].factors
    cells = zip(factors, column.cell, strict=True)
    return [(factor.variable, None if value is None else level_text(value)) for factor, value in cells]


def _pair_up(factors: tuple[str, ...], own: list[Piece], texts: Mapping[str, str]) -> bool:
    """Whether each typed factor names one of the column's pieces, all of them once; `texts` are those of functions by column."""
    rest = list(own)
    for factor in factors:
        readings = _readings(factor)
        hit = next((piece for piece in rest if any(_names(mark, name, piece, texts) for mark, name in readings)), None)
        if hit is None:
            return False
        rest.remove(hit)
    return not rest


def _names(operator: str, variable: str, piece: Piece, texts: Mapping[str, str]) -> bool:
    named = variable in (piece[0], texts.get(piece[0])) or fnmatchcase(piece[0], variable)
    return named and _of_kind(operator, piece[1])


def _of_kind(operator: str, level: str | None) -> bool:
    if operator in ("", "i"):
        return operator == "" or level is not None
    return level is None if operator == "c" else level == _level(operator)


def _level(text: str) -> str:
    """A level without the marks b, bn and o after a number."""
    digits = text.rstrip("bno")
    return digits if digits and digits.replace(".", "", 1).isdigit() else text


def _readings(piece: str) -> set[tuple[str, str]]:
    """Mark and variable: `S.size` may be a difference of `size`, or its level S."""
    head, opening, tail = piece.partition("(")
    mark, _, variable = head.rpartition(".")
    if opening:
        return {("", piece), (mark, f"{variable}({tail}")}
    return {unmarked(piece), (mark, variable)}


def _unmarked(level: str, variable: str, several: bool) -> str:
    if level in ("", "c", "co", "o"):
        return f"c.{variable}" if several else variable
    return f"{_level(level)}.{variable}"


def _listed(names: list[str]) -> str:
    return f"; there are {first_names(names)}"
