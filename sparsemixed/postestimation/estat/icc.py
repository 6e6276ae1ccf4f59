"""`estat.icc`: intraclass correlations of nested levels, and of any groups that two observations share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.vce import theta_covariance
from sparsemixed.inference.hypotheses.distributions import z_critical
from sparsemixed.inference.intervals import ATANH, LOGIT
from sparsemixed.postestimation.estat.pair_moments import Moments, Points, effect_moments, error_moments, points
from sparsemixed.spec.numbers import check_level


def intraclass_correlations(fit: Fit, level: float | None = None, at: Any = None, by: Any = None) -> pd.DataFrame:
    """Correlations of two observations that share their groups, level by level.

    rho = (z_1'G z_2 of the levels that both share) / sqrt(V_11 V_22); at covariates of zero that of a level is the sum of the
    variances of intercepts of this level and all above it over the total. Standard errors by the delta method, limits on the
    scale of logits; of correlations at two different points, which may be negative, on that of atanh.

    Parameters
    ----------
    level : float, optional
        Of the limits, in per cent.
    at : mapping, or pair of mappings, optional
        Covariates of random slopes, times and levels of residuals(), of both observations or of each; by default covariates are
        zero, as in Stata.
    by : str, tuple of str, or list of them, optional
        Levels whose groups both observations share, a tuple all of those together, one row each: `["user", "item"]`. By default
        each nested level with those above it.

    Returns
    -------
    DataFrame
        Columns icc, std_err, low, high, one row for each level.

    Raises
    ------
    OptionError
        Crossed effects without `by`, residual structures without `at` or `by`, a level without a random intercept, as in Stata.
    """
    percent = fit.spec.display.level if level is None else check_level(level, "estat.icc: level")
    if not fit.design.random:
        raise OptionError("estat.icc: the model has no random effects")
    table = _correlations(fit, points(at), by, percent)
    kinds = {"icc": "estimate", "std_err": "std_err", "low": "limit", "high": "limit"}
    stored = _stored(table, percent) if by is None else {"level": percent}
    table.attrs = {"heading": _heading(fit, at), "layout": "icc", "level": percent, "kinds": kinds, "r": stored}
    return table


def _correlations(fit: Fit, where: Points | None, by: Any, level: float) -> pd.DataFrame:
    """One row for each set of shared levels."""
    if by is None and where is None:
        _refuse_as_stata(fit)
    sets = _nested_sets(fit) if by is None else _named_sets(fit, by)
    of_level, errors = _by_level(fit, where), error_moments(fit, where)
    last, different = _label(fit, fit.spec.random[-1].grouping), where is not None and where[0] is not where[1]
    rows = [_row(fit, sum_of(of_level, shared, errors.shared(last in shared)), level, different) for _, shared in sets]
    return pd.DataFrame(rows, index=[label for label, _ in sets], columns=["icc", "std_err", "low", "high"])


def sum_of(of_level: dict[str, Moments], shared: Sequence[str], errors: Moments) -> Moments:
    """The moments of two observations that share the groups of some levels."""
    total = errors
    for label, moments in of_level.items():
        total = total + moments.shared(label in shared)
    return total


def _row(fit: Fit, moments: Moments, level: float, different: bool) -> tuple[float, float, float, float]:
    """Correlation, standard error and limits."""
    rho, slopes = moments.correlation
    W, nan = theta_covariance(fit).matrix, float("nan")
    scale = ATANH if different else LOGIT
    if W is None or not np.isfinite(rho) or not scale.valid(rho):
        return rho, nan, nan, nan
    se = float(np.sqrt(max(slopes @ W @ slopes, 0.0)))
    half = z_critical(level) * se * scale.slope(rho)
    return rho, se, float(scale.back(scale.to(rho) - half)), float(scale.back(scale.to(rho) + half))


def _label(fit: Fit, grouping: tuple[str, ...]) -> str:
    """The name of a level: its own variable, `_all` without one."""
    own = {equation.grouping: equation.label for equation in reversed(fit.spec.random)}
    return own.get(grouping, grouping[-1] if grouping else "_all")


def _key(fit: Fit, position: int) -> str:
    """The level of an equation; of a factor R.varname the factor itself, whose levels are the groups."""
    equation = fit.spec.random[position]
    return _label(fit, equation.grouping) if equation.factor is None else f"R.{equation.factor}"


def _by_level(fit: Fit, where: Any) -> dict[str, Moments]:
    """What the effects of each level add, in the order of the model."""
    found: dict[str, Moments] = {}
    for component in fit.components[:-1]:
        moments = effect_moments(fit, component, where)
        key = _key(fit, component.position or 0)
        found[key] = found[key] + moments if key in found else moments
    return found


def _refuse_as_stata(fit: Fit) -> None:
    groupings = [equation.grouping for equation in fit.spec.random]
    crossed = any(equation.factor is not None for equation in fit.spec.random)
    nested = all(upper == lower[: len(upper)] for upper, lower in pairwise(groupings))
    if crossed or not nested:
        raise OptionError(
            "estat.icc: intraclass correlations of nested levels are not defined for crossed effects; name the groups that two "
            'observations share, by=["user", "item"]'
        )
    if fit.design.residual is not None:
        raise OptionError(
            "estat.icc: with a structure of the residuals correlations depend on more than the level; name observations by at="
        )
    for grouping in dict.fromkeys(groupings):
        equations = [e for e in fit.spec.random if e.grouping == grouping]
        if not any(equation.constant for equation in equations):
            raise OptionError(f"estat.icc: level {_label(fit, grouping)} has no random intercept; name covariates by at=")


def _nested_sets(fit: Fit) -> list[tuple[str, tuple[str, ...]]]:
    """Each level, named as Stata does, `state|region`, with all above it."""
    labels = list(dict.fromkeys(_key(fit, position) for position in range(len(fit.spec.random))))
    return [("|".join(reversed(labels[: i + 1])), tuple(labels[: i + 1])) for i in range(len(labels))]


def _named_sets(fit: Fit, by: Any) -> list[tuple[str, tuple[str, ...]]]:
    known = list(dict.fromkeys(_key(fit, position) for position in range(len(fit.spec.random))))
    found = []
    for one in [by] if isinstance(by, (str, tuple)) else list(by):
        names = (one,) if isinstance(one, str) else tuple(one)
        own = [name if name in known else f"R.{name}" for name in names]
        unknown = [name for name, key in zip(names, own, strict=True) if key not in known]
        if unknown:
            raise OptionError(f"estat.icc: there is no level {unknown[0]!r}; the levels are {', '.join(known)}")
        found.append((" and ".join(own), tuple(own)))
    return found


def _heading(fit: Fit, at: Any) -> str:
    slopes = any(equation.terms for equation in fit.spec.random)
    if slopes and at is None:
        return "Conditional intraclass correlation"
    return "Residual intraclass correlation" if fit.spec.fixed or slopes else "Intraclass correlation"


def _stored(table: pd.DataFrame, level: float) -> dict[str, Any]:
    """Stata's r(): icc#, se#, ci# and label# count levels from the lowest, which is 2."""
    out: dict[str, Any] = {"level": level}
    rows = zip(table.index, table[["icc", "std_err", "low", "high"]].to_numpy(float), strict=True)
    for number, (label, (icc, std_err, low, high)) in enumerate(reversed(list(rows)), start=2):
        out |= {f"icc{number}": float(icc), f"se{number}": float(std_err), f"label{number}": str(label)}
        out[f"ci{number}"] = pd.DataFrame([[low, high]], columns=["ll", "ul"])
    return out
