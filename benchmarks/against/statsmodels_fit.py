"""statsmodels' MixedLM on one job of contract.py.

Memory is limited to what the machine has, so that a model that needs an n by n matrix ends with a MemoryError and not with a
machine out of memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from contract import Job, answer, limit_memory, matrix, symmetric
from lmer_formula import for_statsmodels


def fit(job: Job, data: pd.DataFrame) -> Any:
    words = for_statsmodels(job.terms)
    if job.incomplete:
        words["missing"] = "drop"
    if words["groups"] is None:
        data, words["groups"] = data.assign(all_rows=1), "all_rows"
    found = smf.mixedlm(job.fixed, data, use_sparse=True, **words).fit(reml=job.reml)
    np.asarray(found.bse)
    return found


def report(job: Job, data: pd.DataFrame, found: Any) -> dict[str, Any]:
    words = for_statsmodels(job.terms)
    covariances, errors, p = {}, {}, len(found.fe_params)
    parts = dict(zip(found.model.exog_vc.names, found.vcomp, strict=True)) if words["vc_formula"] else {}
    for term in job.terms:
        if term.factors[-1] in parts:
            covariances[term.group] = matrix(["1"], parts[term.factors[-1]])
            continue
        covariances[term.group] = matrix(term.columns, np.asarray(found.cov_re))
        if not parts:
            # Its parameters are relative to the residual variance, which is a factor of their standard errors.
            packed = found.scale * np.asarray(found.bse)[p:]
            errors[term.group] = matrix(term.columns, symmetric(packed, len(term.columns)))
    return {
        "llf": float(found.llf),
        "converged": bool(found.converged),
        "covariances": covariances,
        "residual": float(found.scale),
        "errors": errors,
    }


if __name__ == "__main__":
    limit_memory()
    answer("statsmodels", fit, report)
