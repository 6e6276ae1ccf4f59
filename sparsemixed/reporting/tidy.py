"""A fit as tidy data frames, under the column names of R's broom and broom.mixed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.criteria import criteria
from sparsemixed.inference.hypotheses.likelihood_ratio import n_parameters
from sparsemixed.inference.hypotheses.wald import coefficients
from sparsemixed.inference.intervals import Interval, component_intervals

EFFECTS = ("all", "fixed", "ran_pars")
TEXTS = ("effect", "group", "term")
NUMBERS = ("estimate", "std.error", "statistic", "df", "p.value", "conf.low", "conf.high")
RESIDUAL = "Residual"


def tidy(fit: Fit, effects: str, conf_int: bool, level: float) -> pd.DataFrame:
    """One row for each coefficient (`fixed`) and variance parameter (`ran_pars`); missing is what does not apply.

    Raises
    ------
    OptionError
        `effects` is none of all, fixed, ran_pars.
    """
    if effects not in EFFECTS:
        raise OptionError(f"tidy: effects={effects!r} is not one of {', '.join(EFFECTS)}")
    fixed = _fixed(fit, level) if effects != "ran_pars" else []
    random = _random(fit, level) if effects != "fixed" else []
    rows = [*fixed, *random]
    frame = pd.DataFrame({name: [row[i] for row in rows] for i, name in enumerate(TEXTS)}, dtype=object)
    for i, name in enumerate(NUMBERS if conf_int else NUMBERS[:-2], start=len(TEXTS)):
        frame[name] = np.array([row[i] for row in rows], dtype=float)
    return frame


def _fixed(fit: Fit, level: float) -> list[tuple]:
    c = coefficients(fit, level)
    df = np.full(len(c.estimate), np.nan) if c.df is None else c.df
    numbers = zip(c.estimate, c.std_err, c.statistic, df, c.pvalue, c.low, c.high, strict=True)
    return [("fixed", None, name, *row) for name, row in zip(fit.design.names, numbers, strict=True)]


def _random(fit: Fit, level: float) -> list[tuple]:
    none = (np.nan, np.nan, np.nan)
    found = grouped_intervals(fit, level, fit.spec.display.stddeviations)
    return [("ran_pars", group, i.parameter.label, i.parameter.estimate, i.std_err, *none, i.low, i.high) for group, i in found]


def grouped_intervals(fit: Fit, level: float, stddeviations: bool) -> list[tuple[str, Interval]]:
    """Every variance parameter with the level that it belongs to, in the order printed; `Residual` for those of the errors."""
    found = component_intervals(fit, level, stddeviations)
    return [(RESIDUAL if part.block is None else part.block.equation, interval) for part, own in found for interval in own]


def glance(fit: Fit) -> pd.DataFrame:
    """One row about the whole fit.

    `REMLcrit` stands in place of `deviance` for fits by REML; both are -2 `logLik`. Where the errors have several
    variances, `sigma` belongs to the first.
    """
    found = criteria([fit], [fit.spec.text]).iloc[0]
    row = {
        "nobs": fit.design.nobs,
        "sigma": 0.0 if fit.without_errors else float(np.sqrt(fit.sigma2)),
        "logLik": float(fit.llf),
        "AIC": float(found["AIC"]),
        "BIC": float(found["BIC"]),
        "REMLcrit" if fit.spec.estimation.method == "reml" else "deviance": -2.0 * float(fit.llf),
        "df.residual": fit.design.nobs - n_parameters(fit),
        "converged": bool(fit.converged),
    }
    return pd.DataFrame([row])
