"""interlace-lme on one job of contract.py: fit() with its terms as a list. It has no standard errors of variances.

Groups of several factors have to be a column of the data; it is made before the clock starts. Its fit computes degrees of
freedom, by Satterthwaite's method unless another is asked for.
"""

from __future__ import annotations

from typing import Any

import interlace
import numpy as np
import pandas as pd
from contract import Job, answer, matrix, named, with_groups


def fit(job: Job, data: pd.DataFrame, df_method: str = "satterthwaite") -> Any:
    return interlace.fit(
        job.fixed,
        data,
        random=[f"({' + '.join(term.columns)} | {term.column})" for term in job.terms],
        method="REML" if job.reml else "ML",
        weights=job.weights_of(data),
        df_method=df_method,
    )


def report(job: Job, data: pd.DataFrame, found: Any) -> dict[str, Any]:
    degrees = {"satterthwaite": named(found.fe_df.index, found.fe_df)} if "satterthwaite" in job.ask else {}
    if "kenward-roger" in job.ask:
        try:
            df = fit(job, data, "kenward-roger").fe_df
            degrees["kenward-roger"] = named(df.index, df)
        except NotImplementedError:
            pass  # random slopes have none there
    parts = {term.group: found.variance_components[term.column] for term in job.terms}
    return {
        "llf": float(found.llf),
        "converged": bool(found.converged),
        "covariances": {term.group: matrix(term.columns, np.asarray(parts[term.group])) for term in job.terms},
        "residual": float(found.scale),
        "degrees": degrees,
    }


if __name__ == "__main__":
    answer("interlace-lme", fit, report, prepare=with_groups)
