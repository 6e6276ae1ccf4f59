"""Finding coefficients by the names of the table, with or without their marks."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import combinations

from sparsemixed.command.hypothesis import without_equation
from sparsemixed.command.suggestions import suggestion
from sparsemixed.design.terms import level_text
from sparsemixed.design.values import Column
from sparsemixed.errors import CommandError
from sparsemixed.estimation.fit import Fit

Piece = tuple[str, str | None]
"""A variable and its level, None for a continuous variable."""


class CoefficientNames:
    """The coefficients of a fit by name.

    `2.drug#c.age`, `2bn.drug#c.age` and `c.age#2.drug` all find the same column; base, empty and omitted ones are found
    too and hold zero.
    """

    def __init__(self, fit: Fit):
        self.fit = fit
        self.columns = fit.design.columns
        estimated = [i for i, c in enumerate(self.columns) if c.status == "estimated"]
        self._place = {i: place for place, i in enumerate(estimated)}
        self._exact = {c.name: i for i, c in enumerate(self.columns)}
        self._plain = {self._key(pieces(fit, c)): i for i, c in enumerate(self.columns)}

    @staticmethod
    def _key(found: list[Piece]) -> tuple[str, ...]:
        several = len(found) > 1
        return tuple(sorted(v if level is None and not several else f"{level or 'c'}.{v}" for v, level in found))

    def place(self, name: str, source: str | None = None, position: int | None = None) -> int | None:
        """Place of a coefficient in beta, or None for one that is held at zero.

        Raises
        ------
        CommandError
            For a name that is not in the table.
        """
        plain = without_equation(name, self.fit.spec.response)
        if plain is None:
            raise CommandError(f"{name}: the only equation of fixed effects is [{self.fit.spec.response}]", source, position)
        i = self._exact.get(plain)
        if i is None:
            i = self._plain.get(tuple(sorted(_unmarked(piece, "#" in plain) for piece in plain.split("#"))))
        if i is None:
            hint = suggestion(plain, self._exact)
            raise CommandError(f"there is no coefficient {plain}{hint or _listed(list(self._exact))}", source, position)
        return self._place.get(i)

    def matching(self, text: str) -> list[int]:
        """Places of the estimated coefficients of terms such as `i.drug`, `i.drug#c.age`, `a##b`, `x*`."""
        found: list[int] = []
        for typed in text.split():
            places = [self._place[i] for i in self._place if self._matches(typed, self.columns[i])]
            if not places:
                raise CommandError(f"no coefficient belongs to {typed}{_listed(list(self._exact))}", text, text.index(typed))
            found += [place for place in places if place not in found]
        return sorted(found)

    def _matches(self, typed: str, column: Column) -> bool:
        factors = typed.replace("##", "#").split("#")
        own = pieces(self.fit, column)
        sizes = range(1, len(factors) + 1) if "##" in typed else [len(factors)]
        return any(_pair_up(subset, own) for size in sizes for subset in combinations(factors, size))


def pieces(fit: Fit, column: Column) -> list[Piece]:
    """Variables and levels of a column; the constant is the variable `_cons`."""
    if column.term < 0:
        return [("_cons", None)]
    factors = fit.spec.fixed[column.term].factors
    cells = zip(factors, column.cell, strict=True)
    return [(factor.variable, None if value is None else level_text(value)) for factor, value in cells]


def _pair_up(factors: tuple[str, ...], own: list[Piece]) -> bool:
    """Whether each typed factor names one of the column's pieces, all of them once."""
    rest = list(own)
    for factor in factors:
        operator, _, variable = factor.rpartition(".")
        hit = next((piece for piece in rest if fnmatchcase(piece[0], variable) and _of_kind(operator, piece[1])), None)
        if hit is None:
            return False
        rest.remove(hit)
    return not rest


def _of_kind(operator: str, level: str | None) -> bool:
    if operator in ("", "i"):
        return operator == "" or level is not None
    return level is None if operator == "c" else level == _level(operator)


def _level(text: str) -> str:
    """A level without the marks b, bn and o after a number."""
    digits = text.rstrip("bno")
    return digits if digits and digits.replace(".", "", 1).isdigit() else text


def _unmarked(piece: str, several: bool) -> str:
    level, dot, variable = piece.rpartition(".")
    if not dot:
        return f"c.{piece}" if several else piece
    if level in ("c", "co", "o"):
        return f"c.{variable}" if several else variable
    return f"{_level(level)}.{variable}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"; there are {shown}"
