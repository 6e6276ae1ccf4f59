"""Compile the solvers' loops once, before several processes of tests would all do so: python -m tests.compile_loops.

Small fits that between them go every way through the solvers. What they leave out, the tests compile themselves.
"""

from __future__ import annotations

import warnings

import numpy as np

import sparsemixed
from sparsemixed.datasets import simulate_crossed, simulate_longitudinal
from sparsemixed.solver import compiled, rows
from sparsemixed.solver.residual.whitened import covariance_products
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES

LONG = simulate_longitudinal(30, 6, seed=1, unbalanced=True)
CROSSED = simulate_crossed(2000, 80, 400, seed=1)
FITS = (
    ("y time || id: time, covariance(unstructured) reml dfmethod(kroger)", LONG),
    ("y time || id:, noconstant residuals(ar 1, t(time)) vce(robust)", LONG),
    ("y time || id:, residuals(toeplitz 2, t(time)) reml dfmethod(kroger)", LONG),
    ("y time || _all: R.time || id:, residuals(ar 1, t(time))", LONG),
    ("y x || _all: R.user || item: x, solver(dense)", CROSSED),
    ("y x || _all: R.user || item: x, reml solver(sparse)", CROSSED),
    ("y x || _all: R.user || item:, solver(krylov)", CROSSED),
)
MANY_ROWS = simulate_longitudinal(rows.MANY // 5, 5, seed=1)
LONG_GROUPS = simulate_longitudinal(4, 400, seed=1)
OFTEN = 60
"""Small fits after which a process has compiled their searches."""


def main() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for small in (0, float("inf")):  # with threads, and without
            compiled.SMALL = small
            for model, data in FITS:
                str(sparsemixed.mixed(model, data))
            sparsemixed.mixed("y time || id: time", LONG).influence("id")
            crossed = sparsemixed.mixed("y x || _all: R.user || item:, solver(dense)", CROSSED)
            for level in ("user", "item"):
                crossed.influence(level)
            crossed.predict(what="fitted", se=True)
            sparsemixed.mixed("y time || id:", LONG).predict(what="fitted", se=True)
        for errors in ("ar 2", "ma 1", "toeplitz 2", "exponential"):
            sparsemixed.mixed(f"y time || id:, noconstant residuals({errors}, t(time))", LONG_GROUPS)
        for model in (
            "y time || id: time, covariance(unstructured)",
            "y time || id: time, covariance(unstructured) reml",
        ) * OFTEN:
            sparsemixed.mixed(model, LONG)
        sparsemixed.mixed("y time || id: time", LONG).bootstrap(2, seed=1)
        prepared = sparsemixed.prepare("y time || id:", LONG)
        for _ in range(3):
            prepared.fit(LONG["y"])
        sparsemixed.mixed("y time || id: time", MANY_ROWS)
        for model, data in (("y time || id: time", LONG), ("y x || _all: R.user || item:", CROSSED)):
            sparsemixed.bayes(model, data, draws=200, seed=1, method="sampling")
        # What identifies parameters where groups are too long for fits as small as these.
        covariance_products(RESIDUAL_STRUCTURES["ar"](2), np.arange(6.0), np.array([0, 3, 6]), np.zeros(2), np.zeros(6))


if __name__ == "__main__":
    main()
