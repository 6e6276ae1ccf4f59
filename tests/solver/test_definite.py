"""The inverse of a definite matrix by blocks against numpy's, whatever the blocks and however many threads take them."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from sparsemixed.solver import definite
from sparsemixed.solver.threads import shared_out
from sparsemixed.solver.unlocked import cholesky


def factor(n: int) -> tuple[np.ndarray, np.ndarray]:
    """A definite matrix, and its Cholesky factor below what must not be read."""
    root = np.random.default_rng(n).normal(size=(n, n + 2))
    matrix = root @ root.T + np.eye(n)
    lower = np.asfortranarray(matrix + np.triu(np.full((n, n), np.nan), 1))
    assert cholesky(lower) == 0
    return matrix, lower


@pytest.mark.parametrize("block", [3, 20, 256])
@pytest.mark.parametrize("n", [1, 6, 7, 13, 100, 101])
def test_both_triangles_are_those_of_the_inverse(n, block, monkeypatch):
    monkeypatch.setattr(definite, "BLOCK", block)
    matrix, out = factor(n)
    assert definite.inverted(out) == 0
    expected = np.linalg.inv(matrix)
    np.testing.assert_allclose(out, expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())
    np.testing.assert_array_equal(out, out.T)


def test_a_block_of_a_larger_matrix_is_inverted_where_it_stands(monkeypatch):
    monkeypatch.setattr(definite, "BLOCK", 5)
    matrix, lower = factor(30)
    around = np.asfortranarray(np.full((40, 37), 7.0))
    around[4:34, 2:32] = lower
    assert definite.inverted(around[4:34, 2:32]) == 0
    np.testing.assert_allclose(around[4:34, 2:32], np.linalg.inv(matrix), rtol=1e-10, atol=1e-12)
    around[4:34, 2:32] = 7.0
    assert (around == 7.0).all()


@pytest.mark.parametrize("at", [0, 25, 59])
def test_a_singular_factor_is_told(at, monkeypatch):
    monkeypatch.setattr(definite, "BLOCK", 8)
    lower = factor(60)[1]
    lower[at, at] = 0.0
    assert definite.inverted(lower) != 0


def test_digits_do_not_depend_on_the_number_of_threads(monkeypatch):
    monkeypatch.setattr(definite, "BLOCK", 16)
    found = []
    for threads in {1, numba.config.NUMBA_NUM_THREADS}:
        numba.set_num_threads(threads)
        out = factor(150)[1]
        assert definite.inverted(out) == 0
        found.append(out)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_pieces_of_work_may_invert_too(monkeypatch):
    monkeypatch.setattr(definite, "BLOCK", 8)
    factors = [factor(40) for _ in range(6)]
    assert not any(shared_out(lambda i, _: definite.inverted(factors[i][1]), range(6), range(6)))
    for matrix, found in factors:
        np.testing.assert_allclose(found, np.linalg.inv(matrix), rtol=1e-10, atol=1e-12)
