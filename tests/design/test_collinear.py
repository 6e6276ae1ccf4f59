"""Collinearity under bad scaling."""

import numpy as np
import pytest

from sparsemixed.design.fixed.collinear import collinear


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize("scale", [1e-150, 1e-8, 1.0, 1e12, 1e150])
@pytest.mark.parametrize("constant", [True, False])
def test_scale_does_not_matter(rng, scale, constant):
    x, z = rng.normal(size=(2, 200))
    X = np.column_stack([x, scale * z, x + z, scale * rng.normal(size=200)])
    assert collinear(X, constant).tolist() == [False, False, True, False]


def test_far_off_means_do_not_matter(rng):
    u, v = rng.normal(size=(2, 20_000))
    x = 1e9 + u
    X = np.column_stack([x, 2 * x, x - 1e9, v, 1e9 + v])
    assert collinear(X, constant=True).tolist() == [False, True, True, False, True]


def test_powers_of_a_year_are_not_collinear(rng):
    year = np.repeat(np.arange(1970.0, 1987.0), 48)
    X = np.column_stack([year, year**2, year**3])
    assert not collinear(X, constant=True).any()


def test_near_collinearity_is_kept(rng):
    x, z = rng.normal(size=(2, 500))
    assert not collinear(np.column_stack([x, x + 1e-7 * z]), constant=True).any()
    assert collinear(np.column_stack([x, x + 1e-11 * z]), constant=True).tolist() == [False, True]


def test_constants_and_zeros(rng):
    X = np.column_stack([np.full(3000, 0.1), np.zeros(3000), rng.normal(size=3000)])
    assert collinear(X, constant=True).tolist() == [True, True, False]
    assert collinear(X, constant=False).tolist() == [False, True, False]


def test_a_column_after_a_collinear_one_keeps_its_own_direction():
    # The rounding error left of the second column must not count as a direction that explains the third.
    X = np.eye(4)[:, :3].copy()
    X[:, 1] = X[:, 0] * 3
    assert collinear(X, constant=False).tolist() == [False, True, False]


@pytest.mark.parametrize("n", [1, 3, 5])
def test_more_columns_than_rows(rng, n):
    X = rng.normal(size=(n, 8))
    assert (~collinear(X, constant=False)).sum() == n
    assert (~collinear(X, constant=True)).sum() == n - 1
    assert collinear(np.empty((n, 0)), constant=True).size == 0


@pytest.mark.parametrize("constant", [True, False])
def test_the_quick_look_agrees_with_the_close_one(rng, constant, monkeypatch):
    base = rng.normal(size=(300, 4)) * [1.0, 1e5, 1e-9, 1.0] + [0.0, 1e7, 0.0, 50.0]
    for gap in [1.0, 1e-2, 1e-4, 1e-6, 1e-13]:
        X = np.column_stack([base, base[:, 0] - base[:, 3] + gap * rng.normal(size=300)])
        quick = collinear(X, constant)
        with monkeypatch.context() as patch:
            patch.setattr("sparsemixed.design.fixed.collinear._clearly_independent", lambda *_: False)
            assert quick.tolist() == collinear(X, constant).tolist() == [False, False, False, False, gap < 1e-9]
