"""Several fits brought into the lines of one table: coefficients, variance parameters, statistics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.criteria import criteria
from sparsemixed.inference.hypotheses.wald import coefficients
from sparsemixed.reporting.compare_lines import STATISTICS, Line, Shape
from sparsemixed.reporting.report import warnings_of
from sparsemixed.reporting.side_by_side import SideBySide
from sparsemixed.reporting.stored.results import StoredResults
from sparsemixed.reporting.tidy import RESIDUAL, grouped_intervals

CONSTANT = "_cons"
CRITERIA = {"N": "N", "ll": "ll", "df": "df", "aic": "AIC", "bic": "BIC", "aicc": "AICc", "caic": "CAIC"}
"""Statistics from `estat.ic`, by their names here; any other is a number of `e`."""

Key = tuple[str, str, int]
"""Part (empty for the fixed one), label, and number of the occurrence of this label."""


def side_by_side(fits: Sequence[Fit], names: Sequence[str] | None, stats: Sequence[str], shape: Shape) -> SideBySide:
    """The table of these fits, named (1), (2), ... unless `names` are given.

    Raises
    ------
    OptionError
        No fits, names that are not one each and distinct, or a statistic that no fit has.
    """
    if not fits:
        raise OptionError("compare needs at least one fit")
    chosen = tuple(names) if names is not None else tuple(f"({i})" for i in range(1, len(fits) + 1))
    if len(chosen) != len(fits) or len(set(chosen)) != len(chosen):
        raise OptionError(f"compare: names must be {len(fits)} different names, one for each fit, not {list(chosen)}")
    wanted = stats.split() if isinstance(stats, str) else list(stats)
    parameters = shape.kept([*_merged([_fixed(fit) for fit in fits]), *_merged(_random_parts(fits))])
    lines = (*parameters, *_statistics(fits, wanted))
    notes = (*_notes(fits, wanted), *_marks(fits, chosen))
    return SideBySide(chosen, tuple(fit.spec.response for fit in fits), lines, shape, notes)


def _marks(fits: Sequence[Fit], names: Sequence[str]) -> tuple[str, ...]:
    """What is to be read with care, fit by fit."""
    return tuple(f"Warning: {name}: {text}." for name, fit in zip(names, fits, strict=True) for _, text in warnings_of(fit))


def _fixed(fit: Fit) -> dict[Key, tuple[float, float, float]]:
    c = coefficients(fit, 95.0)
    rows = zip(c.estimate, c.std_err, c.pvalue, strict=True)
    return {("", name, 0): (float(b), float(s), float(p)) for name, (b, s, p) in zip(fit.design.names, rows, strict=True)}


def _random_parts(fits: Sequence[Fit]) -> list[dict[Key, tuple[float, float, float]]]:
    """Variances, or standard deviations if all fits show those."""
    deviations = all(fit.spec.display.stddeviations for fit in fits)
    parts = []
    for fit in fits:
        found: dict[Key, tuple[float, float, float]] = {}
        for group, i in grouped_intervals(fit, 95.0, deviations):
            number = sum(key[:2] == (group, i.parameter.label) for key in found)
            found[group, i.parameter.label, number] = (float(i.parameter.estimate), float(i.std_err), float("nan"))
        parts.append(found)
    return parts


def _merged(parts: Sequence[dict[Key, tuple[float, float, float]]]) -> list[Line]:
    """One line for each key, in the order of first appearance within its part; constant and residual parameters last."""
    keys = list(dict.fromkeys(key for part in parts for key in part))
    places = list(dict.fromkeys(key[0] for key in keys))
    keys.sort(key=lambda key: (key[0] == RESIDUAL, places.index(key[0]), key[1] == CONSTANT))
    none = (float("nan"),) * 3
    lines = []
    for key in keys:
        estimates, std_errs, pvalues = zip(*(part.get(key, none) for part in parts), strict=True)
        tests = pvalues if key[0] == "" else None
        lines.append(Line(key[0], key[1], estimates, std_errs, tests, tuple(key in part for part in parts)))
    return lines


def _statistics(fits: Sequence[Fit], wanted: Sequence[str]) -> list[Line]:
    lines = []
    for name in wanted:
        values = tuple(_statistic(fit, name) for fit in fits)
        if all(value is None for value in values):
            raise OptionError(
                f"compare: statistic {name!r} is in none of the fits; there are {', '.join(CRITERIA)}, and any number in e"
            )
        present = tuple(value is not None for value in values)
        lines.append(Line(STATISTICS, name, tuple(np.nan if v is None else v for v in values), present=present))
    return lines


def _statistic(fit: Fit, name: str) -> float | None:
    """One number; None if the fit does not have it."""
    if name in CRITERIA:
        return float(criteria([fit], [""])[CRITERIA[name]].iloc[0])
    value = StoredResults(fit).get(name)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return float(value) if isinstance(value, (int, float, np.number)) else None


def _notes(fits: Sequence[Fit], wanted: Sequence[str]) -> tuple[str, ...]:
    """What must not be compared."""
    criteria_shown = {"ll", "aic", "bic", "aicc", "caic"} & set(wanted)
    methods = {fit.spec.estimation.method for fit in fits}
    if not criteria_shown or methods == {"ml"} or len(fits) == 1:
        return ()
    if len(methods) > 1:
        return ("Note: criteria of fits by ML and by REML cannot be compared.",)
    if len({frozenset(fit.design.names) for fit in fits}) > 1:
        return ("Note: criteria of REML fits with different fixed parts cannot be compared.",)
    return ()
