"""gpboost on one job of contract.py: maximum likelihood, random intercepts of any factors, one column a factor otherwise.

The timed fit includes the standard errors of coefficients and of variances, which it computes when they are read.
"""

from __future__ import annotations

from typing import Any

import gpboost
import numpy as np
import pandas as pd
from contract import Job, answer, matrix, with_groups
from formulaic import Formula


def fit(job: Job, data: pd.DataFrame) -> Any:
    parts: Any = Formula(job.fixed).get_model_matrix(data)
    y, X = np.asarray(parts.lhs, dtype=float).ravel(), np.asarray(parts.rhs, dtype=float)
    groups = data[[term.column for term in job.terms]].to_numpy()
    model = gpboost.GPModel(group_data=groups, likelihood="gaussian", weights=job.weights_of(data))
    model.fit(y=y, X=X)
    return model, model.get_coef(std_err=True, format_pandas=False), model.get_cov_pars(std_err=True, format_pandas=False)


def report(job: Job, data: pd.DataFrame, found: Any) -> dict[str, Any]:
    model, _, pars = found
    estimates, errors = np.asarray(pars)[0], np.asarray(pars)[1]
    return {
        "llf": -float(model.get_current_neg_log_likelihood()),
        "iterations": int(model._get_num_optim_iter()),
        "converged": model._get_convergence_status() == 0,  # 1: too many iterations, 2: the line search failed
        "covariances": {term.group: matrix(["1"], v) for term, v in zip(job.terms, estimates[1:], strict=True)},
        "errors": {term.group: matrix(["1"], v) for term, v in zip(job.terms, errors[1:], strict=True)},
        "residual": float(estimates[0]),
    }


if __name__ == "__main__":
    answer("gpboost", fit, report, prepare=with_groups)
