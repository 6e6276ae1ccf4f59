"""`estat.sd`: the variance parameters as standard deviations and correlations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.vce import theta_covariance
from sparsemixed.inference.intervals import intervals
from sparsemixed.spec.numbers import check_level


def standard_deviations(
    fit: Fit,
    level: float | None = None,
    variance: bool = False,
    verbose: bool = False,
    post: bool = False,
    coeflegend: bool = False,
) -> pd.DataFrame:
    """Random-effects and residual parameters as standard deviations and correlations, with standard errors and limits.

    Parameters
    ----------
    level : float, optional
        Of the limits, in per cent.
    verbose : bool
        Show the whole table of the model, as standard deviations.
    post : bool
        Also `e`: cmd, b, V and properties; implies `verbose`.
    coeflegend : bool
        Show the names of the parameters in `r["b"]`; with `verbose` or `post`.

    Returns
    -------
    DataFrame
        Index (equation, parameter), columns estimate, std_err, low, high. `r` has Stata's level, b, V and table.

    Raises
    ------
    OptionError
        `variance`, which Stata allows after `menl` alone; `coeflegend` by itself.
    """
    if variance:
        raise OptionError("estat.sd: variance is allowed only after menl; the table of the fit shows variances")
    if coeflegend and not (verbose or post):
        raise OptionError("estat.sd: coeflegend needs verbose or post")
    percent = fit.spec.display.level if level is None else check_level(level, "estat.sd: level")
    table, stored = _estimates(fit, percent)
    layout = "legend" if coeflegend else "verbose" if verbose or post else "sd"
    posted = {"cmd": "estat sd", "b": stored["b"], "V": stored["V"], "properties": "b V"} if post else {}
    table.attrs = {"heading": "", "layout": layout, "level": percent, "r": stored, "e": posted}
    return table


def _estimates(fit: Fit, level: float) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table, and Stata's r()."""
    found = intervals(fit, level, True)
    keys = [(one.parameter.equation, one.parameter.label) for one in found]
    index = pd.MultiIndex.from_tuples(keys, names=["equation", "parameter"])
    rows = [(one.parameter.estimate, one.std_err, one.low, one.high) for one in found]
    table = pd.DataFrame(rows, index=index, columns=["estimate", "std_err", "low", "high"], dtype=float)
    b = pd.DataFrame([table["estimate"].to_numpy()], index=["y1"], columns=index)
    V = pd.DataFrame(_covariance(fit, [one.parameter.gradient for one in found], table["std_err"].to_numpy()), index, index)
    return table, {"level": level, "b": b, "V": V, "table": table.T.set_axis(["b", "se", "ll", "ul"], axis=0)}


def _covariance(fit: Fit, gradients: list[np.ndarray], std_err: np.ndarray) -> np.ndarray:
    """Delta-method covariance of the parameters; missing where they have no standard errors."""
    W, J = theta_covariance(fit).matrix, np.array(gradients)
    V = np.full((len(J),) * 2, np.nan) if W is None else J @ W @ J.T
    V[np.isnan(std_err)] = np.nan
    V[:, np.isnan(std_err)] = np.nan
    return V
