"""Groups of one kind taken together give the sums of all groups, and their derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from sparsemixed.inference.profile.criteria import Criterion
from sparsemixed.solver.groups.pooled import GroupProducts


def products(kinds, weights=None, k=2, width=3):
    """Groups with the Z'Z of their kind and numbers of their own."""
    rng = np.random.default_rng(7)
    Z = [rng.normal(size=(5, k)) for _ in range(max(kinds) + 1)]
    first = np.array([Z[kind].T @ Z[kind] for kind in kinds])
    right = np.array([Z[kind].T @ rng.normal(size=(5, width)) for kind in kinds])
    return GroupProducts(first, right, weights)


CASES = {
    "balanced": ([0] * 40, None),
    "kinds": ([0] * 30 + [1] * 2 + [2] * 40 + [3], None),
    "in any order": ([i % 3 for i in range(60)], None),
    "weights": ([i % 2 for i in range(80)], np.array([2.0, 2.0, 5.0, 0.5] * 20)),
}


@pytest.mark.parametrize("case", CASES)
def test_sums_are_those_of_all_groups(case):
    kinds, weights = CASES[case]
    whole = products(kinds, weights)
    few = whole.pooled()
    assert few is not None
    assert len(few.first) <= len(kinds) / 2
    a, b, rng = whole.roots(), few.roots(), np.random.default_rng(3)
    np.testing.assert_allclose(b.explained, a.explained, rtol=1e-12, atol=1e-12)
    for factor in (rng.normal(size=(2, 2)), np.diag([1.5, 0.0]), 1e4 * np.eye(2)):
        for one, other in zip(b.deviance(factor), a.deviance(factor), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
        columns = rng.normal(size=(3, 2))
        for one, other in zip(vars(b.moments(factor, columns)).values(), vars(a.moments(factor, columns)).values(), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11 * np.abs(other).max())


def test_a_column_that_others_make_up_stays_one():
    rng = np.random.default_rng(1)
    Z = np.column_stack([np.ones(4), 2.0 * np.ones(4)])
    right = np.array([Z.T @ rng.normal(size=(4, 2)) for _ in range(30)])
    whole = GroupProducts(np.repeat((Z.T @ Z)[None], 30, axis=0), right)
    few = whole.pooled()
    assert few is not None
    for one, other in zip(few.roots().deviance(np.eye(2)), whole.roots().deviance(np.eye(2)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_groups_that_differ_are_left():
    assert products(list(range(20))).pooled() is None
    assert products([0, 0, 0, 0, 1, 1]).pooled() is None
    assert products([0] * 30, np.arange(30.0) + 1).pooled() is None


@pytest.mark.parametrize("reml", [False, True])
def test_profiles_are_those_of_all_groups(reml, monkeypatch):
    data = sparsemixed.datasets.simulate_longitudinal(60, 5, seed=2)
    data = data[(data["id"] % 4 > 0) | (data["time"] < 3)]
    fit = sparsemixed.mixed("y time || id: time, covariance(unstructured)", data, reml=reml)
    pooled = Criterion("reml" if reml else "ml", fit.fit).peak().surface.objective
    assert pooled.roots.n_groups == 12
    few = fit.profile(stddeviations=True, criterion=None)
    monkeypatch.setattr("sparsemixed.solver.groups.pooled.GroupProducts.pooled", lambda self: None)
    every = fit.profile(stddeviations=True, criterion=None)
    np.testing.assert_allclose(few.limits.to_numpy(), every.limits.to_numpy(), rtol=1e-8, atol=1e-9)
