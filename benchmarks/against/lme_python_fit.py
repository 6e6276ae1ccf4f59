"""lme-python on one job of contract.py: lmer() or, with weights, lmer_weighted(). It has no standard errors of variances."""

from __future__ import annotations

from typing import Any

import lme_python
import numpy as np
import pandas as pd
from contract import Job, answer, matrix, named


def fit(job: Job, data: pd.DataFrame) -> Any:
    weights = job.weights_of(data)
    if weights is None:
        found = lme_python.lmer(job.formula, data, reml=job.reml)
    else:
        found = lme_python.lmer_weighted(job.formula, data, reml=job.reml, weights=weights.tolist())
    if found.beta_se is None:
        raise ValueError("no standard errors of the fixed effects")
    return found


def report(job: Job, data: pd.DataFrame, found: Any) -> dict[str, Any]:
    degrees = {}
    if "satterthwaite" in job.ask:
        found.with_satterthwaite(data)
        degrees["satterthwaite"] = named(found.fixed_names, found.satterthwaite_dfs)
    if "kenward-roger" in job.ask:
        found.with_kenward_roger(data)
        degrees["kenward-roger"] = named(found.fixed_names, found.kenward_roger_dfs)
    return {
        "llf": float(found.log_likelihood),
        "iterations": int(found.iterations),
        "converged": bool(found.converged),
        "covariances": covariances(found.var_corr),
        "residual": float(found.sigma2),
        "degrees": degrees,
    }


def covariances(rows: list[tuple[str, str, str, float, float]]) -> dict[str, Any]:
    """Matrices by group from its rows (group, column, column, covariance, standard deviation)."""
    found = {}
    for group in dict.fromkeys(row[0] for row in rows if row[0] != "Residual"):
        entries = {(one, other): value for name, one, other, value, _ in rows if name == group}
        names = [one for one, other in entries if one == other]
        square = np.zeros((len(names), len(names)))
        for (one, other), value in entries.items():
            i, j = names.index(one), names.index(other)
            square[i, j] = square[j, i] = value
        found[group] = matrix(names, square)
    return found


if __name__ == "__main__":
    answer("lme-python", fit, report)
