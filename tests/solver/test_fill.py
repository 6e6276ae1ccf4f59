"""The predicted fill of a sparse factor against the factor itself, and the storage that it chooses."""

import numpy as np
import pytest
import scipy.sparse as sp

from sparsemixed.solver.crossproducts.crossproducts import TermData, cross_products
from sparsemixed.solver.factored import choose
from sparsemixed.solver.factored.cholmod import SymbolicFactor
from sparsemixed.solver.factored.fill import predicted_fill


@pytest.mark.parametrize("density", [0.0, 0.01, 0.05, 0.3, 1.0])
@pytest.mark.parametrize("size", [1, 2, 7, 60, 150])
def test_counts_are_those_of_the_factor(size, density):
    """In CHOLMOD's order, by the nonzeros of a dense factor with random entries, none of which cancel."""
    rng = np.random.default_rng([size, int(100 * density)])
    matrix = np.tril(np.where(rng.random((size, size)) < density, rng.uniform(0.5, 1.0, (size, size)), 0.0), -1)
    matrix = matrix + matrix.T + np.diag(2.0 * size * np.ones(size))
    lower = sp.csc_matrix(np.tril(matrix))
    order = SymbolicFactor(lower).permutation()
    counts = (np.abs(np.linalg.cholesky(matrix[np.ix_(order, order)])) > 0).sum(axis=0)
    found = predicted_fill(lower, 1e9)
    assert found == (counts.sum(), (counts**2).sum())
    if counts.sum() > size:
        assert predicted_fill(lower, 0.0).nonzeros == np.inf


def products(users, items, n, clusters=1):
    """Ratings of items by users; within clusters of both, where there are several."""
    rng = np.random.default_rng(0)
    user = rng.integers(0, users, n)
    item = (user % clusters) + clusters * rng.integers(0, items // clusters, n) if clusters > 1 else rng.integers(0, items, n)
    terms = [TermData(codes.astype(np.int32), count, np.ones((n, 1))) for codes, count in ((user, users), (item, items))]
    return cross_products(terms, np.full((n, 1), n**-0.5), rng.normal(size=n))


def test_a_few_cells_in_every_row_fill_a_factor():
    """4 items per user: S has 1 % of its entries, and a factor that is nearly full."""
    cp = products(8000, 4000, 32_000)
    assert choose.expected_entries(cp) < 0.02 * cp.q_schur**2
    assert choose.choose(cp) == "dense"


def test_clusters_do_not_fill():
    assert choose.choose(products(8000, 4000, 60_000, clusters=100)) == "sparse"


def test_what_no_factor_holds(monkeypatch):
    monkeypatch.setattr(choose, "MOST_DENSE", 1000)
    cp = products(8000, 4000, 32_000)
    monkeypatch.setattr(choose, "MOST_FACTOR", 1e5)
    assert choose.choose(cp) == "krylov"
    monkeypatch.setattr(choose, "MOST_FACTOR", 1e8)
    assert choose.choose(cp) == "sparse"
    monkeypatch.setattr(choose, "MOST_ENTRIES", 10.0)
    assert choose.choose(cp) == "krylov"
