"""Marginal likelihoods from draws, of densities whose integral is known."""

from __future__ import annotations

import numpy as np
import pytest

from sparsemixed.bayesian.bridge import bridged


@pytest.mark.parametrize("n", [1, 3, 6])
def test_of_a_known_integral(n):
    """Independent log-gamma variables, which are skewed, through a matrix: the error is as it says, over repetitions."""
    rng = np.random.default_rng(n)
    A, shape, errors, said = rng.normal(size=(n, n)) + 2 * np.eye(n), 3.0, [], []
    inverse, known = np.linalg.inv(A), 1.7

    def log_density(phi):
        z = phi @ inverse.T
        return (shape * z - np.exp(z) - np.log(2.0)).sum(axis=1) - np.linalg.slogdet(A)[1] + known

    for seed in range(40):
        random = np.random.default_rng(seed)
        phi = np.log(random.gamma(shape, size=(800, n))) @ A.T
        value, error = bridged(phi, log_density, 1.0, random)
        errors.append((value - known) / error)
        said.append(error)
    assert max(said) < 0.1
    assert abs(np.mean(errors)) < 4 / np.sqrt(40)
    assert 0.6 < np.std(errors) < 1.5


def test_fewer_effective_draws_have_a_larger_error():
    random = np.random.default_rng(0)
    phi = random.normal(size=(800, 2))
    found = [bridged(phi, lambda x: -0.5 * (x**2).sum(axis=1), share, np.random.default_rng(1)) for share in (1.0, 0.1)]
    assert found[0][0] == pytest.approx(np.log(2 * np.pi), abs=4 * found[0][1])
    assert found[1][1] > found[0][1]
