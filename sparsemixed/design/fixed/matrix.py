"""Cells to a dense matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod

import numpy as np

from sparsemixed.delayed import sp
from sparsemixed.design.data.rows import Level, Rows
from sparsemixed.design.fixed.collinear import collinear
from sparsemixed.spec import Term

BLOCK = 8192
"""Rows filled at a time, so that a block of a row-major matrix stays in cache while its columns are written."""


def fill_columns(
    rows: Rows,
    terms: Sequence[Term],
    cells: Sequence[tuple[int, tuple]],
    levels: Mapping[str, tuple[Level, ...]],
    constant: bool,
) -> np.ndarray:
    """The columns of chosen cells.

    Parameters
    ----------
    rows : Rows
    terms : sequence of Term
        Every factor "continuous" or "categorical".
    cells : sequence of (term, values)
        One per column; `values` has a level per categorical factor and None per continuous one.
    levels : mapping
        variable -> the levels that its codes count.
    constant : bool
        Whether a column of ones ends the matrix.

    Returns
    -------
    columns : (n, len(cells) + constant) float64, C-contiguous
        A row with a missing value in any variable of `terms` is NaN throughout.
    """
    prepared = _products(rows, terms, cells, levels)
    make = np.empty if all(term.cell is None for term in prepared) else np.zeros
    columns = make((rows.n, len(cells) + constant))
    for start in range(0, rows.n, BLOCK):
        block = slice(start, start + BLOCK)
        if constant:
            columns[block, -1] = 1.0
        for term in prepared:
            term.write(columns[block], block)
    _spread_missing(columns, rows, terms)
    return columns


def candidate_columns(
    rows: Rows,
    terms: Sequence[Term],
    cells: Sequence[tuple[int, tuple]],
    levels: Mapping[str, tuple[Level, ...]],
    constant: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """`fill_columns` and which of its columns, the constant's aside, are `collinear`: both not to be changed.

    The fixed part and a random equation often have the same columns: these are made, and looked at, once.
    """
    each = ((tuple((f.kind, f.variable) for f in terms[term].factors), values) for term, values in cells)
    key = (constant, *each)
    if key not in rows.columns:
        columns = fill_columns(rows, terms, cells, levels, constant)
        rows.columns[key] = columns, collinear(columns[:, : len(cells)], constant)
    return rows.columns[key]


def sparse_columns(
    rows: Rows,
    terms: Sequence[Term],
    cells: Sequence[tuple[int, tuple]],
    levels: Mapping[str, tuple[Level, ...]],
    constant: bool,
) -> sp.csr_array:
    """`fill_columns` of rows without missing values as a sparse matrix, which has one number a row for each term."""
    found = [product.entries() for product in _products(rows, terms, cells, levels)]
    found += [(np.full(rows.n, len(cells)), np.ones(rows.n))] if constant else []
    columns, values = (np.column_stack(each) for each in zip(*found, strict=True))
    there = columns >= 0
    ends = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    return sp.csr_array((values[there], columns[there].astype(np.int32), ends), shape=(rows.n, len(cells) + constant))


def _products(
    rows: Rows, terms: Sequence[Term], cells: Sequence[tuple[int, tuple]], levels: Mapping[str, tuple[Level, ...]]
) -> list[_Product]:
    """Of every term that has cells, what makes their columns."""
    chosen: dict[int, list[tuple[int, tuple]]] = {}
    for column, (term, values) in enumerate(cells):
        chosen.setdefault(term, []).append((column, values))
    return [_Product(rows, terms[term], where, levels) for term, where in chosen.items()]


class _Product:
    """One term of the fixed part, ready to write its columns: the product of its continuous factors in each row, put into the
    column that belongs to the row's cell, the combination of levels of its categorical factors.

    Parameters
    ----------
    rows, term
    where : list of (column, levels)
        The columns of X to be filled, each with the level of every factor that it stands for.
    levels : mapping of variable to levels
        All levels of the categorical variables, in the order of their codes.

    Attributes
    ----------
    n : int
        Rows.
    value : (n,) float64 or None
        The product; None where there is nothing to multiply, and the columns are plain indicators.
    cell : (n,) int64 or None
        Each row's cell, numbered in mixed radix; None without categorical factors, whose only column is `column`.
    column_of_cell : (cells,) int64
        -1 where a cell has no column: it is a base, or has been omitted.
    """

    def __init__(self, rows: Rows, term: Term, where: list[tuple[int, tuple]], levels: Mapping[str, tuple[Level, ...]]):
        self.n = rows.n
        self.value: np.ndarray | None = None
        for factor in term.factors:
            if factor.kind == "continuous":
                values = rows.numbers(factor.variable)
                self.value = values if self.value is None else self.value * values
        categorical = [i for i, factor in enumerate(term.factors) if factor.kind == "categorical"]
        self.cell: np.ndarray | None = None
        if not categorical:
            self.column = where[0][0]
            return
        # Only the levels of the columns: `1.a#1.b` of two large factors is one cell, not all their combinations.
        own = [list(dict.fromkeys(values[i] for _, values in where)) for i in categorical]
        sizes = [len(used) + 1 for used in own]
        self.cell = np.zeros(rows.n, dtype=np.int64)
        for i, used, size in zip(categorical, own, sizes, strict=True):
            variable = term.factors[i].variable
            self.cell = self.cell * size + _places(rows.codes(variable, levels[variable]), levels[variable], used)
        places = [{level: place for place, level in enumerate(used)} for used in own]
        self.column_of_cell = np.full(prod(sizes), -1)
        for column, values in where:
            cell = tuple(place[values[i]] for place, i in zip(places, categorical, strict=True))
            self.column_of_cell[np.ravel_multi_index(cell, sizes)] = column

    def write(self, target: np.ndarray, block: slice) -> None:
        """Write into `target` (rows of the block, all columns), which is zero in this term's columns."""
        value = None if self.value is None else self.value[block]
        if self.cell is None:
            target[:, self.column] = value
            return
        columns = self.column_of_cell[self.cell[block]]
        here = np.flatnonzero(columns >= 0)
        target[here, columns[here]] = 1.0 if value is None else value[here]

    def entries(self) -> tuple[np.ndarray, np.ndarray]:
        """The column of every row, -1 for none, and the number that stands there; both (n,)."""
        columns = np.full(self.n, self.column) if self.cell is None else self.column_of_cell[self.cell]
        return columns, np.ones(self.n) if self.value is None else self.value


def _places(codes: np.ndarray, levels: Sequence[Level], used: Sequence[Level]) -> np.ndarray:
    """(n,) the place of a row's level among those used; after the last of them for the others, and where it is missing."""
    if tuple(used) == tuple(levels):
        return np.where(codes < 0, len(used), codes)
    place = {level: at for at, level in enumerate(used)}
    return np.array([*(place.get(level, len(used)) for level in levels), len(used)])[codes]


def cells_of_rows(
    rows: Rows, terms: Sequence[Term], cells: Sequence[tuple[int, tuple]], levels: Mapping[str, tuple[Level, ...]]
) -> Iterator[tuple[int, np.ndarray]]:
    """For each of the cells that some row is in, its place among `cells` and which rows, (n,) bool.

    Arguments as in `fill_columns`. A row whose continuous factors are zero is in no cell.
    """
    chosen: dict[int, list[tuple[int, tuple]]] = {}
    for place, (term, values) in enumerate(cells):
        chosen.setdefault(term, []).append((place, values))
    for term, where in chosen.items():
        product = _Product(rows, terms[term], where, levels)
        place = np.zeros(rows.n, dtype=np.int64) if product.cell is None else product.column_of_cell[product.cell]
        if product.value is not None:
            place = np.where(product.value != 0.0, place, -1)
        for found in np.unique(place[place >= 0]):
            yield int(found), place == found


def _spread_missing(columns: np.ndarray, rows: Rows, terms: Sequence[Term]) -> None:
    for variable in {factor.variable for term in terms for factor in term.factors}:
        missing = rows.missing(variable)
        if missing is not None and missing.any():
            columns[missing] = np.nan
