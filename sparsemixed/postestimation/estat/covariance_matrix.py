"""`estat.vce`: the covariance matrix of the estimates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.vce import beta_covariance
from sparsemixed.inference.estimation_metric import metric_estimates
from sparsemixed.postestimation.estat.correlations import correlations

ALL = "_all"
"""Stands for every equation."""


def estimates_covariance(fit: Fit, correlation: bool = False, equation: str | Sequence[str] | None = None) -> pd.DataFrame:
    """The covariance matrix of the coefficients, robust if the fit is, or of other equations of `e["V"]`.

    Parameters
    ----------
    correlation : bool
        Correlations instead; missing where a parameter has no variance, because constraints fix it, say.
    equation : str or sequence of str, optional
        Stata's names of equations: the response for the coefficients (the default), `lns1_1_1`, `lnsig_e`, ... for log standard
        deviations and inverse hyperbolic tangents of correlations, `_all` for everything.

    Raises
    ------
    OptionError
        There is no such equation.
    """
    if equation is None:
        V, names = beta_covariance(fit).copy(), [*fit.design.names]
    else:
        V, names = _of_equations(fit, (equation,) if isinstance(equation, str) else tuple(equation))
    if correlation:
        V = correlations(V)
    frame = pd.DataFrame(V, index=names, columns=names)
    heading = f"{'Correlation' if correlation else 'Covariance'} matrix of coefficients of mixed model"
    frame.attrs = {"heading": heading, "layout": "matrices", "matrices": [(heading, frame.copy())], "r": {"V": frame.copy()}}
    return frame


def _of_equations(fit: Fit, wanted: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    """Their part of e(V), and `equation:name` of its rows; one equation alone needs no prefix."""
    found = metric_estimates(fit)
    there = list(dict.fromkeys(equation for equation, _ in found.names))
    for name in wanted:
        if name not in (ALL, *there):
            raise OptionError(f"estat.vce: there is no equation `{name}`; there are {', '.join(there)}, and {ALL} for all")
    kept = [i for i, (equation, _) in enumerate(found.names) if ALL in wanted or equation in wanted]
    single = len({found.names[i][0] for i in kept}) == 1
    names = [found.names[i][1] if single else ":".join(found.names[i]) for i in kept]
    return found.V[np.ix_(kept, kept)], names
