"""Margins of the linear prediction: rows K over the coefficients, so that a margin is K b and its variance K V K'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from sparsemixed.design.data.rows import Level
from sparsemixed.design.fixed.terms import level_text
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.margins.at_settings import FixedVariables, balanced, means, points, setting_of
from sparsemixed.postestimation.margins.cell_means import Averages, RowStatistics, RowValues
from sparsemixed.postestimation.margins.request import Item
from sparsemixed.postestimation.margins.row_forms import FORMS, Piece, Recipe, RowForms
from sparsemixed.postestimation.margins.row_tests import margin_covariance, row_tests
from sparsemixed.postestimation.margins.sample import MarginSample
from sparsemixed.postestimation.margins.settings import FixedRows, Setting
from sparsemixed.postestimation.margins.unconditional import sampling_of_rows
from sparsemixed.postestimation.margins.values import Block, Derivative, Margins, MarginsRequest

APPROXIMATE = "degrees of freedom are those of the local linear form of each elasticity, and approximate."
ESTIMABLE = 1e-8
"""Part of a margin, relative to its row, that may fall on coefficients without an estimate."""


@dataclass(frozen=True)
class _Group:
    """Rows that are looked at by themselves, what tells them, and which cells of factors occur, where that counts."""

    levels: tuple
    statistics: RowStatistics
    where: Any
    cells: Averages | None


@dataclass(frozen=True)
class _Rows:
    """Rows (m, columns) of linear margins; estimates (m,) and derivatives (m, p) of those that are not, in their places."""

    whole: np.ndarray
    local: dict[int, tuple[float, np.ndarray]]


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
    variables, rows = FixedVariables(fit), FixedRows(fit.design, fit.spec)
    groups = _groups(fit, request, sample)
    settings = _settings(fit, request, variables, groups, sample)
    builder = _Builder(fit, rows, variables, groups, settings, request, sample)
    for variable, level in _derivatives(request.derivative, variables):
        for term in request.terms:
            builder.block(variable, level, term)
    return _tested(fit, request, builder, sample)


def _groups(fit: Fit, request: MarginsRequest, sample: MarginSample) -> list[_Group]:
    """With the cells that occur in all rows, or with within() in each group."""
    overall = Averages(sample.overall(), fit.design.levels) if request.reweight else None
    return [
        _Group(levels, statistics, where, Averages(statistics, fit.design.levels) if request.within else overall)
        for levels, statistics, where in sample.groups(request.over, request.within)
    ]


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
            first = first.merged(balanced(variables, variables.factors, request.reweight))
        for items in [p for at in (request.at or ((),)) for p in points(at)]:
            generated = tuple(item for item in items if item.statistic == "generate")
            own.append((setting_of(items, first, variables, averages, overall, request.reweight), generated))
    return [list(point) for point in zip(*found, strict=True)]


def _derivatives(asked: Derivative, variables: FixedVariables) -> list[tuple[str, Level | None]]:
    """Pairs (variable, level): none, a covariate without a level, or a level of a factor other than its base."""
    if not asked.kind:
        return [("", None)]
    out: list[tuple[str, Level | None]] = []
    for name in variables.group(asked.variables, f"{asked.kind}()"):
        if name in variables.covariates:
            if name not in variables.offsets or name in asked.variables:
                out.append((name, None))
        elif asked.kind in ("dyex", "eyex"):
            raise OptionError(f"{asked.kind}() is for continuous variables, and {name} is a factor")
        else:
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
        self.recipes: list[Recipe] = []
        self.means: list[Averages] = []
        self.varying: list[bool] = []

    def block(self, variable: str, level: Level | None, term: tuple[str, ...]) -> None:
        """All cells of a term, at every point of at() and in every group."""
        names = [self.variables.factor(name, "margins") for name in term]
        if variable in names:
            raise OptionError(f"margins: {variable} cannot be in the list of margins and in {self.request.derivative.kind}()")
        cells = tuple(product(*(self.variables.factors[name] for name in names)))
        label = f"{level_text(level)}.{variable}" if level is not None else variable
        start = len(self.recipes)
        for point in self.settings:
            for g, (group, (setting, generated)) in enumerate(zip(self.groups, point, strict=True)):
                averages = Averages(self.sample.generated(generated, group.statistics, group.where), self.fit.design.levels)
                for cell in cells:
                    own = setting
                    for name, value in zip(names, cell, strict=True):
                        own = own.at_level(name, value)
                    self._add(variable, level, own, averages, g, generated)
        places = (len(self.settings), len(self.groups), len(cells))
        self.blocks.append(Block(label, tuple(names), cells, places, start))

    def _add(
        self, variable: str, level: Level | None, setting: Setting, averages: Averages, g: int, generated: tuple[Item, ...]
    ) -> None:
        left = [v for v in self.rows.variables if not setting.sets(v) and (v != variable or level is None)]
        how, pieces = self._pieces(variable, level, setting)
        self.recipes.append(Recipe(how, pieces, g, generated))
        self.means.append(averages)
        self.varying.append(bool(left) or bool(generated))

    def _pieces(self, variable: str, level: Level | None, setting: Setting) -> tuple[str, tuple[Piece, ...]]:
        """What is averaged, and of which linear forms."""
        asked, here = self.request.derivative, Piece(setting)
        if not variable:
            return "value", (here,)
        if level is None:
            slope = Piece(setting, variable, asked.kind in ("dyex", "eyex"))
            return ("ratio", (slope, here)) if asked.kind in ("eydx", "eyex") else ("value", (slope,))
        ends = tuple(Piece(setting.at_level(variable, one)) for one in (level, self.variables.bases[variable]))
        if asked.kind == "dydx":
            return "difference", ends
        return ("share", (*ends, here)) if asked.continuous else ("log", ends)

    def forms(self, recipe: Recipe) -> RowForms:
        """What evaluates a recipe in rows."""
        return RowForms(self.rows, self.fit.beta, self.groups[recipe.group].cells)

    def batches(self, recipe: Recipe) -> Iterator[tuple[RowValues, np.ndarray]]:
        """A recipe's rows.

        Raises
        ------
        DataError
            They are not there.
        """
        what = "vce(unconditional)" if recipe.linear else f"{self.request.derivative.kind}() that averages over rows"
        return self.sample.pieces(recipe.generated, self.groups[recipe.group].where, what)

    def finished(self) -> _Rows:
        """The rows of all margins."""
        whole, local = [], {}
        for i, (recipe, averages, varies) in enumerate(zip(self.recipes, self.means, self.varying, strict=True)):
            cells = self.groups[recipe.group].cells
            each = [
                self.rows.slope(p.variable, p.setting, averages, p.times, cells)
                if p.variable
                else self.rows.margin(p.setting, averages, cells)
                for p in recipe.pieces
            ]
            if recipe.linear:
                whole.append(each[0] if len(each) == 1 else each[0] - each[1])
                continue
            whole.append(each[0])
            if varies:
                local[i] = self.forms(recipe).mean(recipe, self.batches(recipe))
            else:
                values = (np.array([one @ self.rows.coefficients(self.fit.beta)]) for one in each)
                value, slopes = FORMS[recipe.how](*values)
                J = sum(slope * self.rows.estimated(one) for slope, one in zip(slopes, each, strict=True))
                local[i] = float(value[0]), np.asarray(J)
        return _Rows(np.array(whole).reshape(len(whole), len(self.rows.columns)), local)


def _tested(fit: Fit, request: MarginsRequest, builder: _Builder, sample: MarginSample) -> Margins:
    """Estimates and tests of all rows."""
    found = builder.finished()
    K, unknown = builder.rows.estimated(found.whole), builder.rows.unknown(found.whole)
    size = np.maximum(np.abs(found.whole).max(axis=1, initial=0.0), np.finfo(float).tiny)
    estimable = np.all(np.abs(unknown) <= ESTIMABLE * size[:, None], axis=1)
    estimate = K @ fit.beta + builder.rows.offset(found.whole)
    constant = builder.rows.offset(found.whole)
    for i, (value, row) in found.local.items():
        K[i], estimate[i], constant[i] = row, value, value - row @ fit.beta
    covariance, n_clusters = margin_covariance(fit, K, request.small), None
    if request.unconditional:
        each = [(builder.forms(r), builder.batches(r), r, v) for r, v in zip(builder.recipes, builder.varying, strict=True)]
        sampling = sampling_of_rows(fit, sample, K, each)
        covariance, n_clusters = sampling.covariance, sampling.n_clusters
    tested = row_tests(fit, K, estimate, estimable, request, covariance, [block.rows for block in builder.blocks])
    note = APPROXIMATE if found.local and tested.df is not None and request.df is None else ""
    return Margins(
        *(tested.estimate, tested.std_err, tested.statistic, tested.pvalue, tested.low, tested.high, tested.df),
        jacobian=K,
        constant=constant,
        covariance=covariance,
        estimable=estimable,
        unknown=unknown,
        blocks=tuple(builder.blocks),
        at=tuple(tuple(setting for setting, _ in point) for point in builder.settings),
        groups=tuple(group.levels for group in builder.groups),
        request=request,
        counts=np.array([group.statistics.n for group in builder.groups]),
        averaged=any(builder.varying),
        note=note,
        n_clusters=n_clusters,
    )


def plain(request: MarginsRequest) -> MarginsRequest:
    """The request for the margins alone that comparisons are made of: each without a test that nobody sees."""
    return replace(request, small=False, df=None, mcompare="noadjust")
