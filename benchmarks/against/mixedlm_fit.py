"""mixedlm on one job of contract.py: lmer() and the covariance of the fixed effects. It has no standard errors of variances."""

from __future__ import annotations

from typing import Any

import mixedlm
import numpy as np
import pandas as pd
from contract import Job, answer, matrix, named

DEGREES = {"satterthwaite": "satterthwaite_df", "kenward-roger": "kenward_roger_df"}


def fit(job: Job, data: pd.DataFrame) -> Any:
    found = mixedlm.lmer(job.formula, data, REML=job.reml, weights=job.weights)
    np.sqrt(np.diag(found.vcov()))
    return found


def report(job: Job, data: pd.DataFrame, found: Any) -> dict[str, Any]:
    parts = found.VarCorr()
    degrees = {name: getattr(mixedlm, call)(found) for name, call in DEGREES.items() if name in job.ask}
    return {
        "llf": float(found.logLik()),
        "iterations": int(found.n_iter),
        "evaluations": int(found.function_evals),
        "converged": bool(found.converged),
        "covariances": {name: matrix(group.term_names, group.cov) for name, group in parts.groups.items()},
        "residual": float(parts.residual),
        "degrees": {name: named(value.param_names, value.df) for name, value in degrees.items()},
    }


if __name__ == "__main__":
    answer("mixedlm", fit, report)
