"""The columns of the fixed part, with which other programs predict."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from sparsemixed.errors import SparseMixedError


@pytest.fixture(scope="module")
def data():
    frame = sparsemixed.datasets.simulate_longitudinal(20, 5, seed=7)
    return frame.assign(dose=(frame["id"] % 3).map({0: "low", 1: "mid", 2: "high"}))


@pytest.mark.parametrize("model", ["y ~ dose * time + (time | id)", "y i.dose##c.time || id: time"])
def test_it_predicts(data, model):
    fit = sparsemixed.mixed(model, data)
    assert fit.model_matrix().columns.equals(fit.params.index)
    assert fit.model_matrix().to_numpy() @ fit.params.to_numpy() == pytest.approx(fit.predict().to_numpy())
    new = data.drop(columns="y").iloc[[3, 40, 99]].assign(time=7.0)
    found = fit.model_matrix(new)
    assert found.index.equals(new.index)
    assert found.to_numpy() @ fit.params.to_numpy() == pytest.approx(fit.predict(new).to_numpy())
    variance = np.einsum("ij,jk,ik->i", found, fit.cov_params(), found)
    assert np.sqrt(variance) == pytest.approx(fit.predict(new, "stdp").to_numpy())


def test_what_is_missing(data, tmp_path):
    fit = sparsemixed.mixed("y ~ dose * time + (time | id)", data)
    assert np.isnan(fit.model_matrix(data.assign(time=np.nan)).to_numpy()).any()
    fit.save(tmp_path / "one.fit")
    loaded = sparsemixed.load(tmp_path / "one.fit")
    assert loaded.model_matrix(data).to_numpy() == pytest.approx(fit.model_matrix().to_numpy())
    with pytest.raises(SparseMixedError, match="give data"):
        loaded.model_matrix()
    with pytest.raises(SparseMixedError, match="time"):
        fit.model_matrix(data[["dose"]])
