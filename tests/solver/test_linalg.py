"""Orthonormal columns of many rows, and roots of inverses."""

from __future__ import annotations

import numpy as np
import pytest

from sparsemixed import lapack
from sparsemixed.solver import linalg


@pytest.mark.parametrize("scale", [1e-120, 1.0, 1e160])
@pytest.mark.parametrize("offset", [0.0, 10.0, 1e3, 1e9])
def test_tall_matrices_are_orthonormal_to_rounding(monkeypatch, offset, scale):
    """Also where their inner products overflow, or would lose the digits of a column far from zero."""
    monkeypatch.setattr(linalg, "MANY", 100)
    rng = np.random.default_rng(0)
    X = np.column_stack([offset + rng.normal(size=500), rng.normal(size=(500, 2)), np.ones(500)]) * scale
    Q, R = linalg.thin_qr(X)
    np.testing.assert_allclose(Q.T @ Q, np.eye(4), atol=1e-14)
    np.testing.assert_allclose(Q @ (R / scale), X / scale, atol=1e-13 * max(offset, 1.0))
    np.testing.assert_array_equal(R, np.triu(R))


def test_inner_products_serve_where_they_may(monkeypatch):
    monkeypatch.setattr(linalg, "MANY", 100)
    X = np.column_stack([np.random.default_rng(0).normal(size=500), np.ones(500)])
    with monkeypatch.context() as patch:
        patch.setattr(np.linalg, "qr", None)
        _, R = linalg.thin_qr(X)
    np.testing.assert_allclose(np.abs(R), np.abs(np.linalg.qr(X)[1]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4, 1e8])
@pytest.mark.parametrize("units", [1.0, 1e8])
def test_roots_of_inverses_far_from_singular_and_near(condition, units):
    """By a Cholesky factor where that has all digits, by eigenvalues elsewhere."""
    rng = np.random.default_rng(3)
    Q = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    scale = np.array([units, 1.0, 1.0 / units, 1.0])
    matrix = scale[:, None] * (Q * np.geomspace(1.0, condition, 4)) @ Q.T * scale
    matrix = (matrix + matrix.T) / 2
    root = linalg.root_of_inverse(matrix)
    assert root is not None
    wanted = (Q / np.geomspace(1.0, condition, 4)) @ Q.T / np.outer(scale, scale)
    np.testing.assert_allclose(root @ root.T * np.outer(scale, scale), wanted * np.outer(scale, scale), atol=1e-14 * condition)


def test_no_root_of_what_is_not_finite():
    for matrix in (np.array([[np.nan, 0.0], [0.0, 1.0]]), np.array([[np.inf, 0.0], [0.0, 1.0]]), np.zeros((2, 2)), -np.eye(2)):
        assert linalg.root_of_inverse(matrix) is None


@pytest.mark.parametrize("columns", [None, 0, 1, 2, 7])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("transposed", [False, True])
def test_triangular_systems(columns, order, lower, transposed):
    rng = np.random.default_rng(2)
    whole = rng.normal(size=(4, 4)) + 4.0 * np.eye(4)
    A = np.array(np.tril(whole) if lower else np.triu(whole), order=order)
    right = rng.normal(size=4) if columns is None else rng.normal(size=(4, columns))
    before = right.copy()
    found = lapack.solve_triangular(A, right, lower, transposed)
    np.testing.assert_allclose((A.T if transposed else A) @ found, right, atol=1e-14)
    np.testing.assert_array_equal(right, before)
    assert found.shape == right.shape


def test_matrices_do_not_go_by_the_routine_that_takes_threads_for_the_smallest(monkeypatch):
    monkeypatch.setattr(lapack, "dtrtrs", None)
    np.testing.assert_array_equal(lapack.solve_triangular(2.0 * np.eye(2), np.eye(2)), 0.5 * np.eye(2))


@pytest.mark.parametrize("right", [np.ones(2), np.ones((2, 1)), np.ones((2, 3))])
def test_singular_triangles_are_refused(right):
    with pytest.raises(np.linalg.LinAlgError):
        lapack.solve_triangular(np.array([[1.0, 1.0], [0.0, 0.0]]), right)
