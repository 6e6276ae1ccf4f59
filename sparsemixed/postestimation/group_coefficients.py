"""Coefficients of single groups: fixed effects plus the predicted random effects of the same names, as lme4's `coef`."""

from __future__ import annotations

import pandas as pd

from sparsemixed.design.fixed.coefficient_names import CoefficientNames
from sparsemixed.errors import CommandError, OptionError, suggestion
from sparsemixed.estimation.fit import Fit
from sparsemixed.postestimation.random_effects import random_effects

CONSTANT = "_cons"


def group_coefficients(fit: Fit, group: str | None) -> pd.DataFrame:
    """One row per group, one column per coefficient.

    Parameters
    ----------
    fit : Fit
    group : str or None
        The level, a key of `random_effects`; None for the only one.

    Returns
    -------
    DataFrame
        Indexed by the values that name the groups. The fixed effects come first, in their order; random effects without a fixed
        one of the same name follow as they are. The effects of the levels of `R.varname` are effects on the constant.

    Raises
    ------
    OptionError
        No such level, or several and none named.
    """
    effects = random_effects(fit)
    levels = list(effects)
    if group is None and len(levels) == 1:
        group = levels[0]
    if not isinstance(group, str) or group not in effects:
        known = f"the levels are {', '.join(levels)}" if levels else "the model has no random effects"
        found = "name a level" if group is None else f"there is no level {group!r}{suggestion(str(group), levels)}"
        raise OptionError(f"coef: {found}; {known}")
    frame = effects[group]
    # The columns that name the groups come first, then the effects.
    n_effects = next(_n_effects(fit, i) for i, key in enumerate(levels) if key == group)
    labels, own = frame.iloc[:, : frame.shape[1] - n_effects], frame.iloc[:, frame.shape[1] - n_effects :]
    names = CoefficientNames(fit.design.columns, fit.spec)
    total = {name: pd.Series(value, index=frame.index) for name, value in zip(fit.design.names, fit.beta, strict=True)}
    for position, effect in enumerate(map(str, own.columns)):
        name = _coefficient(names, effect)
        total[name] = total.get(name, 0.0) + own.iloc[:, position]
    found = pd.DataFrame(total)
    if labels.shape[1]:
        found.index = pd.MultiIndex.from_frame(labels) if labels.shape[1] > 1 else pd.Index(labels.iloc[:, 0])
    return found


def _n_effects(fit: Fit, position: int) -> int:
    """Number of columns of effects in the frame of a term."""
    term = fit.design.random[position]
    return 1 if term.members is not None else term.k


def _coefficient(names: CoefficientNames, effect: str) -> str:
    """The coefficient that a random effect is a deviation from, by its name; the effect's own where there is none."""
    if effect.startswith("R."):
        return CONSTANT
    try:
        return names.columns[names.index(effect)].name
    except CommandError:
        return effect
