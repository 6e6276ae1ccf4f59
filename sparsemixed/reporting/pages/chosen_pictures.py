"""The pictures that fit a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sparsemixed.errors import SparseMixedError
from sparsemixed.estimation.fit import Fit
from sparsemixed.plots.face import kind_of
from sparsemixed.plots.kind import Kind
from sparsemixed.plots.subject import Subject

WANTED = 6
MOST_GROUPS = 120
"""Groups that a caterpillar can still be read with."""
MOST_INFLUENCE = 50_000
"""Rows beyond which the influence of groups is left to those who ask for it."""


@dataclass(frozen=True)
class Chosen:
    """A picture of a page.

    Attributes
    ----------
    name, caption : str
    kind : Kind
    frame : DataFrame
    columns : int
        Panels side by side: few, for a phone.
    """

    name: str
    caption: str
    kind: Kind
    frame: pd.DataFrame
    columns: int


def chosen_pictures(subject: Subject) -> Iterator[Chosen]:
    """The first `WANTED` that the model and what is kept of it allow, in the order in which one looks at a fit."""
    left = WANTED
    for name, options, caption, columns in _candidates(subject.fit):
        if not left:
            return
        kind = kind_of(name)
        try:
            frame = kind.data(subject, **options)
        except SparseMixedError:  # this model has no such picture: the next one
            continue
        left -= 1
        yield Chosen(name, caption, kind, frame, columns)


def _candidates(fit: Fit) -> Iterator[tuple[str, dict[str, Any], str, int]]:
    """Names, options, captions and columns."""
    design = fit.design
    groups = max((term.n_groups for term in design.random), default=0)
    if any(column.status == "estimated" and column.term >= 0 for column in design.columns):
        yield "coefficients", {}, "Coefficients with their confidence limits; the broken line is no effect.", 1
    if design.has_rows and groups > 1:
        caption = "Some groups: what was observed, the line with the predicted effects, and that of the population, with bands."
        yield "growth", {"sample": 6}, caption, 2
    if groups and groups <= MOST_GROUPS:
        yield "caterpillar", {}, "Predicted random effects in order; strong are those whose limits leave out zero.", 1
    if design.has_rows:
        yield "residuals", {"kind": "fitted"}, "Residuals should show no bend and no change of spread.", 1
        yield "residuals", {"kind": "qq"}, "Residuals of a normal distribution lie on the line.", 1
    if groups > MOST_GROUPS:
        yield "effects_qq", {}, "Predicted random effects; those of a normal distribution lie near the line.", 1
    if design.has_rows and groups > 1:
        caption = "Correlations of residuals within groups; they should follow the broken line, which the model expects."
        yield "autocorrelation", {}, caption, 1
    if groups:
        yield "random_pairs", {}, "Random effects of one level, and the ellipse of their estimated covariance.", 1
    if design.has_rows and groups > 1 and design.n_rows <= MOST_INFLUENCE:
        yield "influence", {"by": design.groups[0].name}, "How far the coefficients move without each group.", 1
    yield "effects_qq", {}, "Predicted random effects; those of a normal distribution lie near the line.", 1
    yield "likelihood", {}, "The log likelihood from iteration to iteration.", 1
