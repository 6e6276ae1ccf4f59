"""Compiled algebra of small matrices against LAPACK."""

from __future__ import annotations

import numpy as np
import pytest

from sparsemixed.solver.groups import kernels_dense
from sparsemixed.solver.groups.kernels_dense import diagonalise

SWEEPS = 7
"""Jacobi's rotations converge quadratically: more are rotations of rounding."""


@pytest.mark.parametrize("spread", [0, 6, 14])
@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_eigenvalues_in_few_sweeps(monkeypatch, k, spread):
    monkeypatch.setattr(kernels_dense, "MOST_SWEEPS", SWEEPS)
    rng = np.random.default_rng(k + spread)
    for _ in range(20):
        Q = np.linalg.qr(rng.normal(size=(k, k)))[0]
        matrix = (Q * 10.0 ** -np.linspace(0, spread, k)) @ Q.T
        matrix = 0.5 * (matrix + matrix.T)
        turned, vectors = matrix.copy(), np.empty((k, k))
        diagonalise.py_func(turned, vectors)
        values = np.diag(turned)
        assert np.abs(turned - np.diag(values)).max() <= 1e-17 * np.linalg.norm(matrix)
        np.testing.assert_allclose(np.sort(values), np.linalg.eigvalsh(matrix), atol=1e-15 * k)
        np.testing.assert_allclose((vectors * values) @ vectors.T, matrix, atol=1e-15 * k)
        np.testing.assert_allclose(vectors.T @ vectors, np.eye(k), atol=1e-14)
