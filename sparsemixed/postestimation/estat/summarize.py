"""`estat.summarize`: means and spread of the response and the covariates over the estimation sample."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.estimation.fit import Fit


def sample_summary(fit: Fit) -> pd.DataFrame:
    """Mean, standard deviation (n - 1), minimum and maximum of the response and of the columns of the fixed part.

    Weights of observations count in means and standard deviations. `r` has Stata's N and stats.

    Raises
    ------
    DataError
        The fit was saved without its data.
    """
    design = fit.design
    y = design.y if design.offset is None else design.y + design.offset
    names = [name for name in design.names if name != "_cons"]
    columns = [y, *(design.X[:, i] for i, name in enumerate(design.names) if name != "_cons")]
    replicated = design.weights is not None and design.weights.kind != "precision"
    w = design.weights.rows if replicated and design.weights is not None else np.ones(len(y))
    # Sampling weights are relative, frequency weights count observations.
    n = float(w.sum()) if design.weights is not None and design.weights.kind == "frequency" else float(len(y))
    rows = []
    for values in columns:
        mean = float(w @ values / w.sum())
        spread = np.sqrt(float(w @ (values - mean) ** 2) / w.sum() * n / (n - 1)) if n > 1 else np.nan
        rows.append((mean, spread, values.min(), values.max()))
    table = pd.DataFrame(rows, index=[fit.spec.response, *names], columns=["mean", "sd", "min", "max"])
    kinds = dict.fromkeys(table.columns, "number")
    titles = {"mean": "Mean", "sd": "Std. dev.", "min": "Min", "max": "Max"}
    heading = f"Estimation sample mixed                        Number of obs = {design.nobs:,}"
    table.attrs = {
        "heading": heading,
        "kinds": kinds,
        "titles": titles,
        "stub": "Variable",
        "r": {"N": design.nobs, "stats": table.copy()},
    }
    return table
