"""Every structure in the one table: linear factor, exact gradients, M-step, and faces that are singular."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sparsemixed.structures.random.table import STRUCTURES

CASES = st.tuples(st.sampled_from(sorted(STRUCTURES)), st.integers(1, 4), st.integers(0, 2**32 - 1)).filter(
    lambda case: case[:2] != ("exchangeable", 1)
)


def member(case):
    name, m, seed = case
    structure = STRUCTURES[name](m)
    rng = np.random.default_rng(seed)
    return structure, rng.uniform(0.2, 2.0, structure.n_theta) * rng.choice([-1, 1], structure.n_theta), rng


def names(structure):
    return tuple(f"x{a}" for a in range(structure.m))


@given(CASES)
def test_factor_is_linear(case):
    structure, theta, rng = member(case)
    other = rng.normal(size=theta.size)
    together = structure.factor(theta + 2 * other)
    np.testing.assert_allclose(together, structure.factor(theta) + 2 * structure.factor(other), atol=1e-12)
    assert structure.dfactor().shape == (structure.n_theta, structure.m, structure.m)


@given(CASES)
def test_display_matches_the_covariance_and_its_differences(case):
    structure, theta, _ = member(case)
    step = 1e-6
    for show in (structure.display, structure.display_sd):
        rows = show(theta, names(structure))
        for j in range(theta.size):
            unit = np.eye(theta.size)[j] * step
            up, down = show(theta + unit, names(structure)), show(theta - unit, names(structure))
            for row, high, low in zip(rows, up, down, strict=True):
                assert row.gradient[j] == pytest.approx((high.value - low.value) / (2 * step), rel=1e-5, abs=1e-6)
    factor = structure.factor(theta)
    diagonal = np.diag(factor @ factor.T)
    variances = [row.value for row in structure.display(theta, names(structure)) if row.kind == "variance"]
    np.testing.assert_allclose(sorted(set(np.round(diagonal, 10))), sorted(set(np.round(variances, 10))), rtol=1e-8)


@given(CASES)
def test_nearest_returns_a_member_unchanged(case):
    structure, theta, _ = member(case)
    covariance = structure.factor(theta) @ structure.factor(theta).T
    again = structure.factor(structure.nearest(covariance))
    np.testing.assert_allclose(again @ again.T, covariance, rtol=1e-8, atol=1e-10)


@given(CASES)
def test_from_a_root_without_squaring_it(case):
    structure, _, rng = member(case)
    root = rng.normal(size=(structure.m, structure.m))
    one, other = (structure.factor(theta) for theta in (structure.from_root(root), structure.nearest(root @ root.T)))
    np.testing.assert_allclose(one @ one.T, other @ other.T, rtol=1e-7, atol=1e-9 * np.abs(other @ other.T).max())


@given(CASES)
def test_nearest_maximises_the_likelihood(case):
    """M-step: no member near the returned one has a larger Gaussian likelihood of the sample covariance."""
    structure, _, rng = member(case)
    sample = rng.normal(size=(structure.m + 3, structure.m))
    S = sample.T @ sample / len(sample)

    def loss(theta):
        factor = structure.factor(theta)
        V = factor @ factor.T
        return np.linalg.slogdet(V)[1] + np.trace(np.linalg.solve(V, S))

    best = structure.nearest(S)
    for _ in range(5):
        assert loss(best) <= loss(best + 1e-3 * rng.normal(size=best.size)) + 1e-12


@given(CASES)
def test_faces_are_singular(case):
    structure, theta, _ = member(case)
    words = structure.face_names(names(structure), "g")
    assert len(words) == len(structure.singular_faces())
    for form in structure.singular_faces():
        on_face = theta - form * (form @ theta) / (form @ form)
        factor = structure.factor(on_face)
        assert abs(np.linalg.det(factor)) < 1e-9 * max(1.0, np.abs(factor).max() ** structure.m)


@given(hnp.arrays(float, (3, 3), elements=st.floats(-1, 1)))
def test_unstructured_takes_a_rank_deficient_sample(root):
    root[:, 2] = 0.0
    structure = STRUCTURES["unstructured"](3)
    S = root @ root.T
    factor = structure.factor(structure.nearest(S))
    np.testing.assert_allclose(factor @ factor.T, S, atol=1e-7)
