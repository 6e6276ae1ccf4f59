"""Models of every structure, with weights and constraints, on small data."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np

import sparsemixed
from sparsemixed.datasets import simulate_crossed, simulate_longitudinal
from sparsemixed.results import Results
from sparsemixed.structures.random.table import STRUCTURES
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES

LONG = simulate_longitudinal(24, 9, seed=3, unbalanced=True).assign(
    x=lambda d: np.sin(7.0 * np.arange(len(d))),
    w=lambda d: 1.0 + d.time % 3,
    wave=lambda d: d.groupby("id").cumcount(),
    arm=lambda d: d.id % 2,
    school=lambda d: d.id // 4,
)
CROSSED = simulate_crossed(260, 12, 15, seed=1)
ORDERS = {"ar": " 1", "ma": " 1", "toeplitz": " 1", "banded": " 1"}


def _errors(name: str) -> str:
    if name == "independent":
        return "residuals(independent, by(arm))"
    if RESIDUAL_STRUCTURES[name].time == "levels":
        return f"residuals({name}{ORDERS.get(name, '')}, t(wave))"
    return f"residuals({name}{ORDERS.get(name, '')}, t(time))" if RESIDUAL_STRUCTURES[name].needs_time() else f"residuals({name})"


MODELS: dict[str, tuple[str, dict]] = {
    **{f"random, {name}": (f"y time || id: time x, covariance({name})", {}) for name in STRUCTURES},
    **{f"errors, {name}": (f"y time if wave < 4 || id:, noconstant {_errors(name)}", {}) for name in RESIDUAL_STRUCTURES},
    "intercept": ("y time || id:", {}),
    "reml": ("y time || id: time, covariance(unstructured) reml", {}),
    "effects and errors": ("y time || id:, residuals(ar 1, t(time)) reml", {}),
    "nested": ("y time || school: || id:, reml", {}),
    "precision": ("y time || id: time", {"precision_weights": "w"}),
    "precision and errors": ("y time || id:, residuals(independent, by(arm))", {"precision_weights": "w"}),
    "constraints": ("y time x || id:", {"constraints": ["time = 0.5"], "reml": True}),
    "offset": ("y ~ time + offset(x) + (1 | id)", {}),
    "linear": ("y time x", {}),
    "no fixed part": ("y, noconstant || id:", {}),
    "crossed": ("y x || _all: R.user || item:", {}),
    "crossed, reml": ("y x || _all: R.user || item:, reml", {}),
}
COMPILED = {
    *(f"random, {name}" for name in STRUCTURES),
    *("intercept", "reml", "precision", "constraints", "offset", "no fixed part"),
}
"""Those whose searches are compiled."""
OFTEN = {*COMPILED, "nested", "errors, ar", "linear", "crossed"}
"""Those that every run of the tests fits."""


@cache
def fitted(name: str, **options) -> Results:
    """The fit of one of the models; `options` besides its own."""
    model, own = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sparsemixed.mixed(model, CROSSED if name.startswith("crossed") else LONG, **own, **options)
