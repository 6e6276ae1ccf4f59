"""Margins of the linear prediction: rows K over the coefficients, so that a margin is K b and its variance K V K'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from sparsemixed.design.fixed.terms import level_text
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.constrained import held_rows
from sparsemixed.inference.covariance.vce import beta_covariance
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.inference.hypotheses.multiple import adjusted
from sparsemixed.inference.hypotheses.wald import Coefficients
from sparsemixed.postestimation.margins.at_settings import FixedVariables, balanced, means, points, setting_of
from sparsemixed.postestimation.margins.cell_means import Averages, RowStatistics
from sparsemixed.postestimation.margins.local_forms import elasticities
from sparsemixed.postestimation.margins.request import Item
from sparsemixed.postestimation.margins.sample import MarginSample
from sparsemixed.postestimation.margins.settings import FixedRows, Setting
from sparsemixed.time_series import unmarked

APPROXIMATE = "degrees of freedom are those of the local linear form of each elasticity, and approximate."
ESTIMABLE = 1e-8
"""Part of a margin, relative to its row, that may fall on coefficients without an estimate."""


@dataclass(frozen=True)
class Derivative:
    """What is averaged: `kind` of dydx, dyex, eydx, eyex (empty for the prediction itself) by some variables."""

    kind: str = ""
    variables: tuple[str, ...] = ()


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
    derivative : Derivative
    atmeans, asbalanced : bool
    level : float
    small : bool
    df : float or None
        Of t tests, given.
    mcompare : str
    """

    terms: tuple[tuple[str, ...], ...] = ((),)
    at: tuple[tuple[Item, ...], ...] = ()
    over: tuple[str, ...] = ()
    derivative: Derivative = field(default_factory=Derivative)
    atmeans: bool = False
    asbalanced: bool = False
    level: float = 95.0
    small: bool = False
    df: float | None = None
    mcompare: str = "noadjust"


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
        Number of at() points, of over() groups and of cells, which vary in this order, the last fastest.
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
        For each at() point its setting in each group of over().
    groups : tuple of tuple
        Levels of the over() variables of each group; one empty tuple without.
    request : MarginsRequest
    counts : (groups,) float64
        Observations of each group.
    averaged : bool
        Whether anything is averaged over the rows.
    note : str
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


@dataclass(frozen=True)
class _Group:
    levels: tuple
    statistics: RowStatistics
    where: np.ndarray | None


def margins(fit: Fit, request: MarginsRequest, sample: MarginSample) -> Margins:
    """Margins as asked for.

    Parameters
    ----------
    fit : Fit
    request : MarginsRequest
    sample : MarginSample
        The rows, or their means alone.

    Raises
    ------
    OptionError
        Variables, levels or combinations that are impossible.
    DataError
        What is asked for needs rows that are not there.
    """
    if fit.spec.offsets:
        raise OptionError("margins of a model with an offset are not available; subtract it from the response and fit again")
    variables, rows = FixedVariables(fit), FixedRows(fit.design, fit.spec)
    groups = [_Group(levels, statistics, where) for levels, statistics, where in sample.groups(request.over)]
    settings = _settings(fit, request, variables, groups, sample)
    builder = _Builder(fit, rows, variables, groups, settings, request, sample)
    for variable, level in _derivatives(request.derivative, variables):
        for term in request.terms:
            builder.block(variable, level, term)
    return builder.finished()


def _settings(
    fit: Fit, request: MarginsRequest, variables: FixedVariables, groups: Sequence[_Group], sample: MarginSample
) -> list[list[tuple[Setting, tuple[Item, ...]]]]:
    """Setting and generated variables of every at() point in every group."""
    overall = Averages(sample.overall(), fit.design.levels)
    found = [[] for _ in groups]
    for group, own in zip(groups, found, strict=True):
        averages = Averages(group.statistics, fit.design.levels)
        first = Setting()
        if request.atmeans:
            first = first.merged(means(variables, variables.group(["_all"], "atmeans"), averages))
        if request.asbalanced:
            first = first.merged(balanced(variables, variables.factors))
        for items in [p for at in (request.at or ((),)) for p in points(at)]:
            generated = tuple(item for item in items if item.statistic == "generate")
            own.append((setting_of(items, first, variables, averages, overall), generated))
    return [list(point) for point in zip(*found, strict=True)]


def _derivatives(asked: Derivative, variables: FixedVariables) -> list[tuple[str, object]]:
    """Pairs (variable, level): none, a covariate without a level, or a level of a factor other than its base."""
    if not asked.kind:
        return [("", None)]
    out: list[tuple[str, object]] = []
    for name in variables.group(asked.variables, f"{asked.kind}()"):
        if name in variables.covariates:
            out.append((name, None))
            continue
        if asked.kind in ("dyex", "eyex"):
            raise OptionError(f"{asked.kind}() is for continuous variables, and {name} is a factor")
        out += [(name, level) for level in variables.factors[name] if level != variables.bases[name]]
    if not out:
        raise OptionError(f"{asked.kind}() needs at least one variable of the fixed part")
    return out


class _Builder:
    """Collects the rows of all margins, block by block."""

    def __init__(self, fit, rows, variables, groups, settings, request, sample):
        self.fit, self.rows, self.variables = fit, rows, variables
        self.groups, self.settings, self.request, self.sample = groups, settings, request, sample
        self.blocks: list[Block] = []
        self.whole: list[np.ndarray] = []
        self.local: list[tuple[float, np.ndarray]] = []
        self.averaged = False

    def block(self, variable: str, level, term: tuple[str, ...]) -> None:
        """All cells of a term, at every point of at() and in every group."""
        names = [self.variables.factor(name, "margins") for name in term]
        if variable in names:
            raise OptionError(f"margins: {variable} cannot be in the list of margins and in {self.request.derivative.kind}()")
        cells = tuple(product(*(self.variables.factors[name] for name in names)))
        label = f"{level_text(level)}.{variable}" if level is not None else variable
        start = len(self.whole)
        for point in self.settings:
            for group, (setting, generated) in zip(self.groups, point, strict=True):
                averages = Averages(self.sample.generated(generated, group.statistics, group.where), self.fit.design.levels)
                for cell in cells:
                    own = setting
                    for name, value in zip(names, cell, strict=True):
                        own = own.at_level(name, value)
                    self._row(variable, level, own, averages, group, bool(generated))
        places = (len(self.settings), len(self.groups), len(cells))
        self.blocks.append(Block(label, tuple(names), cells, places, start))

    def _row(self, variable: str, level, setting: Setting, averages: Averages, group: _Group, generated: bool) -> None:
        kind = self.request.derivative.kind
        left = [v for v in self.rows.variables if not setting.sets(v) and (v != variable or level is None)]
        self.averaged |= bool(left) or generated
        if level is not None:
            base = setting.at_level(variable, self.variables.bases[variable])
            ends = setting.at_level(variable, level), base
            whole = self.rows.margin(ends[0], averages) - self.rows.margin(base, averages)
        elif variable:
            whole = self.rows.slope(variable, setting, averages, times=kind in ("dyex", "eyex"))
        else:
            whole = self.rows.margin(setting, averages)
        self.whole.append(whole)
        if kind in ("eydx", "eyex"):
            if generated:
                raise OptionError(f"{kind}() does not go with generate()")
            at = setting if level is None else None
            if at is None:
                raise OptionError(f"{kind}() of a factor is not available; dydx() is")
            self.local.append(elasticities(self.fit, self.rows, variable, setting, averages, kind, self.sample, group.where))

    def finished(self) -> Margins:
        """Estimates and tests of all rows."""
        whole = np.array(self.whole).reshape(len(self.whole), len(self.fit.design.columns))
        K, unknown = self.rows.estimated(whole), self.rows.unknown(whole)
        size = np.maximum(np.abs(whole).max(axis=1, initial=0.0), np.finfo(float).tiny)
        estimable = np.all(np.abs(unknown) <= ESTIMABLE * size[:, None], axis=1)
        estimate = K @ self.fit.beta
        if self.local:
            estimate = np.array([value for value, _ in self.local])
            K = np.array([row for _, row in self.local])
        tested = row_tests(self.fit, K, estimate, estimable, self.request)
        covariance = _covariance(self.fit, self.request)
        points = tuple(tuple(setting for setting, _ in point) for point in self.settings)
        note = APPROXIMATE if self.local and tested.df is not None and self.request.df is None else ""
        return Margins(
            *(tested.estimate, tested.std_err, tested.statistic, tested.pvalue, tested.low, tested.high, tested.df),
            jacobian=K,
            covariance=K @ covariance @ K.T,
            estimable=estimable,
            unknown=unknown,
            blocks=tuple(self.blocks),
            at=points,
            groups=tuple(group.levels for group in self.groups),
            request=self.request,
            counts=np.array([group.statistics.n for group in self.groups]),
            averaged=self.averaged,
            note=note,
        )


def _covariance(fit: Fit, request: MarginsRequest) -> np.ndarray:
    method = small_sample(fit, True) if request.small else None
    return beta_covariance(fit) if method is None else method.covariance(fit)


def row_tests(fit: Fit, K: np.ndarray, estimate: np.ndarray, estimable: np.ndarray, request: MarginsRequest) -> Coefficients:
    """Tests of rows K (m, p), with the degrees of freedom of the fit's method for each row where `small` is asked for."""
    covariance = _covariance(fit, request)
    held = estimable & held_rows(fit, K)
    variance = np.einsum("ia,ab,ib->i", K, covariance, K)
    std_err = np.where(held, 0.0, np.sqrt(np.clip(variance, 0.0, None)))
    std_err, estimate = np.where(estimable, std_err, np.nan), np.where(estimable, estimate, np.nan)
    df = None
    if request.df is not None:
        df = np.full(len(K), request.df)
    elif request.small:
        method = small_sample(fit, True)
        assert method is not None
        # None, where a method defines nothing for a row, is a large-sample test.
        each = [method.dof(fit, row[None]).df if ok else np.nan for row, ok in zip(K, estimable & ~held, strict=True)]
        df = np.array([np.inf if one is None else one for one in each])
    if request.mcompare == "noadjust" or not len(K):
        return adjusted(estimate, std_err, df, request.level, "noadjust", 1)
    return adjusted(estimate, std_err, df, request.level, request.mcompare, int(np.linalg.matrix_rank(K)))


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
        for piece in term.replace("@", "#").split("#"):
            mark, name = unmarked(piece)
            if mark == "c":
                raise OptionError(f"margins: c.{name} is continuous and has no margins; set it by at({name}=...), or use dydx()")
            names.append(name)
        out.append(tuple(names))
    return tuple(out) or ((),)


def plain(request: MarginsRequest) -> MarginsRequest:
    """The request for the margins alone that comparisons are made of: each without a test that nobody sees."""
    return replace(request, small=False, df=None, mcompare="noadjust")
