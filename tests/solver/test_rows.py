"""Passes over many rows against NumPy's products of whole matrices."""

from __future__ import annotations

import numpy as np
import pytest

from sparsemixed.solver import linalg, rows, stretches, threads
from sparsemixed.solver.crossproducts.crossproducts import TermData, cross_products
from sparsemixed.solver.linalg import regression, thin_qr


@pytest.fixture(params=[0, 1, 2], ids=["numpy", "alone", "threads"])
def pieces(request, monkeypatch):
    """Passes for any number of rows, in pieces of seven, by one thread or two; and what NumPy does in their place."""
    monkeypatch.setattr(linalg, "MANY", 1)
    monkeypatch.setattr(rows, "MANY", 1 if request.param else 1000)
    monkeypatch.setattr(rows, "PIECE", 7)
    monkeypatch.setattr(stretches, "MANY", 1)
    monkeypatch.setattr(threads.numba, "get_num_threads", lambda: max(request.param, 1))


def drawn(seed=0, n=61):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)), np.column_stack([np.ones(n), rng.normal(size=(n, 2))]), rng.normal(size=n), rng


@pytest.mark.parametrize("columns", [1, 3, 5])
def test_products_of_rows(pieces, columns):
    _, X, _, rng = drawn()
    matrix = rng.normal(size=(3, columns))
    np.testing.assert_allclose(rows.rows_times(X, matrix), X @ matrix, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(rows.squares(X), X.T @ X, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [61, 300])
@pytest.mark.parametrize("in_place", [False, True])
def test_turned_columns_and_what_they_leave(pieces, in_place, n, monkeypatch):
    """300 rows are more than the loops take at a time."""
    monkeypatch.setattr(rows, "PIECE", 7 if n == 61 else 290)
    _, X, y, rng = drawn(n=n)
    matrix, fitted = np.triu(rng.normal(size=(3, 3))), rng.normal(size=3)
    turned = X @ matrix
    whole = np.column_stack([turned, y - turned @ fitted])
    Q, out, gram = rows.turned(X, y, matrix, fitted, in_place)
    if len(y) >= rows.MANY:
        assert (Q is X, out is y) == (in_place, in_place)
    np.testing.assert_allclose(np.column_stack([Q, out]), whole, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(gram, whole.T @ whole, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize(("offset", "level"), [(0.0, 0.0), (100.0, 0.0), (100.0, 1e8)])
def test_regression_of_many_rows(pieces, offset, level):
    _, X, y, _ = drawn()
    X[:, 1] += offset
    y = y + level
    found = regression(X.copy(), y.copy())
    assert found is not None
    Xy = np.column_stack([found.Q, found.residual])
    np.testing.assert_allclose(found.Q.T @ found.Q, np.eye(3), atol=1e-13)
    np.testing.assert_allclose(found.Q @ found.R, X, rtol=1e-13, atol=1e-12)
    np.testing.assert_allclose(np.tril(found.R, -1), 0.0)
    np.testing.assert_allclose(found.gram, Xy.T @ Xy, rtol=1e-12, atol=1e-12)
    solved = np.linalg.lstsq(X, y - level, rcond=None)[0] + [level, 0.0, 0.0]
    np.testing.assert_allclose(found.coefficients, solved, rtol=1e-10, atol=1e-12 * max(1.0, level))
    np.testing.assert_allclose(found.Q.T @ found.residual, 0.0, atol=1e-12)
    np.testing.assert_allclose(found.residual, y - level - X @ (solved - [level, 0, 0]), atol=1e-12 * max(1.0, level))


@pytest.mark.parametrize("what", ["collinear", "zero", "infinite", "nan"])
def test_regression_leaves_other_columns_to_the_qr(pieces, what):
    _, X, y, _ = drawn()
    X[:, 2] = {"collinear": X[:, 1] + 1e-9 * X[:, 2], "zero": 0.0, "infinite": 1e200, "nan": np.nan}[what]
    assert regression(X, y) is None


def test_rows_that_agree_have_products_that_agree(pieces):
    """To the last bit, wherever in a piece they stand."""
    _, X, _, rng = drawn()
    product = rows.rows_times(np.ascontiguousarray(np.repeat(X[:9], 7, axis=0)), rng.normal(size=(3, 3)))
    assert all(len(np.unique(same, axis=0)) == 1 for same in product.reshape(9, 7, 3))


def test_residuals(pieces):
    _, X, y, rng = drawn()
    fitted = rng.normal(size=3)
    out, inner = rows.less_fitted(y, X, fitted)
    np.testing.assert_allclose(out, y - X @ fitted, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(inner, X.T @ (y - X @ fitted), rtol=1e-12, atol=1e-12)
    Xy = np.column_stack([X, y])
    np.testing.assert_allclose(rows.inner_products(X, y), Xy.T @ Xy, rtol=1e-12)


@pytest.mark.parametrize("order", ["in order", "any"])
@pytest.mark.parametrize("sizes", [[20, 1, 1, 30, 9], [1] * 61, [61]])
@pytest.mark.parametrize("length", [2, 5])
def test_cross_products_of_groups(pieces, order, sizes, length):
    """A group may be longer than a piece; where rows are not in order, or few are alike, other loops serve."""
    Z, X, y, rng = drawn()
    codes = np.repeat(np.arange(len(sizes)), sizes).astype(np.int32)
    inner = np.arange(61, dtype=np.int32) // length
    if order == "any":
        codes = rng.permutation(codes)
    terms = [TermData(inner, -(-61 // length), Z[:, :1].copy()), TermData(codes, len(sizes), Z)]
    cp = cross_products(terms, X, y)
    dense = [np.zeros((61, t.n_groups, t.columns.shape[1])) for t in terms]
    for matrix, term in zip(dense, terms, strict=True):
        matrix[np.arange(61), term.codes] = term.columns
    whole = np.concatenate([matrix.reshape(61, -1) for matrix in dense], axis=1)
    np.testing.assert_allclose(cp.matrix.toarray(), whole.T @ whole, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(cp.times(whole[:3].T.copy()), whole.T @ (whole @ whole[:3].T), rtol=1e-12, atol=1e-12)
    assert cp.nnz == cp.matrix.nnz
    np.testing.assert_allclose(cp.ZtXy, whole.T @ np.column_stack([X, y]), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_qr_of_many_rows(pieces, offset):
    _, X, _, _ = drawn()
    X[:, 1] += offset
    Q, R = thin_qr(X.copy())
    np.testing.assert_allclose(Q.T @ Q, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(Q @ R, X, rtol=1e-13, atol=1e-12)
    assert not np.tril(R, -1).any()
