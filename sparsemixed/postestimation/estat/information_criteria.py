"""`estat.ic`: information criteria."""

from __future__ import annotations

import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.criteria import criteria


def information_criteria(fit: Fit, *others: Fit) -> pd.DataFrame:
    """Information criteria of this fit, and of others below it; see `criteria`."""
    fits = [fit, *others]
    table = criteria(fits, [one.spec.text for one in fits])
    kinds = {"N": "count", "ll": "criterion", "df": "count", **dict.fromkeys(("AIC", "BIC", "AICc", "CAIC"), "criterion")}
    table.attrs = {"heading": "Information criteria", "kinds": kinds}
    return table
