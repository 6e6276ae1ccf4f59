"""Degrees of freedom of random designs: against dense algebra, and unchanged by what must not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import sparsemixed
from sparsemixed.inference.kenward_roger import KenwardRoger
from sparsemixed.inference.satterthwaite import Satterthwaite, joint
from tests import dense_dof
from tests import dense_oracle as oracle

RANDOM = (
    "|| a:",
    "|| a: x, covariance(unstructured)",
    "|| a: x z, covariance(exchangeable)",
    "|| c: || a: x",
    "|| _all: R.b || a:",
    "|| _all: R.b || a: x, covariance(unstructured)",
)


@st.composite
def fits(draw):
    """A REML fit of a random unbalanced design whose variances all stay off the boundary."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, groups = draw(st.integers(40, 90)), draw(st.integers(6, 12))
    a, b = rng.integers(0, groups, n), rng.integers(0, 6, n)
    x, z = rng.normal(size=n), rng.normal(size=n) + a % 3
    sizes = rng.uniform(0.7, 2.0, 4)
    parts = [rng.normal(size=(k, 4)) * sizes for k in (groups, 6, groups)]
    y = parts[0][a, 0] + parts[0][a, 1] * x + parts[0][a, 2] * z + parts[1][b, 0] + parts[2][a // 3, 3] + rng.normal(size=n)
    data = pd.DataFrame({"y": y, "x": x, "z": z, "a": a, "b": b, "c": a // 3})
    fit = sparsemixed.mixed(f"y x z {draw(st.sampled_from(RANDOM))}", data, reml=True).fit
    assume(fit.converged and not fit.boundary.any())
    return fit


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=15)
@given(fits(), st.sampled_from(["eim", "oim"]), st.integers(0, 1000))
def test_against_dense_algebra(fit, information, seed):
    first = dense_dof.directions(fit.design.random)
    V = sum(v.estimate * d for v, d in zip(fit.variances, first, strict=True))
    Phi, P, Q, T = dense_dof.precision(V, fit.design.X, first)
    matrix = dense_dof.expected_information(Phi, P, Q, T)
    if information == "oim":
        none = [[np.zeros_like(V)] * len(first)] * len(first)
        matrix = 0.5 * oracle.hessian(fit.design.y, fit.design.X, V, first, none, True)
    # Where the likelihood is nearly flat both sides lose digits in the inverse.
    scale = np.sqrt(np.diag(matrix))
    assume(np.linalg.cond(matrix / np.outer(scale, scale)) < 1e4)
    W = np.linalg.inv(matrix)
    K = np.random.default_rng(seed).normal(size=(2, 3))
    assert Satterthwaite(information).dof(fit, K[:1]).df == pytest.approx(dense_dof.satterthwaite(Phi, P, W, K[0]), rel=1e-3)
    wanted = dense_dof.adjusted_covariance(Phi, P, Q, W)
    np.testing.assert_allclose(KenwardRoger(information).covariance(fit), wanted, rtol=1e-3, atol=1e-5 * np.abs(wanted).max())
    assert KenwardRoger(information).dof(fit, K) == pytest.approx(dense_dof.kenward_roger(Phi, P, W, K), rel=1e-3)


@settings(max_examples=10)
@given(fits(), st.integers(0, 1000))
def test_a_hypothesis_is_the_same_whatever_its_rows(fit, seed):
    rng = np.random.default_rng(seed)
    K, A = rng.normal(size=(2, 3)), rng.normal(size=(2, 2))
    assume(np.linalg.cond(A) < 1e3)
    assert KenwardRoger().dof(fit, A @ K) == pytest.approx(KenwardRoger().dof(fit, K), rel=1e-7)
    assert Satterthwaite().dof(fit, 7.0 * K[:1]).df == pytest.approx(Satterthwaite().dof(fit, K[:1]).df, rel=1e-9)
    assert KenwardRoger().dof(fit, K[:1]).df == pytest.approx(Satterthwaite().dof(fit, K[:1]).df, rel=1e-9)


@given(st.lists(st.floats(2.01, 1e4), min_size=1, max_size=6))
def test_joint_degrees_lie_between_two_and_the_sum(nu):
    """A mean of t statistics squared is no heavier-tailed than its worst member allows."""
    found = joint(np.array(nu))
    assert found >= 2.0
    assert found <= sum(nu) * (1 + 1e-9)
