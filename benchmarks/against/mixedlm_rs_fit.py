"""mixedlm-rs on one job of contract.py: one grouping factor, the interface of statsmodels.

Its standard errors of the covariance parameters are computed when they are asked for, which the timed fits do not.
"""

from __future__ import annotations

from typing import Any

import mixedlm_rs
import numpy as np
import pandas as pd
from contract import Job, answer, matrix, symmetric
from lmer_formula import right_side


def fit(job: Job, data: pd.DataFrame) -> Any:
    (term,) = job.terms
    missing = "drop" if job.incomplete else "none"
    model = mixedlm_rs.mixedlm(job.fixed, data, groups=term.group, re_formula=right_side(term), missing=missing)
    found = model.fit(reml=job.reml)
    np.asarray(found.bse_fe)
    return found


def report(job: Job, data: pd.DataFrame, found: Any) -> dict[str, Any]:
    (term,) = job.terms
    said = {
        "llf": float(found.llf),
        "iterations": int(found.diagnostics["n_iterations"]),
        "evaluations": int(found.diagnostics["n_objective_evaluations"]),
        "converged": bool(found.converged),
        "covariances": {term.group: matrix(term.columns, found.cov_re)},
        "residual": float(found.scale),
    }
    if "errors" in job.ask:
        said["errors"] = {term.group: matrix(term.columns, symmetric(found.bse_cov_re, len(term.columns)))}
    return said


if __name__ == "__main__":
    answer("mixedlm-rs", fit, report)
