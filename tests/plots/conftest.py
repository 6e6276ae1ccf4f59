"""Fits of the tests of pictures, made once, and figures that are closed after each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import sparsemixed

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    """No figure outlives its test, and no test changes a setting of matplotlib."""
    from matplotlib import pyplot

    before = dict(matplotlib.rcParams)
    yield
    pyplot.close("all")
    assert dict(matplotlib.rcParams) == before


@pytest.fixture(scope="session")
def visits():
    """60 groups of six visits with two factors between groups."""
    data = sparsemixed.datasets.simulate_longitudinal(60, 6, seed=1)
    return data.assign(sex=data["id"] % 2, dose=data["id"] % 3 + 1)


@pytest.fixture(scope="session")
def fit(visits):
    """Random intercepts and slopes."""
    return sparsemixed.mixed("y c.time##i.sex i.dose || id: time, covariance(unstructured) reml", visits)


@pytest.fixture(scope="session")
def intercepts(visits):
    """Random intercepts alone."""
    return sparsemixed.mixed("y time || id:", visits)


@pytest.fixture(scope="session")
def labelled(visits, tmp_path_factory):
    """The same model as `fit`, of a file with value labels."""
    path = tmp_path_factory.mktemp("plots") / "visits.dta"
    visits.to_stata(path, write_index=False, value_labels={"sex": {0: "male", 1: "female"}})
    return sparsemixed.mixed("y c.time##i.sex i.dose || id: time, covariance(unstructured) reml", str(path))


@pytest.fixture(scope="session")
def many():
    """10,000 groups of two rows."""
    rng = np.random.default_rng(3)
    data = sparsemixed.datasets.simulate_longitudinal(10_000, 2, seed=rng)
    return sparsemixed.mixed("y time || id:", data)


@pytest.fixture(scope="session")
def crossed():
    """Two crossed intercepts."""
    return sparsemixed.mixed("y x || _all: R.user || item:", sparsemixed.datasets.simulate_crossed(400, 12, 30, seed=2))


@pytest.fixture(scope="session")
def autoregressive():
    """AR(1) errors with rho 0.6 in 40 groups of 12 rows."""
    rng = np.random.default_rng(5)
    data = sparsemixed.datasets.simulate_longitudinal(40, 12, seed=rng, sd_slope=0.0, sd_residual=0.01)
    e = rng.normal(size=(40, 12))
    for t in range(1, 12):
        e[:, t] = 0.6 * e[:, t - 1] + np.sqrt(1 - 0.36) * e[:, t]
    data["y"] += e.ravel()
    return sparsemixed.mixed("y time || id:, residuals(ar 1, t(time))", data)
