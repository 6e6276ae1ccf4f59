"""Margins by the definition: columns of X for changed copies of the data, averaged row by row."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sparsemixed.design.data.rows import Rows
from sparsemixed.design.fixed.columns import rows_of_X
from sparsemixed.design.names.model_frame import model_frame


def X_of(fit, data: pd.DataFrame, **values) -> np.ndarray:
    """(n, p) X of the rows used, with variables set to a value, or to an array of the data's length."""
    changed = data.assign(**values)
    spec, design = fit.fit.spec, fit.fit.design
    return rows_of_X(design.columns, design.levels, spec, Rows(model_frame(spec, changed), design.kept))


def mean_row(fit, X: np.ndarray, where: np.ndarray | None = None) -> np.ndarray:
    """Weighted mean of rows by the weights of the estimation."""
    weights = fit.fit.design.weights
    w = np.ones(len(X)) if weights is None else weights.rows
    w = w if where is None else w * where
    return w @ X / w.sum()


def simulated(seed: int, n_groups: int = 25, empty: bool = False) -> pd.DataFrame:
    """Unbalanced cells of three factors, two covariates, groups with an effect; `empty` leaves out a = 3, b = 1."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(n_groups), rng.integers(4, 13, n_groups))
    n = len(g)
    data = pd.DataFrame(
        {
            "g": g,
            "a": rng.choice([1, 2, 3], n, p=[0.5, 0.3, 0.2]),
            "b": rng.integers(0, 2, n),
            "c": rng.choice(["low", "mid", "top"], n),
            "x": rng.normal(3.0, 1.0, n),
            "z": rng.normal(size=n),
            "w": rng.integers(1, 4, n),
            "p": rng.uniform(0.5, 2.0, n),
        }
    )
    if empty:
        data = data[~((data["a"] == 3) & (data["b"] == 1))].reset_index(drop=True)
        n = len(data)
    shift = data["a"].map({1: 0.0, 2: 0.7, 3: -0.4}) + 0.5 * data["b"] * (data["a"] == 2)
    effects = rng.normal(size=n_groups)[data["g"]]
    data["y"] = 10 + shift + data["x"] * (1 + 0.2 * data["b"]) - 0.1 * data["x"] ** 2 + effects + rng.normal(size=n)
    return data
