"""Products with the sparse cells of the eliminated term against dense ones, for every width and however the groups are parted."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from sparsemixed.solver.aligned import aligned
from sparsemixed.solver.iterative import sparse_operator
from sparsemixed.solver.iterative.sparse_operator import SparseCells


def cells(rng, k0, groups=50, columns=12, share=0.6):
    """Entries on a random pattern, two of whose groups meet nothing, and H itself."""
    met = rng.random((groups, columns)) < share
    met[[3, groups - 1]] = False
    group, column = np.nonzero(met)
    indptr = np.concatenate([[0], np.cumsum(met.sum(axis=1))])
    entries = rng.normal(size=(column.size, k0))
    H = np.zeros((groups, k0, columns))
    H[group, :, column] = entries
    return indptr, column.astype(np.int32), entries, H.reshape(groups * k0, columns)


@pytest.mark.parametrize("m", [0, 1, 3, 8, 13, 16, 17, 40])
@pytest.mark.parametrize("k0", [1, 2, 3])
@pytest.mark.parametrize("most", [1, 3])
def test_products_are_those_of_the_matrix(k0, m, most, monkeypatch):
    monkeypatch.setattr(sparse_operator, "MOST_PARTS", most)
    rng = np.random.default_rng([k0, m])
    indptr, columns, entries, H = cells(rng, k0)
    product = SparseCells(indptr, columns, H.shape[1])
    assert product.bounds.size == most + 1
    x, z = rng.normal(size=(H.shape[1], m)), rng.normal(size=(H.shape[0], m))
    np.testing.assert_allclose(product.times(entries, x), H @ x, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(product.times_transposed(entries, z), H.T @ z, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(product.times_square(entries, x), H.T @ (H @ x), rtol=1e-12, atol=1e-12)
    # Columns of a larger array, and columns first.
    np.testing.assert_allclose(product.times(entries, np.asfortranarray(x)), H @ x, rtol=1e-13, atol=1e-13)


def test_parts_depend_on_the_data_alone(all_threads):
    indptr, columns, entries, H = cells(np.random.default_rng(0), 2, groups=900, share=0.9)
    product, x = SparseCells(indptr, columns, H.shape[1]), np.random.default_rng(1).normal(size=(H.shape[1], 5))
    several = product.times_square(entries, x)
    assert product.bounds.size > 2
    numba.set_num_threads(1)
    np.testing.assert_array_equal(SparseCells(indptr, columns, H.shape[1]).times_square(entries, x), several)


def test_rows_of_panels_begin_where_vectors_do():
    for rows, columns in ((1, 8), (7, 16), (1000, 24)):
        panel = aligned(rows, columns)
        assert panel.shape == (rows, columns)
        assert panel.flags.c_contiguous
        assert panel.ctypes.data % 64 == 0
