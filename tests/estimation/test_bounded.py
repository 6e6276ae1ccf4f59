"""Least squares between bounds, against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from sparsemixed.estimation.start.bounded import bounded_least_squares


@pytest.mark.parametrize("seed", range(60))
def test_no_longer_residual_than_scipys(seed):
    rng = np.random.default_rng(seed)
    c = int(rng.integers(1, 22))
    A, b = rng.normal(size=(c + seed % 3, c)), rng.normal(size=c + seed % 3) * rng.choice([0.1, 1.0, 10.0])
    lower, upper = np.where(rng.random(c) < 0.5, 0.0, -1.0), np.ones(c)
    x = bounded_least_squares(A, b, lower, upper)
    assert (x >= lower).all()
    assert (x <= upper).all()
    wanted = lsq_linear(A, b, bounds=(lower, upper), method="bvls", tol=1e-14).x
    assert np.linalg.norm(A @ x - b) <= np.linalg.norm(A @ wanted - b) * (1 + 1e-12) + 1e-12


def test_columns_that_are_combinations_of_others_and_bounds_that_meet():
    rng = np.random.default_rng(1)
    A = rng.normal(size=(6, 4))
    A[:, 3] = A[:, 0] + A[:, 1]
    b, lower, upper = rng.normal(size=6), np.array([0.0, -1.0, 0.5, 0.0]), np.array([1.0, 1.0, 0.5, 1.0])
    x = bounded_least_squares(A, b, lower, upper)
    assert x[2] == 0.5
    free = [0, 1, 3]
    wanted = lsq_linear(A[:, free], b - 0.5 * A[:, 2], bounds=(lower[free], upper[free]), tol=1e-14)
    np.testing.assert_allclose(np.sum((A @ x - b) ** 2) / 2.0, wanted.cost, rtol=1e-8)
