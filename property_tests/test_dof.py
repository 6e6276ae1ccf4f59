"""Degrees of freedom of random designs: against dense algebra, and unchanged by what must not matter."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import sparsemixed
from sparsemixed.design.values import Clusters
from sparsemixed.errors import NumericalError, OptionError
from sparsemixed.inference.degrees.kenward_roger import KenwardRoger
from sparsemixed.inference.degrees.satterthwaite import Satterthwaite, joint
from sparsemixed.inference.degrees.table import coefficient_covariance, coefficient_degrees, method_of
from sparsemixed.spec import SmallSample, degrees_methods
from tests.oracles import dense_dof

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
    Phi, P, Q, matrix = dense_dof.of_fit(fit, information)
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


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=10)
@given(fits())
def test_every_method_tests_one_coefficient_by_its_own_degrees_of_freedom(fit):
    """What a method says of a coefficient alone is what it says of the hypothesis about it."""
    clusters = Clusters(fit.design.random[-1].codes, fit.design.random[-1].n_groups, "", pd.DataFrame())
    nested = dataclasses.replace(fit, design=dataclasses.replace(fit.design, clusters=clusters))
    for name in degrees_methods():
        asked = SmallSample(name)
        if asked.robust and len(fit.design.random) > 1:
            continue  # crossed effects leave no independent clusters
        own = nested if asked.robust else fit
        try:
            df = coefficient_degrees(own, asked)
        except OptionError:
            continue  # repeated, for one level of groups; cr3 where one cluster alone informs a coefficient
        covariance = coefficient_covariance(own, asked)
        np.testing.assert_allclose(covariance, covariance.T, rtol=1e-10, atol=1e-14)
        for j, row in enumerate(np.eye(len(fit.beta))):
            alone = method_of(own, asked).dof(own, row[None])
            assert alone.df is None or np.isnan(df[j]) or alone.df == pytest.approx(df[j], rel=1e-7), name


RESIDUALS = (
    "|| a:, noconstant residuals(ar 1, t(t))",
    "|| a:, noconstant residuals(ar 2, t(t))",
    "|| a:, noconstant residuals(exponential, t(u))",
    "|| a:, noconstant residuals(exchangeable, by(d))",
    "|| a:, noconstant residuals(banded 1, t(t))",
    "|| a:, noconstant residuals(toeplitz 1, t(t))",
    "|| a:, residuals(independent, by(d))",
    "|| c: || a:, noconstant residuals(ar 1, t(t))",
    "|| a: x, residuals(independent, by(d))",
)


@st.composite
def residual_fits(draw):
    """A REML fit with a residual structure to visits of which some are missed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    groups = draw(st.integers(10, 16))
    a, t = np.repeat(np.arange(groups), 5), np.tile(np.arange(5.0), groups)
    x, moving = rng.normal(size=a.size), rng.normal(size=(groups, 6))
    errors = (moving[:, 1:] + 0.6 * moving[:, :-1]).ravel() * np.where(a % 2, 1.5, 1.0)
    y = x + rng.normal(size=(groups, 2))[a, 0] * x + rng.normal(size=groups)[a // 3] + errors
    data = pd.DataFrame({"y": y, "x": x, "z": a % 2 + 0.1 * t, "t": t, "u": t + rng.uniform(0, 0.5, a.size)})
    data = data.assign(a=a, c=a // 3, d=a % 2)[rng.uniform(size=a.size) > 0.2]
    model = draw(st.sampled_from(RESIDUALS))
    try:
        fit = sparsemixed.mixed(f"y x z {model}", data, reml=True).fit
    except NumericalError:
        assume(False)
    assume(fit.converged and not fit.boundary.any())
    return fit


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=20)
@given(residual_fits(), st.integers(0, 1000))
def test_residual_structures_against_dense_algebra(fit, seed):
    """Degrees of freedom and adjusted covariance do not depend on the parameters, so the dense side takes (rho, log sigma2)."""
    part, terms = fit.design.residual, fit.design.random
    rho, s = fit.theta[fit.theta.size - part.structure.n_rho :], fit.sigma2
    same = part.codes[:, None] == part.codes
    R = s * np.where(same, part.structure.covariance(rho, part.t), 0.0)
    moves = list(s * np.where(same, part.structure.dcovariance(rho, part.t), 0.0))
    effects = dense_dof.directions(terms)[:-1] if terms else []
    V = R + sum(v.estimate * d for v, d in zip(fit.variances, effects, strict=False))
    Phi, P, Q, T = dense_dof.precision(V, fit.design.X, [*effects, *moves, R])
    matrix = dense_dof.expected_information(Phi, P, Q, T)
    scale = np.sqrt(np.diag(matrix))
    assume(np.linalg.cond(matrix / np.outer(scale, scale)) < 1e5)
    W = np.linalg.inv(matrix)
    K = np.random.default_rng(seed).normal(size=(2, 3))
    assert Satterthwaite().dof(fit, K[:1]).df == pytest.approx(dense_dof.satterthwaite(Phi, P, W, K[0]), rel=1e-6)
    assert KenwardRoger().dof(fit, K) == pytest.approx(dense_dof.kenward_roger(Phi, P, W, K), rel=1e-6)
    wanted = dense_dof.adjusted_covariance(Phi, P, Q, W)
    np.testing.assert_allclose(KenwardRoger().covariance(fit), wanted, rtol=1e-6, atol=1e-8 * np.abs(wanted).max())
