"""What the benchmarks let fresh processes do: make a data set, or time what sparsemixed does after a fit.

worker.py data NAME STEM                     writes STEM.pkl and STEM.csv
worker.py degrees DATA.pkl MODEL METHOD OUT.json
worker.py influence DATA.pkl MODEL CALL OUT.json
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pandas as pd
from data_sets import DATA

import sparsemixed


def write_data(name: str, stem: str) -> None:
    data = DATA[name]()
    # The CSV file comes first: whoever finds the other one may rely on both.
    data.to_csv(f"{stem}.csv", index=False)
    data.to_pickle(f"{stem}.pkl")


def time_degrees(data_path: str, model: str, method: str, out: str) -> None:
    """The fit, one factorization at its optimum, and degrees of freedom of all coefficients with the model's F test."""
    from sparsemixed.estimation.estimate import refactor_at_optimum

    data = pd.read_pickle(data_path)
    # A fit and its degrees of freedom on few rows load or compile the kernels.
    sparsemixed.mixed(model, data.head(2000)).estat.df(post=method.partition(",")[0])
    began = time.perf_counter()
    fit = sparsemixed.mixed(model, data)
    fitted = time.perf_counter()
    objective = refactor_at_optimum(fit.fit)[0]
    reopened = time.perf_counter()
    objective.evaluate(fit.fit.theta)
    factored = time.perf_counter()
    name, _, information = method.partition(", ")
    posted = fit.estat.df(post=name, information=information)
    df, F = posted.df, posted.e["F"]
    report = {
        "fit": fitted - began,
        "factorization": factored - reopened,
        "degrees": time.perf_counter() - factored,
        "df": [float(v) for v in df],
        "F": float(F),
        "llf": float(fit.llf),
        "solver": fit.fit.solver,
    }
    Path(out).write_text(json.dumps(report))


def time_influence(data_path: str, model: str, call: str, out: str) -> None:
    """The fit, and one statistic of all groups after it: `call` has the method's name and its keywords."""
    data, keywords = pd.read_pickle(data_path), json.loads(call)
    name = keywords.pop("name")
    # The same on few rows loads or compiles the kernels.
    getattr(sparsemixed.mixed(model, data.head(500)), name)(**keywords)
    began = time.perf_counter()
    fit = sparsemixed.mixed(model, data)
    fitted, used = time.perf_counter(), time.process_time()
    found = getattr(fit, name)(**keywords)
    report = {
        "fit": fitted - began,
        "after": time.perf_counter() - fitted,
        "cpu": time.process_time() - used,
        "largest": float(found["cooks"].max()) if name == "influence" else None,
        "rows": len(found),
    }
    Path(out).write_text(json.dumps({key: value for key, value in report.items() if value is not None}))


if __name__ == "__main__":
    commands = {"data": write_data, "degrees": time_degrees, "influence": time_influence}
    commands[sys.argv[1]](*sys.argv[2:])
