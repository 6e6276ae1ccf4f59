"""The random part: equations to terms, one term per set of groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsemixed.design.data.codes import combine, first_rows
from sparsemixed.design.data.rows import Level, Rows
from sparsemixed.design.deferred import deferred
from sparsemixed.design.fixed.matrix import candidate_columns, fill_columns
from sparsemixed.design.fixed.terms import TermList
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.values import RandomBlock, RandomTerm
from sparsemixed.errors import CommandError, DataError
from sparsemixed.spec import ModelSpec, RandomEquation
from sparsemixed.structures.random.table import STRUCTURES, covariances_of_factors, random_structure, structure_of_levels

MOST_ELEMENTS = 2e8
"""Largest dense array of indicators (1.6 GB) that a correlated `R.varname` may take."""


@dataclass(frozen=True)
class RandomPart:
    """What the random part contributes to a design: see `Design`."""

    terms: tuple[RandomTerm, ...]
    notes: tuple[str, ...]
    levels: dict[str, tuple[Level, ...]]


def random_part(spec: ModelSpec, rows: Rows, groups: Groups) -> RandomPart:
    """Build the random terms, in the order in which the first equation of each was typed.

    Equations of one level share a term, as blocks of its covariance matrix; every `R.varname` is a term of its own.
    """
    notes: list[str] = []
    empty: list[str] = []
    levels: dict[str, tuple[Level, ...]] = {}
    terms: dict[int | tuple[str, ...], RandomTerm] = {}
    parts: dict[tuple[str, ...], list[tuple[RandomBlock, np.ndarray]]] = {}
    for position, equation in enumerate(spec.random):
        if equation.factor is not None:
            terms[position] = _factor_term(equation, equation.factor, position, rows, groups, spec)
            continue
        names, columns, cells, found, said = _coefficients(equation, rows, spec)
        notes += said
        levels |= found
        empty += [] if names else [equation.label]
        if names:
            structure = random_structure(equation.covariance, len(names))
            notes += _single_effect_note(equation, len(names), spec)
            block = RandomBlock(equation.label, names, structure, None, position, cells)
            parts.setdefault(equation.grouping, []).append((block, columns))
            terms[equation.grouping] = _level_term(equation.grouping, parts[equation.grouping], groups)
    if terms:  # where all are empty, that is told with the tables
        notes += [f"Note: the random-effects equation for {label} is empty" for label in empty]
    return RandomPart(tuple(terms.values()), tuple(notes), levels)


def _single_effect_note(equation: RandomEquation, m: int, spec: ModelSpec) -> list[str]:
    """That a structure with covariances was asked for where there is one effect; in formulas `(1 | g)` asks for nothing."""
    if m > 1 or spec.full_coding or equation.covariance not in ("unstructured", "exchangeable"):
        return []
    return [
        f"Note: single-variable random-effects specification in {equation.label} equation; covariance structure set to identity"
    ]


def _coefficients(
    equation: RandomEquation, rows: Rows, spec: ModelSpec
) -> tuple[tuple[str, ...], np.ndarray, tuple[tuple[int, tuple], ...], dict[str, tuple[Level, ...]], list[str]]:
    """Names, columns (n, m), cells (see `RandomBlock`), levels of the categorical variables, and notes of one equation."""
    terms = TermList(equation.terms, rows, spec, constant=equation.constant or not spec.full_coding)
    _refuse_independent_levels(equation, terms, spec)
    cells = [cell for cell in terms.cells() if cell.status == "estimated"]
    about = (rows, terms.terms, [(c.term, c.values) for c in cells], terms.levels, equation.constant)
    names = [terms.plain_name(cell) for cell in cells]
    notes = []
    if equation.collinear:
        columns = fill_columns(*about)
    else:
        columns, omitted = candidate_columns(*about)
        where = f"the random-effects equation for {equation.label}"
        notes = [f"note: {names[i]} omitted from {where} because of collinearity." for i in np.flatnonzero(omitted)]
        names = [name for name, drop in zip(names, omitted, strict=True) if not drop]
        cells = [cell for cell, drop in zip(cells, omitted, strict=True) if not drop]
        columns = columns[:, [*~omitted, *[True] * equation.constant]] if notes else columns
    places = tuple((cell.term, cell.values) for cell in cells)
    return (*names, *["_cons"] * equation.constant), columns, places, terms.levels, notes


def _refuse_independent_levels(equation: RandomEquation, terms: TermList, spec: ModelSpec) -> None:
    """`(f || g)` of a formula, for which lme4 has two readings: by default only f and the intercept are independent."""
    if not spec.full_coding or equation.covariance != "independent" or equation.by_column:
        return
    name = next((f.variable for term in terms.terms for f in term.factors if f.kind == "categorical"), None)
    if name is not None:
        message = (
            f"({name} || {equation.label}): {name} is categorical, and lme4 keeps the effects of its levels correlated here; "
            f"write (1 | {equation.label}) + (0 + {name} | {equation.label}) for that, or numeric columns 0 and 1 for "
            "independent effects"
        )
        raise CommandError(message, spec.text, equation.position)


def _level_term(grouping: tuple[str, ...], parts: list[tuple[RandomBlock, np.ndarray]], groups: Groups) -> RandomTerm:
    codes, n_groups = groups.codes(grouping)
    columns = parts[0][1] if len(parts) == 1 else np.concatenate([columns for _, columns in parts], axis=1)
    blocks = tuple(block for block, _ in parts)
    return _term(groups, grouping, codes=codes, n_groups=n_groups, columns=np.ascontiguousarray(columns), blocks=blocks)


def _term(groups: Groups, variables: tuple[str, ...], **known: Any) -> RandomTerm:
    """A term with the labels of its groups once they are asked for: a data frame takes as long as all the rest of a small one."""
    labels = groups.labels_later(variables)
    return deferred(RandomTerm, {("labels",): lambda: {"labels": labels()}}, **known)


def _factor_term(
    equation: RandomEquation, variable: str, position: int, rows: Rows, groups: Groups, spec: ModelSpec
) -> RandomTerm:
    """`R.varname`: independent effects are groups of their own; correlated ones share their level's group."""
    stand = STRUCTURES[equation.covariance].factor_levels
    if stand == "columns":
        return _correlated_term(equation, variable, position, rows, groups)
    if stand is None:
        message = f"R.{variable} allows {covariances_of_factors()}, not {equation.covariance}"
        raise CommandError(message, spec.text, equation.position)
    # `region: R.region` needs no second copy of the variable.
    variables = tuple(dict.fromkeys((*equation.grouping, variable)))
    codes, n_groups = groups.codes(variables)
    block = RandomBlock(equation.label, (f"R.{variable}",), random_structure(equation.covariance, 1), variable, position)
    return _term(groups, variables, codes=codes, n_groups=n_groups, columns=np.ones((rows.n, 1)), blocks=(block,))


def _correlated_term(equation: RandomEquation, variable: str, position: int, rows: Rows, groups: Groups) -> RandomTerm:
    """Indicators of the levels within each group, numbered from 0 in their order: k is the most that any group has.

    All levels of the variable share the covariance matrix in every group. Where no group has all of them, a last column of zeros
    stands for those that a group lacks (see `structures.random.exchangeable`).
    """
    codes, n_groups = groups.codes(equation.grouping)
    level, values = rows.distinct(variable)
    pair = combine(codes, level)
    first = first_rows(pair, int(pair.max()) + 1)
    # Pairs are sorted by group, so a pair's number within its group is its distance from the group's first pair.
    group_of_pair = codes[first]
    per_group = np.bincount(group_of_pair, minlength=n_groups)
    within = np.arange(len(first)) - (np.cumsum(per_group) - per_group)[group_of_pair]
    structure = structure_of_levels(equation.covariance, int(per_group.max()), int(level.max()) + 1)
    k = structure.m
    if rows.n * k > MOST_ELEMENTS:
        raise DataError(
            f"R.{variable} with covariance({equation.covariance}) needs a dense matrix of {rows.n:,} rows by {k:,} columns (the "
            f"levels of `{variable}` within one group of {equation.label}), because all of a group's effects are "
            f"correlated; use covariance(identity), with a random intercept for what they share"
        )
    columns = np.zeros((rows.n, k))
    columns[np.arange(rows.n), within[pair]] = 1.0
    members = np.full((n_groups, k), None, dtype=object)
    members[group_of_pair, within] = np.array([*values, None], dtype=object)[level[first]]
    block = RandomBlock(equation.label, (f"R.{variable}",), structure, variable, position)
    return _term(groups, equation.grouping, codes=codes, n_groups=n_groups, columns=columns, blocks=(block,), members=members)
