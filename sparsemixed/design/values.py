"""The values that the design stage hands on: arrays and names, nothing of likelihoods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.structures.base import Structure
from sparsemixed.structures.residual import ResidualStructure


@dataclass(frozen=True)
class Column:
    """One column of the fixed part.

    Attributes
    ----------
    name : str
        Stata's name: `week`, `2.program`, `0bn.girl#c.age`, `c.age#c.age`, `_cons`.
    term : int
        Index into `spec.fixed`; -1 for the constant.
    cell : tuple
        One entry per factor of the term: the level's value, or None for a continuous factor.
    status : str
        "estimated", "base" (reference level), "empty" (no observations in the cell) or "omitted" (collinear, or `o.`).
        Only estimated columns have a column of X.
    """

    name: str
    term: int
    cell: tuple
    status: str


@dataclass(frozen=True)
class RandomBlock:
    """One equation of random effects: a structure over some consecutive columns of its term.

    Attributes
    ----------
    equation : str
        As printed before the colon: the level's label.
    names : tuple of str, length m
        Names of the random effects as printed inside `var()`; one entry, `R.week`, for a factor.
    structure : Structure
        Of dimension m = number of columns that this block takes in the term.
    factor : str or None
        The variable of `R.varname`.
    position : int
        Rank of the equation as typed, for the order of the table.
    """

    equation: str
    names: tuple[str, ...]
    structure: Structure
    factor: str | None
    position: int


@dataclass(frozen=True)
class RandomTerm:
    """All blocks over one set of groups: the engine's unit.

    Attributes
    ----------
    codes : (n,) int32
        Group of each row, 0 .. n_groups - 1.
    n_groups : int
    columns : (n, k) float64
        Values of the k random coefficients' columns, C-contiguous.
    blocks : tuple of RandomBlock
        Their dimensions add up to k, in the order of `columns`.
    labels : DataFrame
        n_groups rows: the values of the grouping variables (and of R.varname) of each group.
    members : (n_groups, k) object array or None
        Only for an exchangeable `R.varname`: which level stands in each column of each group (None where there is none).
    """

    codes: np.ndarray
    n_groups: int
    columns: np.ndarray
    blocks: tuple[RandomBlock, ...]
    labels: pd.DataFrame
    members: np.ndarray | None = None

    @property
    def k(self) -> int:
        return self.columns.shape[1]


@dataclass(frozen=True)
class ResidualPart:
    """Errors within the lowest-level groups.

    Attributes
    ----------
    structure : ResidualStructure
    codes : (n,) int32
        Lowest-level group of each row.
    n_groups : int
    t : (n,) or (n, 2) float64
        Times, or positions among levels; with by() a second column, the position of its level.
    equation : str
        As printed: `Residual: AR(2)`, `Residual: Independent, by followup`.
    levels : tuple of str or None
        What the positions of unstructured and banded times stand for.
    """

    structure: ResidualStructure
    codes: np.ndarray
    n_groups: int
    t: np.ndarray
    equation: str
    levels: tuple[str, ...] | None


@dataclass(frozen=True)
class GroupRow:
    """One row of the table of groups as printed: nested counts."""

    name: str
    n_groups: int
    minimum: int
    average: float
    maximum: int


@dataclass(frozen=True)
class Design:
    """The data of a model as arrays.

    Attributes
    ----------
    y : (n,) float64
    X : (n, p) float64, C-contiguous
        Estimated columns only, in the order of `columns`; the constant, when there, is last.
    columns : tuple of Column
        Every coefficient in order, base, empty and omitted ones included.
    random : tuple of RandomTerm
    groups : tuple of GroupRow
        Distinct levels, top to bottom; `_all` counts as one group.
    kept : (n,) int64
        Positions in the data frame of the rows used.
    notes : tuple of str
        Such as "note: 5.rep78 omitted because of collinearity."
    value_labels : dict
        variable -> {value: label}
    levels : dict
        variable -> tuple of the levels a categorical variable has in the sample; with `spec` enough to build X anew.
    residual : ResidualPart or None
        None for independent errors with one variance.
    """

    y: np.ndarray
    X: np.ndarray
    columns: tuple[Column, ...]
    random: tuple[RandomTerm, ...]
    groups: tuple[GroupRow, ...]
    kept: np.ndarray
    notes: tuple[str, ...]
    value_labels: dict
    levels: dict
    residual: ResidualPart | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the estimated columns, in the order of X."""
        return tuple(c.name for c in self.columns if c.status == "estimated")
