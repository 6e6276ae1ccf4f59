"""From terms to cells: which combinations of levels make a column, and what each is called.

A variable list (the fixed part, or one random equation) shares one base level per categorical variable. One rule decides
which cells are base cells: *a cell is redundant when, by dropping some of its factors that stand at their base level, one
gets a term that is in the list too* (or the constant), because the cells over those factors' levels add up to that term.
So `i.a##i.b` gives the usual contrasts, `i.a#c.x` gives a slope to every level unless `x` is in the list, and `i.a#i.b`
alone has the single base cell of both base levels. Whatever redundancy is left is found numerically.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from math import prod

import numpy as np

from sparsemixed.design.data.codes import combine_all, first_rows
from sparsemixed.design.data.rows import Level, Rows
from sparsemixed.design.deferred import changed
from sparsemixed.design.wording import first_names
from sparsemixed.errors import CommandError, DataError
from sparsemixed.spec import Factor, ModelSpec, Term
from sparsemixed.time_series import marked

MOST_CELLS = 1_000_000

_RANK = re.compile(r"#([1-9]\d*)")

UNASKED = ("first", "none")
"""Bases that name no level."""


@dataclass(frozen=True)
class Cell:
    """One column-to-be of a term.

    Attributes
    ----------
    term : int
        Index into the list of terms.
    values : tuple
        Per factor the level, None for a continuous factor.
    status : {"estimated", "base", "empty", "omitted"}
    """

    term: int
    values: tuple[Level | None, ...]
    status: str


class TermList:
    """A variable list whose factors know their kind, their levels in the sample and their base.

    Parameters
    ----------
    terms : sequence of Term
    rows : Rows
    spec : ModelSpec
        For the messages.
    constant : bool
        Whether a constant takes up the sum of all the cells of a categorical term.

    Attributes
    ----------
    terms : tuple of Term
        No factor is "by_type" any more.
    levels : dict
        variable -> the levels it has in the sample.
    bases : dict
        variable -> its base level, None when it has none.
    """

    def __init__(self, terms: Sequence[Term], rows: Rows, spec: ModelSpec, constant: bool):
        self.rows, self.spec = rows, spec
        self.terms = tuple(Term(tuple(_typed(factor, rows) for factor in term.factors)) for term in terms)
        categorical = [factor for term in self.terms for factor in term.factors if factor.kind == "categorical"]
        self.levels = {factor.variable: rows.factor(factor.variable)[1] for factor in categorical}
        self.bases = {variable: self._base(variable, categorical) for variable in self.levels}
        self.full = {_key(term.factors) for term in self.terms if not any(f.levels or f.omitted for f in term.factors)}
        self.constant = constant

    def _base(self, variable: str, factors: Sequence[Factor]) -> Level | None:
        """The base level of a variable: `ibn.` anywhere in the list wins, then the last base asked for by name."""
        of_variable = [factor for factor in factors if factor.variable == variable]
        # A single level such as `3.a` has no base of its own, which says nothing of the variable elsewhere.
        if any(factor.base == "none" and not factor.levels for factor in of_variable):
            return None
        asked = next((factor for factor in reversed(of_variable) if factor.base not in UNASKED), of_variable[0])
        levels = self.levels[variable]
        if asked.base in UNASKED:
            return levels[0]
        if asked.base == "last":
            return levels[-1]
        if asked.base == "frequent":
            return levels[int(np.argmax(np.bincount(self.rows.factor(variable)[0], minlength=len(levels))))]
        if isinstance(asked.base, str) and (rank := _RANK.fullmatch(asked.base)):
            found = levels[int(rank[1]) - 1] if int(rank[1]) <= len(levels) else None
        else:
            found = find_level(asked.base, levels)
        if found is None:
            message = (
                f"base level {level_text(asked.base)} of `{variable}` is not in the sample; its levels are {first_names(levels)}"
            )
            raise CommandError(message, self.spec.text, asked.position)
        return found

    def active_base(self, factor: Factor) -> Level | None:
        """The level of a factor that is redundant; a factor with levels of its own has one only if told so."""
        if factor.kind != "categorical" or (factor.levels and factor.base in UNASKED):
            return None
        return self.bases[factor.variable]

    def cells(self) -> list[Cell]:
        """Every cell of every term in order, each once however often it is listed."""
        cells: dict[tuple, Cell] = {}
        absorbed = self.constant
        for position, term in enumerate(self.terms):
            for cell in self._cells_of(position, term, absorbed):
                key = (_key(term.factors), tuple(sorted(zip(_names(term), map(str, cell.values), strict=True))))
                # `o.` holds a column at zero wherever else it is listed.
                if key not in cells:
                    cells[key] = cell
                elif cell.status == "omitted":
                    cells[key] = replace(cells[key], status="omitted")
            absorbed = absorbed or all(factor.kind == "categorical" for factor in term.factors)
        return list(cells.values())

    def _cells_of(self, position: int, term: Term, absorbed: bool) -> list[Cell]:
        choices = [self._choices(factor) for factor in term.factors]
        if prod(map(len, choices)) > MOST_CELLS:
            names = "#".join(_names(term))
            raise DataError(f"the interaction {names} has {prod(map(len, choices)):,} cells, too many for fixed columns")
        bases = [self.active_base(factor) for factor in term.factors]
        counts = self._counts(term)
        cells = []
        for values in product(*choices):
            at_base = [i for i, value in enumerate(values) if value is not None and value == bases[i]]
            if any(factor.omitted for factor in term.factors):
                status = "omitted"
            elif self._redundant(term.factors, at_base, absorbed):
                status = "base"
            elif not counts.get(tuple(value for value in values if value is not None), 0):
                status = "empty"
            else:
                status = "estimated"
            cells.append(Cell(position, values, status))
        return cells

    def _choices(self, factor: Factor) -> tuple[Level | None, ...]:
        if factor.kind == "continuous":
            return (None,)
        levels = self.levels[factor.variable]
        if not factor.levels:
            return levels
        # A level that is asked for but not in the sample stays in the list, as an empty cell.
        return tuple(_or_asked(find_level(asked, levels), asked) for asked in factor.levels)

    def _redundant(self, factors: tuple[Factor, ...], at_base: list[int], absorbed: bool) -> bool:
        for size in range(1, len(at_base) + 1):
            for dropped in combinations(at_base, size):
                rest = _key(tuple(factor for i, factor in enumerate(factors) if i not in dropped))
                if (rest in self.full) if rest else absorbed:
                    return True
        return False

    def _counts(self, term: Term) -> Mapping[tuple, int]:
        """Rows per combination of levels; combinations that do not occur are absent."""
        variables = [factor.variable for factor in term.factors if factor.kind == "categorical"]
        sizes = [len(self.levels[variable]) for variable in variables]
        codes = [self.rows.factor(variable)[0] for variable in variables]
        if prod(sizes) > 4 * self.rows.n + 1_000_000:
            # Too many combinations to count each: number those that occur.
            together = combine_all(codes, self.rows.n)
            count = np.bincount(together)
            first = first_rows(together, len(count))
            occurring, places = np.arange(len(count)), tuple(code[first] for code in codes)
        else:
            count = np.bincount(np.ravel_multi_index(codes, sizes) if variables else np.zeros(1, int), minlength=1)
            occurring = np.flatnonzero(count)
            places = np.unravel_index(occurring, sizes) if variables else ()
        levels = (np.array(self.levels[v], dtype=object)[p] for v, p in zip(variables, places, strict=True))
        keys = zip(*levels, strict=True) if variables else [()]
        return dict(zip(keys, count[occurring].tolist(), strict=True))

    def fixed_name(self, cell: Cell) -> str:
        """Stata's name with its marks: `1b.a`, `0bn.girl#c.age`, `3o.a`, `o.x`, `1b.a#co.x`, `1b.a#cL.x`."""
        held = cell.status != "estimated"
        factors = self.terms[cell.term].factors
        parts = []
        for factor, value in _factors_first(factors, cell.values):
            if value is None:
                mark = ("c" if len(factors) > 1 else "") + ("o" if held else "")
                parts.append(marked(mark, factor.variable))
            else:
                plain = self.spec.full_coding and cell.status == "estimated"
                mark = "" if plain else self._mark(factor, value, held)
                parts.append(marked(f"{level_text(value)}{mark}", factor.variable))
        return "#".join(parts)

    def _mark(self, factor: Factor, value: Level, held: bool) -> str:
        base = self.active_base(factor)
        if base is not None and value == base:
            return "b"
        if held:
            return "o"
        return "bn" if self.bases[factor.variable] is None and value == self.levels[factor.variable][0] else ""

    def plain_name(self, cell: Cell, continuous: str = "") -> str:
        """The name without marks: `0.girl#age`; `continuous="c"` gives `0.girl#c.age` as in notes."""
        factors = self.terms[cell.term].factors
        mark = continuous if len(factors) > 1 else ""
        return "#".join(
            marked(mark if value is None else level_text(value), factor.variable)
            for factor, value in _factors_first(factors, cell.values)
        )


def find_level(asked: float | str, levels: Sequence[Level]) -> Level | None:
    """The level that a number or text names: `3` finds the number 3 and the text "3"."""
    return next((level for level in levels if level == asked or str(level) == level_text(asked)), None)


def level_text(level: float | str) -> str:
    """A level as printed: 2, not 2.0.

    Examples
    --------
    >>> level_text(2.0), level_text("new")
    ('2', 'new')
    """
    if isinstance(level, str):
        return level
    return str(int(level)) if float(level).is_integer() else repr(float(level))


def _or_asked(found: Level | None, asked: float | str) -> Level:
    if found is not None:
        return found
    return int(asked) if isinstance(asked, (int, float)) and float(asked).is_integer() else asked


def _typed(factor: Factor, rows: Rows) -> Factor:
    """Decide "by_type" from the data, and refuse what cannot be what it is asked to be."""
    if factor.kind == "by_type":
        factor = changed(factor, kind="categorical" if rows.frame[factor.variable].has_names else "continuous")
    if factor.kind == "continuous":
        rows.numbers(factor.variable)
    return factor


def _names(term: Term) -> tuple[str, ...]:
    return tuple(factor.variable for factor in term.factors)


def _key(factors: Sequence[Factor]) -> tuple[tuple[str, str], ...]:
    """What makes two terms the same: their variables and kinds, in any order."""
    return tuple(sorted((factor.variable, factor.kind) for factor in factors))


def _factors_first(factors: Sequence[Factor], values: Sequence) -> list[tuple[Factor, Level | None]]:
    """Categorical factors before continuous ones, else as typed: the order of names in Stata."""
    return sorted(zip(factors, values, strict=True), key=lambda pair: pair[1] is None)
