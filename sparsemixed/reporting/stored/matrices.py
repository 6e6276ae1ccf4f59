"""The estimates with their covariance matrix, the rows used, and the constraints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.estimation_metric import metric_estimates
from sparsemixed.reporting.stored.row import Condition, Stored


def _index(names: Sequence[tuple[str, str]]) -> pd.MultiIndex:
    """Equation and name of everything in e(b)."""
    return pd.MultiIndex.from_tuples(names, names=["equation", "name"])


def estimates(fit: Fit) -> pd.DataFrame:
    """(1, k): every coefficient, then log standard deviations and inverse hyperbolic tangents of correlations."""
    values = metric_estimates(fit)
    return pd.DataFrame(values.b[None, :], index=["y1"], columns=_index(values.names))


def covariance(fit: Fit, model_based: bool = False) -> pd.DataFrame:
    """(k, k): their covariance matrix, zero between coefficients and variance parameters."""
    values = metric_estimates(fit, model_based)
    return pd.DataFrame(values.V, index=_index(values.names), columns=_index(values.names))


def model_covariance(fit: Fit) -> pd.DataFrame:
    """(k, k): what e(V) would be without vce()."""
    return covariance(fit, model_based=True)


def sample(fit: Fit) -> np.ndarray:
    """Positions of the rows used."""
    return fit.design.kept.copy()


def constraint_matrix(fit: Fit) -> pd.DataFrame:
    """C and d over everything in e(b): (m, k + 1), one row per constraint."""
    constraints, names = fit.design.constraints, metric_estimates(fit).names
    assert constraints is not None
    matrix = np.zeros((len(constraints.d), len(names) + 1))
    matrix[:, [i for i, column in enumerate(fit.design.columns) if column.status == "estimated"]] = constraints.C
    matrix[:, -1] = constraints.d
    return pd.DataFrame(matrix, index=[f"r{i + 1}" for i in range(len(matrix))], columns=_index([*names, ("_Cns", "_r")]))


def _has_rows(fit: Fit) -> bool:
    return fit.design.has_rows


def _is_constrained(fit: Fit) -> bool:
    return fit.design.constraints is not None


MATRICES = (
    Stored("b", "matrix", estimates),
    Stored("V", "matrix", covariance),
    Stored("sample", "matrix", sample, Condition(_has_rows, "the data, save(data=True)")),
    Stored("Cns", "matrix", constraint_matrix, Condition(_is_constrained, "constraints()")),
)
