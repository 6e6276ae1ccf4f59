"""Fits of every kind, each against another way to the same numbers: run by the Python of an environment that a wheel went into.

Needs nothing but the wheel and what it brings; see `check_wheel.py`.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path

import numpy as np

import sparsemixed


def log_density(fit, data, V) -> float:
    """The log likelihood of y ~ N(X beta, V) at the fit's coefficients."""
    residual = data["y"].to_numpy() - fit.predict(data, what="xb").to_numpy()
    return -0.5 * (np.linalg.slogdet(2.0 * np.pi * V)[1] + residual @ np.linalg.solve(V, residual))


def close(what: str, found, expected, atol: float) -> None:
    """Print it, or end."""
    difference = float(np.max(np.abs(np.asarray(found) - np.asarray(expected))))
    print(f"{what:<32} off by {difference:.1e}")
    if not difference <= atol:
        sys.exit(f"{what}: {found} where {expected} is right")


def nested() -> None:
    """Intercepts of classes within schools; V is written down."""
    data = sparsemixed.datasets.simulate_longitudinal(40, 5, seed=1)
    data["school"] = data["id"] // 5
    fit = sparsemixed.mixed("y time || school: || id:", data)
    school, person, error = fit.random_params["estimate"]
    same = [np.equal.outer(*2 * [data[name].to_numpy()]) for name in ("school", "id")]
    close("nested", fit.llf, log_density(fit, data, school * same[0] + person * same[1] + error * np.eye(len(data))), 1e-7)
    weighted = sparsemixed.mixed("y time [fw=w] || school: || id:", data.assign(w=2))
    twice = sparsemixed.mixed("y time || school: || id:", data.loc[data.index.repeat(2)])
    close("weights", weighted.llf, twice.llf, 1e-7)


def autoregressive() -> None:
    """AR(1) errors without random effects; V is written down."""
    data = sparsemixed.datasets.simulate_longitudinal(40, 5, seed=2)
    fit = sparsemixed.mixed("y time || id:, noconstant residuals(ar 1, t(time))", data)
    rho, variance = fit.random_params["estimate"]
    apart = np.abs(np.subtract.outer(*2 * [data["time"].to_numpy()]))
    V = variance * rho**apart * np.equal.outer(*2 * [data["id"].to_numpy()])
    close("residuals(ar)", fit.llf, log_density(fit, data, V), 1e-7)


def crossed() -> None:
    """Three solvers, and a saved fit."""
    data = sparsemixed.datasets.simulate_crossed(6000, 600, 200, seed=1)
    model = "y x || _all: R.item || user:"
    fits = {solver: sparsemixed.mixed(model, data, solver=solver) for solver in ("dense", "sparse", "krylov")}
    if not all(fit.fit.solver == solver for solver, fit in fits.items()):
        sys.exit(f"other solvers than were asked for: {[fit.fit.solver for fit in fits.values()]}")
    close("crossed, sparse", fits["sparse"].llf, fits["dense"].llf, 1e-7)
    close("crossed, krylov", fits["krylov"].params, fits["dense"].params, 1e-3)
    if "sparsemixed[cholmod]" not in fits["sparse"].status:
        sys.exit(f"the status does not name the extra: {fits['sparse'].status}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "crossed.fit"
        fits["sparse"].save(file)
        loaded = sparsemixed.load(file)
        close("saved and loaded", loaded.predict(data.head(50)), fits["sparse"].predict(data.head(50)), 0.0)
        if str(loaded) != str(fits["sparse"]):
            sys.exit("a loaded fit prints other tables")


if __name__ == "__main__":
    if importlib.util.find_spec("sksparse") is not None:
        sys.exit("scikit-sparse is installed here: this is to show that fits do without")
    if not Path(sparsemixed.__file__).is_relative_to(sys.prefix):
        sys.exit(f"{sparsemixed.__file__} is not what the wheel installed")
    nested()
    autoregressive()
    crossed()
