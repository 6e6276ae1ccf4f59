"""Sparse columns of fixed effects, beside the same cross-products of dense orthonormal ones."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from sparsemixed.solver import linalg
from sparsemixed.solver.crossproducts.crossproducts import TermData, cross_products
from sparsemixed.solver.crossproducts.sparse_columns import coefficients_on, sparse_cross_products
from sparsemixed.solver.factored import triangle as triangles
from sparsemixed.solver.factored.triangle import knows_triangle, triangle


def columns(rng, n=400, levels=30):
    """Indicators of all levels but the first, a covariate that meets every row, one in some levels, and the constant."""
    code, x = rng.integers(0, levels, n), rng.normal(size=n) + 2.0
    dense = np.column_stack([np.eye(levels)[code][:, 1:], x, np.where(code % 2, x**2, 0.0), np.ones(n)])
    return dense * np.exp(rng.normal(size=dense.shape[1]))


SHARES = [0.0, 1.0]
"""Of entries from which a factor is dense: from all, and from none."""


@pytest.mark.parametrize("share", SHARES)
def test_the_triangle_is_that_of_householder(share, monkeypatch):
    monkeypatch.setattr(triangles, "FULL_SHARE", share)
    X = columns(np.random.default_rng(0))
    R = triangle(sp.csr_array(X))
    assert R is not None
    np.testing.assert_allclose(np.abs(R), np.abs(np.linalg.qr(X)[1]), rtol=1e-11, atol=1e-11)
    np.testing.assert_array_equal(R, np.triu(R))
    assert R.flags.c_contiguous


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("spoiled", ["zero", "twice", "nearly twice", "beyond range"])
def test_no_triangle_from_inner_products_that_have_lost_their_digits(spoiled, share, monkeypatch):
    monkeypatch.setattr(triangles, "FULL_SHARE", share)
    rng = np.random.default_rng(1)
    X = columns(rng)
    X[:, 3] = {"zero": 0.0, "twice": 2.0, "nearly twice": 2.0 + 1e-4 * rng.normal(size=len(X)), "beyond range": 1e200}[spoiled]
    if "twice" in spoiled:
        X[:, 3] *= X[:, -1]
    assert triangle(sp.csr_array(X)) is None
    assert not knows_triangle(sp.csr_array(X))


@pytest.mark.parametrize("shapes", [[(40, 1)], [(40, 3)], [(40, 2), (7, 1)], [(40, 1), (12, 2), (5, 3)]])
def test_cross_products_are_those_of_dense_columns(shapes):
    rng = np.random.default_rng(2)
    X, y = columns(rng), rng.normal(size=400)
    terms = [TermData(rng.integers(0, j, 400).astype(np.int32), j, rng.normal(size=(400, k))) for j, k in shapes]
    sparse = sp.csr_array(X)
    R = triangle(sparse)
    assert R is not None
    beta, residual = coefficients_on(sparse, R, y)
    np.testing.assert_allclose(beta, np.linalg.lstsq(X, y, rcond=None)[0], atol=1e-12)
    Q = X @ np.linalg.inv(R)
    found, dense = sparse_cross_products(terms, sparse, R, residual, 400.0), cross_products(terms, Q, y - X @ beta)
    np.testing.assert_allclose(found.ZtXy, dense.ZtXy, atol=1e-11)
    np.testing.assert_allclose(found.full_XytXy, dense.XytXy, atol=1e-11)
    assert found.XytXy.ndim == 1
    assert found.square == found.XytXy[-1]
    np.testing.assert_allclose(dense.square, found.square, rtol=1e-12)
    np.testing.assert_array_equal(found.first, dense.first)
    np.testing.assert_array_equal(found.cross, dense.cross)


@pytest.mark.parametrize("large", [2, 10_000])
def test_halves_of_products_are_whole_ones(monkeypatch, large):
    monkeypatch.setattr(linalg, "LARGE", large)
    rng = np.random.default_rng(3)
    rows, C = rng.normal(size=(9, 7)), rng.normal(size=(7, 7))
    for root in (np.tril(C), C):
        for in_place in (False, True):
            np.testing.assert_allclose(linalg.times_lower(rows.copy(), root, in_place), rows @ root, atol=1e-14)
    diagonal = rng.normal(size=7)
    given = np.diag(diagonal)
    for matrix in (given, diagonal):
        found = linalg.less_symmetric_product(matrix, rows, rows)
        np.testing.assert_allclose(found, np.diag(diagonal) - rows.T @ rows, atol=1e-14)
    np.testing.assert_array_equal(given, np.diag(diagonal))


def test_roots_of_semidefinite_matrices():
    half = np.random.default_rng(4).normal(size=(6, 3))
    for matrix in (half @ half.T, half @ half.T + np.eye(6), np.zeros((2, 2)), np.zeros((0, 0))):
        root = linalg.semidefinite_root(matrix)
        np.testing.assert_allclose(root @ root.T, matrix, atol=1e-14)
