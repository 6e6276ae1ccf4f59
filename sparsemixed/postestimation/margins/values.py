"""The values that margins are asked with and handed on as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.postestimation.margins.request import Item, needs_ranks
from sparsemixed.postestimation.margins.settings import Setting
from sparsemixed.time_series import unmarked


@dataclass(frozen=True)
class Derivative:
    """What is averaged: `kind` of dydx, dyex, eydx, eyex (empty for the prediction itself) by some variables.

    `continuous` takes the indicator of a factor's level for a number that moves by itself.
    """

    kind: str = ""
    variables: tuple[str, ...] = ()
    continuous: bool = False


@dataclass(frozen=True)
class MarginsRequest:
    """What `margins` is asked for, read.

    Attributes
    ----------
    terms : tuple of tuple of str
        Factors of each margin; an empty tuple is the margin over everything.
    at : tuple of tuple of Item
        One for each at().
    over : tuple of str
    within : tuple of str
        Nesting variables: groups as those of over(), in each of which only cells that occur there are balanced.
    derivative : Derivative
    atmeans, asbalanced : bool
    reweight : bool
        Balanced factors share out the weight of empty cells among the others.
    level : float
    small : bool
    df : float or None
        Of t tests, given.
    mcompare : str
    adjust_all : bool
        Adjusted for the margins of all terms together.
    unconditional : bool
        Whether variances account for the sampling of the rows.
    """

    terms: tuple[tuple[str, ...], ...] = ((),)
    at: tuple[tuple[Item, ...], ...] = ()
    over: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    derivative: Derivative = field(default_factory=Derivative)
    atmeans: bool = False
    asbalanced: bool = False
    reweight: bool = False
    level: float = 95.0
    small: bool = False
    df: float | None = None
    mcompare: str = "noadjust"
    adjust_all: bool = False
    unconditional: bool = False

    @property
    def by(self) -> tuple[str, ...]:
        """The variables whose groups of rows are looked at one by one: those of over(), then those of within()."""
        return (*self.over, *self.within)

    @property
    def ranked(self) -> bool:
        """Whether some statistic needs the rows in order."""
        return any(needs_ranks(item.statistic) for at in self.at for item in at)


@dataclass(frozen=True)
class Block:
    """Margins that are shown together: all cells of one term for one derivative.

    Attributes
    ----------
    variable : str
        By which is differentiated, `2.drug` for a level of a factor; empty for predictions.
    factors : tuple of str
    cells : tuple of tuple
        Levels of the factors.
    places : tuple of int
        Number of at() points, of groups and of cells, which vary in this order, the last fastest.
    start : int
        Of its rows among all.
    """

    variable: str
    factors: tuple[str, ...]
    cells: tuple[tuple, ...]
    places: tuple[int, int, int]
    start: int

    @property
    def rows(self) -> slice:
        """Its rows among all."""
        return slice(self.start, self.start + int(np.prod(self.places)))


@dataclass(frozen=True)
class Margins:
    """Margins with their tests.

    Attributes
    ----------
    estimate, std_err, statistic, pvalue, low, high : (m,) float64
        NaN where a margin is not estimable.
    df : (m,) float64 or None
        Of t tests; None for z.
    jacobian : (m, p) float64
        K, on the estimated coefficients; for elasticities the derivative at the estimate.
    covariance : (m, m) float64
    estimable : (m,) bool
    unknown : (m, u) float64
        What of each margin falls on coefficients without an estimate.
    blocks : tuple of Block
    at : tuple of tuple of Setting
        For each at() point its setting in each group.
    groups : tuple of tuple
        Levels of the variables of over() and within() of each group; one empty tuple without.
    request : MarginsRequest
    counts : (groups,) float64
        Observations of each group.
    averaged : bool
        Whether anything is averaged over the rows.
    note : str
    constant : (m,) float64, or zero
        What of each margin is not K beta: offsets, and for elasticities what their local form leaves.
    n_clusters : int or None
        Of variances that account for the sampling of the rows.
    """

    estimate: np.ndarray
    std_err: np.ndarray
    statistic: np.ndarray
    pvalue: np.ndarray
    low: np.ndarray
    high: np.ndarray
    df: np.ndarray | None
    jacobian: np.ndarray
    covariance: np.ndarray
    estimable: np.ndarray
    unknown: np.ndarray
    blocks: tuple[Block, ...]
    at: tuple[tuple[Setting, ...], ...]
    groups: tuple[tuple, ...]
    request: MarginsRequest
    counts: np.ndarray
    averaged: bool
    note: str = ""
    constant: np.ndarray = field(default_factory=lambda: np.zeros(()))
    n_clusters: int | None = None


def read_terms(terms: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Factors of each term; operators are for comparisons, and a covariate has no margins.

    Raises
    ------
    OptionError
        A covariate in a term.
    """
    out = []
    for term in terms:
        names = []
        for piece in pieces_of(term):
            mark, name = unmarked(piece)
            if mark == "c":
                raise OptionError(f"margins: c.{name} is continuous and has no margins; set it by at({name}=...), or use dydx()")
            names.append(name)
        out.append(tuple(names))
    return tuple(out) or ((),)


def pieces_of(term: str) -> list[str]:
    """The factors of a term with their operators, those after `@` last; none for the margin over everything."""
    return [piece for piece in term.replace("@", "#").split("#") if piece]
