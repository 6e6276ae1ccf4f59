"""Products of sparse blocks with a few columns, and the share of nonzeros in S, against the matrices themselves."""

from __future__ import annotations

import numpy as np
import pytest

from sparsemixed.solver.crossproducts import crossproducts
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, TermData, cross_products
from sparsemixed.solver.crossproducts.sparse_products import remaining_times, times, transposed_times
from sparsemixed.solver.factored.choose import expected_entries
from sparsemixed.solver.factored.elimination_pattern import elimination_pattern

SHAPES = [((1,), (9,)), ((1, 1), (40, 20)), ((3, 2), (15, 30)), ((2, 3, 1), (20, 12, 7)), ((1, 1, 2), (40, 20, 10))]


def products(sizes: tuple[int, ...], groups: tuple[int, ...]) -> tuple[CrossProducts, np.ndarray]:
    """Of 300 rows, and their Z."""
    rng, n = np.random.default_rng(1), 300
    terms = [
        TermData(rng.integers(0, J, n).astype(np.int32), J, rng.normal(size=(n, k))) for k, J in zip(sizes, groups, strict=True)
    ]
    Z = []
    for term in terms:
        part = np.zeros((n, term.n_groups, term.columns.shape[1]))
        part[np.arange(n), term.codes] = term.columns
        Z.append(part.reshape(n, -1))
    return cross_products(terms, rng.normal(size=(n, 2)), rng.normal(size=n)), np.hstack(Z)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("full", [False, True])
def test_products_with_the_inner_products_of_Z(shape, full, monkeypatch):
    monkeypatch.setattr(crossproducts, "FULL_SHARE", 0.0 if full else 2.0)
    cp, Z = products(*shape)
    x = np.asfortranarray(np.random.default_rng(2).normal(size=(cp.q, 3)))
    np.testing.assert_allclose(cp.times(x), Z.T @ Z @ x, atol=1e-10)
    np.testing.assert_allclose(cp.matrix @ x, Z.T @ Z @ x, atol=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
def test_products_with_its_blocks(shape):
    cp, Z = products(*shape)
    q0 = cp.sizes[0]
    H, G = Z[:, :q0].T @ Z[:, q0:], Z[:, q0:].T @ Z[:, q0:]
    x = np.random.default_rng(2).normal(size=(cp.q, 2))
    np.testing.assert_allclose(times(cp.indptr, cp.columns, cp.cross, x[q0:]), H @ x[q0:], atol=1e-10)
    np.testing.assert_allclose(transposed_times(cp.indptr, cp.columns, cp.cross, x[:q0], cp.q_schur), H.T @ x[:q0], atol=1e-10)
    np.testing.assert_allclose(remaining_times(cp.pairs, cp.schur_offsets, x[q0:]), G @ x[q0:], atol=1e-10)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if len(shape[0]) > 1])
def test_entries_of_each_column_by_ascending_group(shape):
    cp, _ = products(*shape)
    pattern = elimination_pattern(cp)
    group = np.repeat(np.arange(cp.n_groups[0]), np.diff(cp.indptr))
    for column in range(cp.q_schur):
        entries = pattern.entry[pattern.colptr[column] : pattern.colptr[column + 1]]
        np.testing.assert_array_equal(entries, np.flatnonzero(cp.columns == column))
        stretch = slice(pattern.colptr[column], pattern.colptr[column + 1])
        np.testing.assert_array_equal(pattern.begin[stretch], cp.indptr[group[entries]])
        np.testing.assert_array_equal(pattern.end[stretch], cp.indptr[group[entries] + 1])


def test_entries_of_the_schur_complement():
    cp, Z = products((1, 2), (60, 25))  # 50 columns, of which all are taken
    H = Z[:, :60].T @ Z[:, 60:] != 0
    assert expected_entries(cp) == pytest.approx(np.count_nonzero(H.T.astype(float) @ H))
