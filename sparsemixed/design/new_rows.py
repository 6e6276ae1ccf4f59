"""The random part for other data: which of the groups fitted each row belongs to, and the row's columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sparsemixed.design.data.codes import combine_all, first_rows
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.fixed.columns import of_kinds
from sparsemixed.design.fixed.matrix import fill_columns
from sparsemixed.design.names.computed_notes import check_coded_levels
from sparsemixed.design.sample import check_known, check_units
from sparsemixed.design.values import Design, RandomBlock, RandomTerm
from sparsemixed.errors import DataError
from sparsemixed.spec import ModelSpec

MISSING, NEW = -2, -1


@dataclass(frozen=True)
class NewRows:
    """A random term for m rows of other data.

    Attributes
    ----------
    codes : (m,) int64
        Group among those fitted; `NEW` where there is no such group, or no such level of `R.varname` in it, and `MISSING` where
        one of the variables that name the group is missing.
    columns : (m, k) float64
        NaN where a covariate is missing.
    """

    codes: np.ndarray
    columns: np.ndarray


def new_rows(term: RandomTerm, design: Design, spec: ModelSpec, rows: Rows) -> NewRows:
    """Codes of groups and columns of Z of one fitted random-effects term, for the rows of other data than it was fitted to.

    Raises
    ------
    CommandError
        A variable is not in the data.
    DataError
        A variable holds texts where it held numbers, or the other way round; a categorical covariate has a new level.
    """
    covariates = [f.variable for b in term.blocks for t in spec.random[b.position].terms for f in t.factors]
    factor = [str(term.blocks[0].factor)] if term.members is not None else []
    names = [*map(str, term.labels.columns), *factor, *covariates]
    check_known(rows.frame, tuple(dict.fromkeys(names)), spec)
    check_coded_levels(spec, covariates, rows)
    check_units(rows.frame, tuple(dict.fromkeys(covariates)), design.units)
    codes = _numbered_groups(term, rows)
    if codes is None:
        named = [Named(*rows.distinct(name), term.labels[name].tolist(), name) for name in term.labels.columns]
        codes = matched_groups(named, rows.n)
    if factor:
        return _members(term, factor[0], rows, codes)
    return NewRows(codes, np.concatenate([block_columns(block, design, spec, rows) for block in term.blocks], axis=1))


def _numbered_groups(term: RandomTerm, rows: Rows) -> np.ndarray | None:
    """What `matched_groups` finds for groups that one variable of numbers names, with no object for any of them; else None."""
    if len(term.labels.columns) != 1:
        return None
    (name,) = term.labels.columns
    known, variable = term.labels[name].to_numpy(), rows.frame[name]
    if known.dtype.kind not in "if" or variable.categories or not known.size:
        return None
    codes, found = rows.numbered(name)
    if found.dtype != known.dtype or not (known[1:] > known[:-1]).all():
        return None
    place = np.minimum(np.searchsorted(known, found), known.size - 1)
    group = np.append(np.where(known[place] == found, place, NEW), MISSING)
    return group[codes]


def block_columns(block: RandomBlock, design: Design, spec: ModelSpec, rows: Rows) -> np.ndarray:
    """(m, columns of one block); of R.varname one."""
    if block.factor is not None:
        return np.ones((rows.n, 1))
    equation = spec.random[block.position]
    return fill_columns(rows, of_kinds(equation.terms, dict(block.cells)), block.cells, design.levels, equation.constant)


def _members(term: RandomTerm, factor: str, rows: Rows, codes: np.ndarray) -> NewRows:
    """An exchangeable `R.varname`: a column for each of the levels that a group has."""
    members = np.asarray(term.members, dtype=object)
    there = np.array([member is not None for member in members.ravel()], dtype=bool).reshape(members.shape)
    groups, places = np.nonzero(there)
    level = Named(*rows.distinct(factor), members[there].tolist(), factor)
    found = matched_groups([Named(codes, range(term.n_groups), groups.tolist()), level], rows.n)
    columns = np.zeros((rows.n, term.k))
    columns[found >= 0, places[found[found >= 0]]] = 1.0
    return NewRows(np.where((codes < 0) | (found >= 0), codes, found), columns)


class Named(NamedTuple):
    """A variable that names groups: codes (m,) of the rows, negative where missing; their values; those of the groups fitted."""

    codes: np.ndarray
    values: Sequence
    known: Sequence
    name: str = ""


def matched_groups(named: Sequence[Named], m: int) -> np.ndarray:
    """(m,) the group with a row's values; `NEW`; `MISSING`. Without variables there is one group."""
    for variable in named:
        _check_kind(variable)
    out = np.full(m, MISSING, dtype=np.int64) if named else np.zeros(m, dtype=np.int64)
    complete = np.flatnonzero(np.all([variable.codes >= 0 for variable in named], axis=0)) if named else np.zeros(0, np.int64)
    if not len(complete):
        return out
    together = combine_all([variable.codes[complete] for variable in named], len(complete))
    first = complete[first_rows(together, int(together.max()) + 1)]
    keys = [*zip(*([variable.values[code] for code in variable.codes[first]] for variable in named), strict=True)]
    # Most often a few of many groups: keys of all would take more time to be kept than to be looked at.
    wanted = set(keys)
    place = {key: g for g, key in enumerate(zip(*(variable.known for variable in named), strict=True)) if key in wanted}
    out[complete] = np.array([place.get(key, NEW) for key in keys])[together]
    return out


def _check_kind(variable: Named) -> None:
    """A text is never a number: without this every group would quietly be a new one."""
    if len(variable.values) and len(variable.known):
        new, old = (isinstance(values[0], str) for values in (variable.values, variable.known))
        if new != old:
            held, holds = ("text", "numbers") if old else ("numbers", "text")
            raise DataError(f"variable `{variable.name}` held {held} in the data fitted and holds {holds} here; convert it first")
