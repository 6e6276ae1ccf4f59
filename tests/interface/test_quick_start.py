"""The manual's quick start: each of its commands is read and fitted on small data with the variables that it names."""

import numpy as np
import pandas as pd
import pytest

import sparsemixed

QUICK_START = {
    "mixed y x || lev2:": ["lev2: Identity"],
    "mixed y x || lev2:, reml": ["lev2: Identity"],
    "mixed y x || lev2:, reml dfmethod(kroger)": ["lev2: Identity"],
    "mixed y x || lev2: x": ["lev2: Independent"] * 2,
    "mixed y x || lev2: x, covariance(unstructured)": ["lev2: Unstructured"] * 3,
    "mixed y x || lev3: || lev2:": ["lev3: Identity", "lev2: Identity"],
    "mixed y x || _all:R.a || b:": ["_all: Identity", "b: Identity"],
}
"""Command (the manual's text is a scan that lost some blanks) -> the equation of each random-effects parameter."""


@pytest.fixture(scope="module")
def data():
    """12 groups of 5 groups of 8 rows, and two crossed factors."""
    rng = np.random.default_rng(8)
    n = 12 * 5 * 8
    lev3, lev2 = np.arange(n) // 40, np.arange(n) // 8
    a, b = rng.integers(0, 15, n), rng.integers(0, 20, n)
    x = rng.normal(size=n)
    effects = [rng.normal(size=60)[lev2], rng.normal(size=12)[lev3], rng.normal(size=15)[a], rng.normal(size=20)[b]]
    y = 1 + 2 * x + sum(effects) + x * rng.normal(size=60)[lev2] + rng.normal(size=n)
    return pd.DataFrame({"y": y, "x": x, "lev2": lev2, "lev3": lev3, "a": a, "b": b})


@pytest.mark.parametrize("command", QUICK_START)
def test_quick_start(data, command):
    fit = sparsemixed.mixed(command, data)
    assert fit.converged
    assert list(fit.params.index) == ["x", "_cons"]
    assert fit.params["x"] == pytest.approx(2, abs=4 * fit.bse["x"])
    assert [equation for equation, _ in fit.random_params.index] == [*QUICK_START[command], ""]
    assert ("df" in fit.e) == ("dfmethod" in command)
    assert str(fit).startswith("Mixed-effects REML regression" if "reml" in command else "Mixed-effects ML regression")
