"""Estimated marginal means by the defaults of R's emmeans (Lenth): a balanced reference grid, covariates at their means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.margins.asked import EFFECTS, Asked, Shape, read_margins

ADJUSTMENTS = ("tukey", "bonferroni", "sidak", "scheffe", "none")


def read_emmeans(
    fit: Fit, specs: str | Sequence[str], by: str | Sequence[str], at: Any, pairwise: bool, adjust: str, level: float | None
) -> Asked:
    """The margins that `emmeans` stands for.

    Raises
    ------
    OptionError
        Anything but names of factors, and adjustments that are not there.
    """
    shown, within = _names(specs, "specs"), _names(by, "by")
    if not shown:
        raise OptionError("emmeans: name at least one factor")
    if adjust not in ADJUSTMENTS:
        raise OptionError(f"emmeans: adjust={adjust!r} is not one of {', '.join(ADJUSTMENTS)}")
    small = fit.spec.small_sample is not None
    method = ("noadjust" if adjust == "none" else adjust) if pairwise else "noadjust"
    options = {"at": at, "atmeans": True, "asbalanced": True, "small": small, "level": level, "mcompare": method}
    asked = read_margins("#".join((*within, *shown)), options, fit.spec.display.level)
    # The grid has a covariate at the mean of its observations: how precise each of them is does not count.
    weighted = fit.spec.weights is None or fit.spec.weights.kind != "precision"
    shape = Shape(EFFECTS["effects"])
    return replace(asked, pairs=pairwise, within=len(within), reverse=pairwise, weighted=weighted, shape=shape)


def _names(given: str | Sequence[str], what: str) -> tuple[str, ...]:
    names = tuple(given.split()) if isinstance(given, str) else tuple(given)
    if not all(isinstance(name, str) and name.isidentifier() for name in names):
        raise OptionError(f"emmeans: {what} takes names of factors; found {given!r:.40}")
    return names
