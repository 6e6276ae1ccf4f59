"""The values that the design stage hands on: arrays and names, nothing of likelihoods."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sparsemixed.delayed import sp
from sparsemixed.design.row_data import ROWS, SECOND_FORM, HoldsRows
from sparsemixed.structures.random.base import RandomStructure
from sparsemixed.structures.residual_errors.base import ResidualStructure


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
    structure : RandomStructure
        Of dimension m = number of columns that this block takes in the term.
    factor : str or None
        The variable of `R.varname`.
    position : int
        Rank of the equation as typed, for the order of the table.
    cells : tuple of (int, tuple)
        Each column but the constant's: its term in the equation, and per factor the level or None, as in `Column`.
    """

    equation: str
    names: tuple[str, ...]
    structure: RandomStructure
    factor: str | None
    position: int
    cells: tuple[tuple[int, tuple], ...] = ()


@dataclass(frozen=True)
class RandomTerm(HoldsRows):
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

    codes: np.ndarray = field(metadata=ROWS)
    n_groups: int
    columns: np.ndarray = field(metadata=ROWS)
    blocks: tuple[RandomBlock, ...]
    labels: pd.DataFrame
    members: np.ndarray | None = None

    @property
    def k(self) -> int:
        """Random effects of each group."""
        return sum(block.structure.m for block in self.blocks)


@dataclass(frozen=True)
class ResidualPart(HoldsRows):
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
    labels : DataFrame or None
        n_groups rows: the values that name the groups; None for errors that are independent, and in fits of earlier versions.
    """

    structure: ResidualStructure
    codes: np.ndarray = field(metadata=ROWS)
    n_groups: int
    t: np.ndarray = field(metadata=ROWS)
    equation: str
    levels: tuple[str, ...] | None
    labels: pd.DataFrame | None = None


@dataclass(frozen=True)
class Weights(HoldsRows):
    """Weights of rows and of groups.

    Attributes
    ----------
    kind : {"frequency", "sampling", "precision"}
        Frequency and sampling weights replicate rows and groups; precision weights divide the error variance of a row.
    rows : (n,) float64
        Product of the weights on each row's path: its own and those of all groups that hold it. Positive.
    groups : tuple of (n_groups,) float64, one for each random term
        Product of the weights of a group and of all groups that hold it; ones where groups have no weights.
    """

    kind: str
    rows: np.ndarray = field(metadata=ROWS)
    groups: tuple[np.ndarray, ...]

    @property
    def replicates_groups(self) -> bool:
        """Whether some group stands for other than one."""
        return self.kind != "precision" and any(np.any(group != 1.0) for group in self.groups)


@dataclass(frozen=True)
class Clusters(HoldsRows):
    """Independent clusters of rows.

    Attributes
    ----------
    codes : (n,) int32
    n_clusters : int
    name : str
        Of what tells them apart; empty where every row is a cluster.
    labels : DataFrame
        n_clusters rows: the values of the variables that tell them apart.
    frequency : (n_clusters,) float64 or None
        How many clusters each stands for, where frequency weights replicate whole clusters.
    """

    codes: np.ndarray = field(metadata=ROWS)
    n_clusters: int
    name: str
    labels: pd.DataFrame
    frequency: np.ndarray | None = None

    @property
    def number(self) -> int:
        """Number of clusters, those that frequency weights stand for included."""
        return self.n_clusters if self.frequency is None else round(float(self.frequency.sum()))


@dataclass(frozen=True)
class Constraints:
    """Linear constraints C beta = d on the estimated coefficients, and what they leave: beta = T gamma + a.

    Attributes
    ----------
    C : (m, p) float64, full row rank;  d : (m,) float64
    T : (p, p - m) float64
        Orthonormal basis of the null space of C; rows of zeros for coefficients with a fixed value.
    a : (p,) float64
        The shortest solution of C a = d.
    labels : tuple of str
        Each constraint as printed.
    """

    C: np.ndarray
    d: np.ndarray
    T: np.ndarray
    a: np.ndarray
    labels: tuple[str, ...]

    @property
    def fixed(self) -> np.ndarray:
        """(p,) bool: coefficients whose value the constraints fix."""
        return np.asarray(np.all(self.T == 0.0, axis=1))


@dataclass(frozen=True)
class GroupRow:
    """One row of the table of groups as printed: nested counts."""

    name: str
    n_groups: int
    minimum: int
    average: float
    maximum: int


@dataclass(frozen=True)
class SampleSize:
    """Number of rows, number of observations that they stand for, and sum of squares of the response."""

    n_rows: int
    n_obs: float
    square: float = float("nan")


@dataclass(frozen=True)
class Design(HoldsRows):
    """The data of a model as arrays.

    Attributes
    ----------
    y : (n,) float64
        The response less its offset.
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
    weights : Weights or None
    constraints : Constraints or None
    clusters : Clusters or None
        For robust standard errors.
    size : SampleSize or None
        Only where the arrays with one entry per row have been left behind (see `design.row_data`).
    counts : dict
        variable -> (k,) float64: observations of each of its `levels`, frequency weights counted.
    combinations : dict
        Position in `columns` of every collinear one -> (p,) float64, its coefficients on the columns of X.
    index : Index or None
        The index of a pandas frame in the rows used; None for data without one.
    offset : (n,) float64 or None
        What every prediction of the response has besides its effects.
    units : dict
        variable -> what it counts, for dates (see `design.data.dates`).
    sparse : (n, p) csr_array or None
        X as it was built, where it has many columns of which a row meets few; X itself is then made when it is first read.
    """

    y: np.ndarray = field(metadata=ROWS)
    X: np.ndarray = field(metadata=ROWS)
    columns: tuple[Column, ...]
    random: tuple[RandomTerm, ...]
    groups: tuple[GroupRow, ...]
    kept: np.ndarray = field(metadata=ROWS)
    notes: tuple[str, ...]
    value_labels: dict
    levels: dict
    residual: ResidualPart | None = None
    weights: Weights | None = None
    constraints: Constraints | None = None
    clusters: Clusters | None = None
    size: SampleSize | None = None
    counts: dict = field(default_factory=dict)
    combinations: dict = field(default_factory=dict)
    index: pd.Index | None = field(default=None, metadata=ROWS)
    offset: np.ndarray | None = field(default=None, metadata=ROWS)
    units: dict = field(default_factory=dict)
    sparse: sp.csr_array | None = field(default=None, repr=False, compare=False, metadata=SECOND_FORM)

    @property
    def row_index(self) -> pd.Index:
        """(n,) the index of results with one entry per row: that of the frame, or positions where it has none."""
        return pd.Index(self.kept.copy(), name="row") if self.index is None else self.index

    @property
    def has_rows(self) -> bool:
        """Whether the arrays with one entry per row are there."""
        return "y" in vars(self)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.y) if self.size is None else self.size.n_rows

    @property
    def response_square(self) -> float:
        """Sum of squares of the response."""
        return float(self.y @ self.y) if self.size is None else self.size.square

    @property
    def n_obs(self) -> float:
        """Number of observations, those that a frequency or sampling weight stands for included."""
        if self.size is not None:
            return self.size.n_obs
        replicated = self.weights is not None and self.weights.kind != "precision"
        return float(self.weights.rows.sum()) if replicated and self.weights is not None else float(len(self.y))

    @property
    def nobs(self) -> int:
        """Number of observations as reported: frequency weights count, sampling and precision weights do not."""
        return round(self.n_obs) if self.weights is not None and self.weights.kind == "frequency" else self.n_rows

    @property
    def rank(self) -> int:
        """Number of free fixed effects: columns of X less constraints."""
        return len(self.names) if self.constraints is None else self.constraints.T.shape[1]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the estimated columns, in the order of X."""
        return tuple(c.name for c in self.columns if c.status == "estimated")
