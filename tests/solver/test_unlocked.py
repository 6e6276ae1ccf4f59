"""LAPACK that is called without Python's lock, beside numpy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sparsemixed.solver.unlocked import cholesky


def positive(n: int, seed: int) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(n, n + 2))
    return root @ root.T


@pytest.mark.parametrize("n", [0, 1, 2, 7, 130])
def test_the_lower_triangle_becomes_the_factor(n):
    matrix = positive(n, n)
    out = np.asfortranarray(matrix + np.triu(np.full((n, n), np.nan), 1))
    assert cholesky(out) == 0
    np.testing.assert_allclose(np.tril(out), np.linalg.cholesky(matrix) if n else matrix, rtol=1e-12, atol=1e-12)
    assert np.isnan(out[np.triu_indices(n, 1)]).all()


def test_a_minor_that_is_not_positive_is_named():
    matrix = np.asfortranarray(np.diag([4.0, 1.0, -1.0, 2.0]))
    assert cholesky(matrix) == 3


def test_threads_do_not_disturb_each_other():
    matrices = [np.asfortranarray(positive(90, seed)) for seed in range(24)]
    wanted = [np.linalg.cholesky(matrix) for matrix in matrices]
    with ThreadPoolExecutor(4) as pool:
        assert not any(pool.map(cholesky, matrices))
    for found, factor in zip(matrices, wanted, strict=True):
        np.testing.assert_allclose(np.tril(found), factor, rtol=1e-12, atol=1e-12)
