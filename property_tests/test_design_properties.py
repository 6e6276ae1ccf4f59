"""Properties of designs on random data."""

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from sparsemixed.design import build_design, rows_of_X
from sparsemixed.design.fixed import columns
from sparsemixed.design.fixed.collinear import collinear
from sparsemixed.estimation.orthonormal import orthonormal_coordinates
from sparsemixed.spec import Factor, ModelSpec, RandomEquation, Term


@st.composite
def tables(draw):
    seed = draw(st.integers(0, 2**32 - 1))
    n = draw(st.integers(30, 80))
    rng = np.random.default_rng(seed)
    levels = draw(st.tuples(st.integers(1, 4), st.integers(1, 3)))
    return pd.DataFrame(
        {
            "y": rng.normal(size=n),
            "x": np.where(rng.random(n) < 0.05, np.nan, rng.normal(size=n)),
            "a": rng.integers(0, levels[0], n),
            "b": rng.integers(0, levels[1], n),
            "g": rng.integers(0, 6, n),
            "h": rng.integers(0, 5, n),
        }
    )


CATEGORICAL = [Factor("a", "categorical"), Factor("b", "categorical")]
TERMS = st.lists(
    st.lists(st.sampled_from([*CATEGORICAL, Factor("x")]), min_size=1, max_size=3, unique=True).map(lambda f: Term(tuple(f))),
    min_size=1,
    max_size=4,
)


def spec_of(terms, constant=True):
    random = (
        RandomEquation("g", ("g",), (Term((Factor("x"),)),)),
        RandomEquation("h", ("g", "h")),
        RandomEquation("g", ("g",), constant=False, factor="h", covariance="exchangeable"),
    )
    return ModelSpec("", "y", tuple(terms), constant, random)


def span(X):
    """An orthonormal basis of the column space."""
    u, s, _ = np.linalg.svd(X, full_matrices=False)
    return u[:, s > 1e-9 * max(s.max(initial=0), 1)]


@settings(deadline=None)
@given(tables(), TERMS, st.booleans(), st.randoms(use_true_random=False))
def test_permuting_rows_permutes_the_design(table, terms, constant, random):
    order = list(range(len(table)))
    random.shuffle(order)
    spec = spec_of(terms, constant)
    plain, shuffled = build_design(spec, table), build_design(spec, table.iloc[order])
    where = pd.Index(plain.kept).get_indexer(np.array(order)[shuffled.kept])
    assert plain.columns == shuffled.columns
    assert plain.groups == shuffled.groups
    assert plain.notes == shuffled.notes
    np.testing.assert_array_equal(shuffled.X, plain.X[where])
    np.testing.assert_array_equal(shuffled.y, plain.y[where])
    for one, other in zip(plain.random, shuffled.random, strict=True):
        np.testing.assert_array_equal(other.codes, one.codes[where])
        np.testing.assert_array_equal(other.columns, one.columns[where])
        pd.testing.assert_frame_equal(other.labels, one.labels)


@settings(deadline=None)
@given(tables(), st.permutations(range(6)), st.sampled_from(["text", "category", "far apart"]))
def test_relabelling_groups_renumbers_them(table, names, kind):
    spec = spec_of([Term((Factor("x"),))])
    labels = pd.Series(names)[table.g].to_numpy()
    new = {
        "text": pd.Series([f"g{label}" for label in labels]),
        "category": pd.Categorical(labels),
        "far apart": labels * 10**15,
    }[kind]
    for one, other in zip(build_design(spec, table).random, build_design(spec, table.assign(g=new)).random, strict=True):
        pairs = set(zip(one.codes.tolist(), other.codes.tolist(), strict=True))
        assert len(pairs) == one.n_groups == other.n_groups
        assert sorted(other.codes[np.unique(other.codes, return_index=True)[1]]) == list(range(other.n_groups))


@settings(deadline=None)
@given(tables(), TERMS, st.booleans())
def test_columns_are_products_of_indicators_and_span_every_cell(table, terms, constant):
    spec = spec_of(terms, constant)
    design = build_design(spec, table)
    used = table.iloc[design.kept]

    def product(term, cell):
        factors = zip(terms[term].factors, cell, strict=True)
        return np.prod([used[f.variable] if value is None else used[f.variable] == value for f, value in factors], axis=0)

    estimated = [column for column in design.columns if column.status == "estimated" and column.term >= 0]
    for position, column in enumerate(estimated):
        np.testing.assert_array_equal(design.X[:, position], product(column.term, column.cell))
    assert all(not product(c.term, c.cell).any() for c in design.columns if c.status == "empty")
    assert np.linalg.matrix_rank(design.X) == design.X.shape[1]
    if constant:
        every = np.column_stack([product(c.term, c.cell) for c in design.columns if c.term >= 0])
        basis = span(design.X)
        np.testing.assert_allclose(basis @ (basis.T @ every), every, atol=1e-8)


@settings(deadline=None)
@given(tables(), TERMS)
def test_new_data_rows_equal_the_design(table, terms):
    spec = spec_of(terms)
    design = build_design(spec, table)
    X = rows_of_X(design, spec, table)
    np.testing.assert_array_equal(X[design.kept], design.X)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.integers(1, 9), st.integers(1, 6), st.booleans())
def test_omitted_columns_lie_in_the_span_of_the_kept_ones(seed, n, p, rank, constant):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, rank)) @ rng.integers(-2, 3, size=(rank, p))
    X = X * 10.0 ** rng.integers(-6, 7, size=p)
    omitted = collinear(X, constant)
    front = np.ones((n, int(constant)))
    assert np.linalg.matrix_rank(np.column_stack([front, X / np.maximum(np.abs(X).max(axis=0), 1e-300)])) == (
        constant + (~omitted).sum()
    )
    for j in np.flatnonzero(omitted):
        earlier = np.column_stack([front, X[:, :j][:, ~omitted[:j]]])
        earlier = earlier / np.maximum(np.linalg.norm(earlier, axis=0), 1e-300)
        fitted = earlier @ np.linalg.lstsq(earlier, X[:, j], rcond=None)[0]
        np.testing.assert_allclose(fitted, X[:, j], atol=1e-7 * max(np.abs(X[:, j]).max(), 1e-300))


@settings(deadline=None)
@given(tables(), TERMS, st.booleans())
def test_sparse_columns_are_the_dense_ones(table, terms, constant):
    """And so are their coordinates, wherever no column is nearly a combination of others."""
    spec = spec_of(terms, constant)
    dense = build_design(spec, table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "MANY_COLUMNS", 1)
        patch.setattr(columns, "MOST_SHARE", 99.0)
        design = build_design(spec, table)
    assert design.columns == dense.columns
    if design.sparse is None:
        assert "X" in vars(design)
        return
    plain, found = orthonormal_coordinates(dense), orthonormal_coordinates(design)
    assert found.sparse is not None
    assert "X" not in vars(design)
    np.testing.assert_array_equal(design.X, dense.X)
    np.testing.assert_allclose(found.residual, plain.residual, atol=1e-8)
    np.testing.assert_allclose(found.coefficients(np.zeros(found.rank)), plain.coefficients(np.zeros(plain.rank)), atol=1e-6)
    np.testing.assert_allclose(found.Q.T @ found.Q, np.eye(found.rank), atol=1e-8)
    np.testing.assert_allclose(found.products(design.y), found.Q.T @ design.y, atol=1e-8)
