"""sparsemixed on one job of contract.py: `mixed()` with all standard errors, those of the variances too.

One fit before the clock starts loads the compiled kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from contract import Job, answer, matrix, named

import sparsemixed

# lmerTest and the others take the observed information in Satterthwaite's formula; sparsemixed's own default is the expected one.
DEGREES = {"satterthwaite": ("satterthwaite", "oim"), "kenward-roger": ("kroger", "eim")}


def fit(job: Job, data: pd.DataFrame) -> Any:
    found = sparsemixed.mixed(job.model, data, reml=job.reml, precision_weights=job.weights, **job.options)
    # Whatever is computed only when asked for is part of the fit.
    np.asarray(found.bse), found.random_params
    return found


def report(job: Job, data: pd.DataFrame, found: Any) -> dict[str, Any]:
    said = {
        "llf": float(found.llf),
        "converged": bool(found.converged),
        "status": str(found.status),
        "iterations": int(found.fit.iterations),
        "factorizations": int(found.fit.factorizations),
        "solver": found.fit.solver,
        "beta": [float(b) for b in found.params],
        "bse": [float(s) for s in found.bse],
        "variances": {" ".join(key).strip(): float(v) for key, v in found.random_params["estimate"].items()},
    }
    if "errors" in job.ask:
        said |= covariances(found, job)
    asked = {name: call for name, call in DEGREES.items() if name in job.ask}
    posted = {name: found.estat.df(post=method, information=kind) for name, (method, kind) in asked.items()}
    return said | {"degrees": {name: named(found.params.index, value.df) for name, value in posted.items()}}


def covariances(found: Any, job: Job) -> dict[str, Any]:
    """Matrices of the estimates and of their standard errors, by group, from the table of random parameters."""
    parameters = found.random_params
    equations = {name.rpartition(": ")[0]: name for name in parameters.index.get_level_values(0)}
    both: dict[str, dict[str, Any]] = {"estimate": {}, "std_err": {}}
    for term in job.terms:
        rows = parameters.loc[equations[term.group]]
        names = ["_cons" if name == "1" else name for name in term.columns]
        for column, groups in both.items():
            entries = [[entry(rows[column], one, other) for other in names] for one in names]
            groups[term.group] = matrix(term.columns, entries)
    residual = float(parameters["estimate"].iloc[-1])
    return {"covariances": both["estimate"], "errors": both["std_err"], "residual": residual}


def entry(values: pd.Series, one: str, other: str) -> float:
    labels = (f"var({one})",) if one == other else (f"cov({one},{other})", f"cov({other},{one})")
    return float(next(values[label] for label in labels if label in values.index))


if __name__ == "__main__":
    answer("sparsemixed", fit, report, warm=1)
