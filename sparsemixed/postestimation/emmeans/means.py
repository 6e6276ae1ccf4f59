"""Means on the reference grid, slopes among them, and their contrasts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sparsemixed.design.fixed.terms import level_text
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.vce import beta_covariance
from sparsemixed.inference.degrees.table import small_sample
from sparsemixed.postestimation.contrasts import Comparisons, TermContrasts, compared
from sparsemixed.postestimation.emmeans.grid import ReferenceGrid
from sparsemixed.postestimation.emmeans.methods import contrast_rows
from sparsemixed.postestimation.emmeans.request import EmmeansRequest
from sparsemixed.postestimation.margins.margins import ESTIMABLE, Block, Derivative, Margins, MarginsRequest, row_tests
from sparsemixed.postestimation.margins.sample import MarginSample
from sparsemixed.postestimation.margins.settings import Setting

SPREAD = {"equal": "(asbalanced)", "flat": "(asbalanced)"}


def means(fit: Fit, asked: EmmeansRequest, sample: MarginSample, command: str) -> Margins:
    """The means, or slopes, of every cell of `by` and `specs`, with the fit's degrees of freedom.

    Raises
    ------
    OptionError
        For names that are no variables of the fixed part, or covariates without values to be shown at.
    """
    offset = next((name for name in asked.names if name in fit.spec.offsets), None)
    if offset is not None:
        raise OptionError(f"{command}: {offset} is an offset, whose coefficient is one: means are not shown by its values")
    grid = ReferenceGrid(fit, sample, asked.at)
    grid.check(asked.names, command)
    if asked.trend and asked.trend not in grid.covariates:
        raise OptionError(f"{command}: {asked.trend} is not a covariate of the fixed part; they are {', '.join(grid.covariates)}")
    whole = grid.averaged(asked.names, asked.weights, asked.trend)
    known = np.all(np.isfinite(whole), axis=1)
    whole = np.where(known[:, None], whole, 0.0)
    K, unknown = grid.rows.estimated(whole), grid.rows.unknown(whole)
    size = np.maximum(np.abs(whole).max(axis=1, initial=0.0), np.finfo(float).tiny)
    estimable = known & np.all(np.abs(unknown) <= ESTIMABLE * size[:, None], axis=1)
    derivative = Derivative("dydx", (asked.trend,)) if asked.trend else Derivative()
    request = MarginsRequest((asked.names,), derivative=derivative, level=asked.level, small=asked.small)
    constant = grid.rows.offset(whole)
    tested = row_tests(fit, K, K @ fit.beta + constant, estimable, request)
    method = small_sample(fit, True) if asked.small else None
    cells = tuple(grid.cells(asked.names))
    return Margins(
        *(tested.estimate, tested.std_err, tested.statistic, tested.pvalue, tested.low, tested.high, tested.df),
        jacobian=K,
        covariance=K @ (beta_covariance(fit) if method is None else method.covariance(fit)) @ K.T,
        estimable=estimable,
        unknown=unknown,
        blocks=(Block(asked.trend, asked.names, cells, (1, 1, len(cells)), 0),),
        at=((_described(grid, asked),),),
        groups=((),),
        request=request,
        counts=np.array([grid.averages.statistics.n]),
        averaged=False,
        constant=constant,
    )


def _described(grid: ReferenceGrid, asked: EmmeansRequest) -> Setting:
    """What everything else is at, for the legend."""
    setting = Setting()
    for name in grid.covariates:
        if name not in asked.names and len(grid.levels[name]) == 1 and name != asked.trend:
            text = "" if name in grid.given else "(mean)"
            setting = setting.merged(Setting({name: grid.levels[name][0]}, {}, {name: text}))
    for name in grid.factors:
        if name not in asked.names:
            shares = grid.shares(name, "outer" if asked.weights in ("cells", "proportional") else asked.weights)
            setting = setting.merged(Setting({}, {name: shares}, {name: SPREAD.get(asked.weights, f"({asked.weights})")}))
    return setting


def contrasts(fit: Fit, found: Margins, asked: EmmeansRequest) -> Comparisons:
    """The contrasts of the means within each cell of `by`, with p-values adjusted for those of one cell."""
    block, terms = found.blocks[0], []
    within = len(asked.by)
    for key in dict.fromkeys(cell[:within] for cell in block.cells):
        places = [i for i, cell in enumerate(block.cells) if cell[:within] == key]
        texts = [" ".join(map(level_text, block.cells[i][within:])) for i in places]
        texts = [f"({text})" for text in texts] if len(asked.specs) > 1 else texts
        C, labels = contrast_rows(asked.contrast, texts, asked.reference)
        unknown = found.unknown[places]
        size = np.maximum(np.abs(C) @ np.abs(unknown), 1.0)
        # What nothing has weight in is not estimable, in whatever contrast it takes part.
        lost = (np.abs(C) > 0) @ (~found.estimable[places] & ~np.any(unknown, axis=1))
        estimable = ~np.any(np.abs(C @ unknown) > 1e-9 * size, axis=1) & ~lost
        name = "#".join(asked.specs)
        if key:
            name += f"@{' '.join(f'{level_text(level)}.{factor}' for level, factor in zip(key, asked.by, strict=True))}"
        shown = f"{block.variable}: {name}" if block.variable else name
        terms.append(TermContrasts(shown, C @ found.jacobian[places], estimable, tuple(labels), len(places)))
    what = "slopes" if asked.trend else "estimated marginal means"
    method = "noadjust" if asked.adjust == "none" else asked.adjust
    return compared(fit, terms, method, asked.level, asked.small, joint=False, title=f"{_title(asked)} of {what}")


def _title(asked: EmmeansRequest) -> str:
    pairs = not isinstance(asked.contrast, Mapping) and asked.contrast.endswith("pairwise")
    return "Pairwise comparisons" if pairs else "Contrasts"
