"""Leverage, influence and leave-out at given variance parameters, against deletion in V itself."""

from __future__ import annotations

import numpy as np
import pytest

from tests.oracles import dense_deletion
from tests.postestimation.influence.cases import check_against_dense, computed_by, fitted, ways

SEEDS = (0, 1, 7, 15, 17)
"""Nested and crossed, with correlated errors, frequency and precision weights, ML and REML, variances of zero."""


@pytest.mark.parametrize("seed", SEEDS)
def test_every_statistic_is_that_of_dense_deletion(seed, monkeypatch):
    found = fitted(seed)
    assert found is not None
    expected = np.bincount(found.row, dense_deletion.leverages(found.V, found.R, found.model.X))
    for way in ways(found):
        with computed_by(way, monkeypatch):
            assert found.fit.leverage().to_numpy() == pytest.approx(expected, rel=1e-9, abs=1e-11)
            check_against_dense(found, None, slice(None, None, 9))
            for by in ("a", "b", "c"):
                check_against_dense(found, by, slice(None, None, 2))


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_300_random_models(seed, monkeypatch):
    found = fitted(seed)
    if found is None:
        pytest.skip("no maximum, or V is singular")
    expected = np.bincount(found.row, dense_deletion.leverages(found.V, found.R, found.model.X))
    for way in ways(found):
        with computed_by(way, monkeypatch):
            assert found.fit.leverage().to_numpy() == pytest.approx(expected, rel=1e-9, abs=1e-9)
            check_against_dense(found, None, slice(seed % 7, None, 7))
            for by in ("a", "b", "c"):
                check_against_dense(found, by)
