"""The estimates of a fit as rows with the columns of single quantities."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sparsemixed.inference.hypotheses.wald import coefficients
from sparsemixed.inference.intervals import intervals
from sparsemixed.results import Results

COLUMNS = ("effect", "equation", "name", "estimate", "std_err", "df", "statistic", "pvalue", "low", "high")


def quantities(result: Any) -> pd.DataFrame:
    """Coefficients and variance parameters of a fit, one row each; of another result its own `frame`."""
    if not isinstance(result, Results):
        return result.frame.reset_index()
    fit, display = result.fit, result.fit.spec.display
    c = coefficients(fit, display.level)
    df = [float("nan")] * len(c.estimate) if c.df is None else c.df
    numbers = zip(c.estimate, c.std_err, df, c.statistic, c.pvalue, c.low, c.high, strict=True)
    rows = [("fixed", fit.spec.response, name, *map(float, row)) for name, row in zip(fit.design.names, numbers, strict=True)]
    none = (float("nan"),) * 3
    rows += [
        ("random", one.parameter.equation, one.parameter.label, one.parameter.estimate, one.std_err, *none, one.low, one.high)
        for one in intervals(fit, display.level, display.stddeviations)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
