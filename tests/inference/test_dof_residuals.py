"""Small-sample inference with residual structures against dense algebra: P, Q, R, information, degrees of freedom."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import NotAvailableError
from sparsemixed.inference.degrees.kenward_roger import FullKenwardRoger, KenwardRoger, KenwardRoger2009
from sparsemixed.inference.degrees.satterthwaite import Satterthwaite
from sparsemixed.inference.information import patterns as pattern_derivatives
from sparsemixed.inference.information.penalized import fixed_derivatives
from tests.golden import golden, load
from tests.oracles import dense_dof
from tests.oracles import dense_oracle as oracle


def simulated(seed, groups=16):
    """Visits 0 to 4 of each of a number of subjects, some missed; two arms, two clinics per arm."""
    rng = np.random.default_rng(seed)
    id_, t = np.repeat(np.arange(groups), 5), np.tile(np.arange(5), groups)
    e = rng.normal(size=(groups, 5)) @ np.linalg.cholesky(0.5 ** np.abs(np.subtract.outer(range(5), range(5)))).T
    x = rng.normal(size=t.size)
    y = x + (1 + 0.5 * (id_ % 2)) * e.ravel() + 0.8 * rng.normal(size=groups)[id_] + 0.6 * rng.normal(size=4)[id_ % 4]
    data = pd.DataFrame({"y": y, "x": x, "z": id_ % 2, "t": t, "u": t + rng.uniform(0, 0.5, t.size), "id": id_, "c": id_ % 4})
    return data[rng.uniform(size=t.size) > 0.15].reset_index(drop=True)


MODELS = {
    "ar": "y x z || id:, noconstant residuals(ar 1, t(t))",
    "ar 2": "y x z || id:, noconstant residuals(ar 2, t(t))",
    "ma": "y x z || id:, noconstant residuals(ma 1, t(t))",
    "toeplitz": "y x z || id:, noconstant residuals(toeplitz 2, t(t))",
    "exponential": "y x z || id:, noconstant residuals(exponential, t(u))",
    "unstructured": "y x z if t < 3 || id:, noconstant residuals(unstructured, t(t))",
    "banded": "y x z || id:, noconstant residuals(banded 1, t(t))",
    "exchangeable": "y x z || id:, noconstant residuals(exchangeable)",
    "independent by": "y x z || id:, residuals(independent, by(z))",
    "exchangeable by": "y x z || id:, noconstant residuals(exchangeable, by(z))",
    "ar by": "y x z || id:, noconstant residuals(ar 1, t(t) by(z))",
    "ar and intercept": "y x || id:, residuals(ar 1, t(t))",
    "exponential and slope": "y x z || id: x, covariance(unstructured) residuals(exponential, t(u))",
    "ar in two levels": "y x || c: || id:, residuals(ar 1, t(t))",
}
LINEAR = ["unstructured", "banded", "exchangeable", "independent by", "exchangeable by"]
SEEDS = {"exponential and slope": 4, "ar and intercept": 2, "ar in two levels": 2}


@cache
def fitted(model):
    return sparsemixed.mixed(MODELS[model], simulated(SEEDS.get(model, 0)), reml=True).fit


def random_part(fit, values):
    """Z G Z' from the printed variances and covariances (theta aside)."""
    n = len(fit.design.y)
    terms = fit.design.random
    directions = dense_dof.directions(terms)[:-1] if terms else []
    return sum((v * d for v, d in zip(values, directions, strict=False)), np.zeros((n, n))), directions


def errors(fit, rho, log_sigma2):
    """The errors' covariance (n, n), straight from the definition of the structure."""
    part = fit.design.residual
    R = part.structure.covariance(rho, part.t)
    return np.exp(log_sigma2) * np.where(part.codes[:, None] == part.codes, R, 0.0)


def printed(fit, rho, log_sigma2):
    """The printed parameters of the errors."""
    rows = fit.design.residual.structure.display(rho)
    return np.array([p.value * (np.exp(log_sigma2) if p.kind in ("variance", "covariance") else 1.0) for p in rows])


def solve_psi(fit, psi, target, inverse):
    """psi = (rho, log sigma2) at which the printed parameters are `target`, near by: `inverse` is of their Jacobian at psi."""
    for _ in range(60):
        move = inverse @ (target - printed(fit, *split(psi)))
        psi = psi + move
        if np.abs(move).max() < 1e-13:
            break
    return psi


def derivative(function, direction):
    return central(lambda h: function(h * direction), 1e-4)


def split(psi):
    return psi[:-1], psi[-1]


def central(function, h):
    return (8 * (function(h) - function(-h)) - (function(2 * h) - function(-2 * h))) / (12 * h)


@cache
def dense_model(model):
    """V, its first derivatives in the printed parameters, and the second ones by differences over those parameters."""
    fit = fitted(model)
    own = fit.theta.size - fit.design.residual.structure.n_rho
    psi = np.append(fit.theta[own:], np.log(fit.sigma2))
    values = np.array([v.estimate for v in fit.variances])
    ZGZ, effects = random_part(fit, values[:own])
    at = printed(fit, *split(psi))
    np.testing.assert_allclose(values[own:], at, rtol=1e-10)

    eye = np.eye(psi.size)
    inverse = np.linalg.inv(np.column_stack([derivative(lambda change: printed(fit, *split(psi + change)), u) for u in eye]))

    def R(change):
        return errors(fit, *split(solve_psi(fit, psi, at + change, inverse)))

    unit = eye * np.maximum(np.abs(at), 0.1)[:, None]
    step = 4e-3
    first = [central(lambda h, u=u: R(h * u), step) / u.max() for u in unit]
    m, n = len(effects) + psi.size, len(fit.design.y)
    second = np.zeros((m, m, n, n))
    for i, u in enumerate(unit):
        for j, w in enumerate(unit[: i + 1]):
            if i == j:
                value = (R(step * u) + R(-step * u) - 2 * R(0 * u)) / step**2
                wide = (R(2 * step * u) + R(-2 * step * u) - 2 * R(0 * u)) / (4 * step**2)
            else:
                value = mixed_difference(R, u, w, step)
                wide = mixed_difference(R, u, w, 2 * step)
            found = (4 * value - wide) / 3 / (u.max() * w.max())
            second[len(effects) + i, len(effects) + j] = second[len(effects) + j, len(effects) + i] = found
    return ZGZ + errors(fit, *split(psi)), [*effects, *first], second


def mixed_difference(function, u, w, h):
    return (function(h * (u + w)) - function(h * (u - w)) - function(h * (w - u)) + function(-h * (u + w))) / (4 * h * h)


@pytest.mark.parametrize("information", ["eim", "oim"])
@pytest.mark.parametrize("model", MODELS)
def test_against_dense_algebra(model, information):
    fit = fitted(model)
    assert not fit.boundary.any()
    assert fit.converged
    X, y = fit.design.X, fit.design.y
    V, first, second = dense_model(model)
    # In the basis in which degrees of freedom are computed; V is linear in the covariances of the random effects in both.
    first = list(np.einsum("ji,jab->iab", dense_dof.own_to_named(fit, len(first)), first))
    Phi, P, Q, T = dense_dof.precision(V, X, first)
    matrix = dense_dof.expected_information(Phi, P, Q, T)
    if information == "oim":
        matrix = 0.5 * oracle.hessian(y, X, V, first, second, True)
    W = np.linalg.inv(matrix)
    found = fixed_derivatives(fit, information)
    np.testing.assert_allclose(found.root @ found.root.T, Phi, rtol=1e-7, atol=1e-12)
    back = np.linalg.inv(found.root)
    np.testing.assert_allclose(back.T @ found.P @ back, P, rtol=1e-5, atol=1e-6 * np.abs(P).max())
    np.testing.assert_allclose(back.T @ found.Q @ back, Q, rtol=1e-5, atol=1e-6 * np.abs(Q).max())
    np.testing.assert_allclose(found.covariance(information), W, rtol=1e-4, atol=1e-5 * np.abs(W).max())

    R, bias = dense_dof.second_order(V, X, first, second, W)
    size = np.abs(dense_dof.sum_of_products(P, Q, Phi, W)).max()
    np.testing.assert_allclose(back.T @ found.curvature.R @ back, R, rtol=1e-4, atol=1e-5 * size)
    deviations = np.sqrt(np.diag(W))
    np.testing.assert_allclose(found.curvature.bias / deviations, bias / deviations, rtol=1e-4, atol=1e-5)

    # The observed information depends on how close to the optimum the search ended.
    tolerance = 1e-5 if information == "eim" else 1e-4
    unit = np.eye(X.shape[1])
    wanted = [dense_dof.satterthwaite(Phi, P, W, c) for c in unit]
    assert Satterthwaite(information).coefficients(fit) == pytest.approx(wanted, rel=tolerance)
    assert KenwardRoger(information).coefficients(fit) == pytest.approx(wanted, rel=tolerance)
    assert KenwardRoger(information).dof(fit, unit[:2]) == pytest.approx(
        dense_dof.kenward_roger(Phi, P, W, unit[:2]), rel=tolerance
    )
    plain = dense_dof.adjusted_covariance(Phi, P, Q, W)
    full = plain - 0.5 * Phi @ R @ Phi
    revised = full + Phi @ np.tensordot(bias, P, axes=1) @ Phi
    for method, expected in ((KenwardRoger, plain), (FullKenwardRoger, full), (KenwardRoger2009, revised)):
        np.testing.assert_allclose(method(information).covariance(fit), expected, rtol=tolerance, atol=1e-6 * np.abs(plain).max())


@pytest.mark.parametrize("model", LINEAR)
def test_variances_and_covariances_leave_no_second_derivatives(model):
    fit = fitted(model)
    assert np.abs(fixed_derivatives(fit, "eim").curvature.R).max() < 1e-9
    np.testing.assert_allclose(KenwardRoger2009().covariance(fit), KenwardRoger().covariance(fit), rtol=1e-9)


def test_what_depends_on_the_parametrization():
    """With two visits AR(1) and Toeplitz errors are exchangeable ones, whose covariance is linear in its parameters."""
    data = simulated(1, 24)
    data = data[data.t < 2].reset_index(drop=True)
    models = ("exchangeable", "ar 1, t(t)", "toeplitz 1, t(t)", "exponential, t(t)")
    linear, *others = [sparsemixed.mixed(f"y x z || id:, noconstant residuals({m})", data, reml=True) for m in models]
    wanted = KenwardRoger().covariance(linear.fit)
    np.testing.assert_allclose(FullKenwardRoger().covariance(linear.fit), wanted, rtol=1e-9)
    for other in others:
        for method in (KenwardRoger, KenwardRoger2009):
            np.testing.assert_allclose(method().covariance(other.fit), wanted, rtol=2e-5)
        assert FullKenwardRoger().covariance(other.fit)[0, 0] == pytest.approx(1.043 * wanted[0, 0], rel=1e-3)
        table = other.estat.df("satterthwaite").to_numpy()
        assert table == pytest.approx(linear.estat.df("satterthwaite").to_numpy(), rel=2e-5)


def test_random_intercepts_are_exchangeable_errors():
    data = simulated(0)
    effects = sparsemixed.mixed("y x z || id:, reml", data)
    errors_ = sparsemixed.mixed("y x z || id:, noconstant residuals(exchangeable) reml", data)
    for information in ("eim", "oim"):
        methods = ["satterthwaite", "kroger", "krfull", "kr2009"]
        tables = [fit.estat.df(methods, information=information).to_numpy() for fit in (effects, errors_)]
        assert tables[0] == pytest.approx(tables[1], rel=1e-5)
    for method in ("kroger", "krfull", "kr2009"):
        assert effects.estat.df(post=method).bse.to_numpy() == pytest.approx(
            errors_.estat.df(post=method).bse.to_numpy(), rel=1e-6
        )


def test_a_variance_of_zero_counts_as_known():
    data = simulated(0)
    rng = np.random.default_rng(7)
    data["y"] = rng.normal(size=len(data)) - 0.6 * (data["id"] % 3 == data["t"] % 3)
    fit = sparsemixed.mixed("y x z || c: || id:, noconstant residuals(ar 1, t(t)) reml", data).fit
    assert fit.boundary.any()
    plain = sparsemixed.mixed("y x z || id:, noconstant residuals(ar 1, t(t)) reml", data).fit
    for information in ("eim", "oim"):
        method = Satterthwaite(information)
        assert method.coefficients(fit) == pytest.approx(method.coefficients(plain), rel=1e-4)


def test_unstructured_errors_of_a_balanced_design_are_exact():
    """Within complete multivariate data a within-subject contrast is Hotelling's: n - 1 degrees of freedom."""
    rng = np.random.default_rng(2)
    y = rng.normal(size=(12, 3)) @ rng.normal(size=(3, 3))
    data = pd.DataFrame({"y": y.ravel(), "t": np.tile([0, 1, 2], 12), "id": np.repeat(np.arange(12), 3)})
    fit = sparsemixed.mixed("y i.t || id:, noconstant residuals(unstructured, t(t)) reml dfmethod(kroger)", data)
    assert list(fit.df) == pytest.approx([11.0] * 3, rel=1e-5)
    hotelling = fit.test("1.t = 2.t = 0", small=True)
    d = np.column_stack([y[:, 1] - y[:, 0], y[:, 2] - y[:, 0]])
    T2 = 12 * d.mean(axis=0) @ np.linalg.solve(np.cov(d.T), d.mean(axis=0))
    assert hotelling.ddf == pytest.approx(10.0, rel=1e-5)
    assert hotelling.statistic == pytest.approx(T2 * 10 / (2 * 11), rel=1e-5)


@pytest.mark.parametrize("structure", golden("sas"))
def test_figures_of_sas(structure):
    figures = golden("sas")[structure]
    time = "" if structure == "exchangeable" else ", t(avisit)"
    command = f"fev1 i.armcd || usubjid:, noconstant residuals({structure}{time}) reml"
    fit = sparsemixed.mixed(command, load("fev"))
    # Two of the four agree in all digits, the two with more parameters to four.
    close = 1e-5 if structure in ("ar 1", "exchangeable") else 5e-4
    for method in ("satterthwaite", "kroger", "krfull", "kr2009"):
        assert fit.estat.df(method, information="oim").iloc[0, 0] == pytest.approx(figures["df"], rel=close)
    assert fit.estat.df(post="kroger", information="oim").bse.iloc[0] == pytest.approx(figures["bse"], rel=close / 5)
    # Where SAS has covariances for parameters, V has other second derivatives.
    if structure != "toeplitz":
        assert fit.estat.df(post="krfull", information="oim").bse.iloc[0] == pytest.approx(figures["bse_full"], rel=close / 5)


def test_methods_that_count_groups():
    data = simulated(0)
    n, groups = len(data), data["id"].nunique()
    fit = sparsemixed.mixed("y x z || id:, noconstant residuals(ar 1, t(t)) dfmethod(repeated)", data)
    assert list(fit.df) == [n - groups - 1, groups - 2, groups - 2]
    both = sparsemixed.mixed("y x z || id:, residuals(ar 1, t(t))", data)
    assert list(both.estat.df("repeated")["Repeated"]) == list(fit.df)
    assert list(fit.estat.df("betwithin")["Between-within"]) == [n - groups - 1, groups - 2, n - groups - 1]
    assert list(fit.estat.df("anova")["ANOVA"]) == [n - 3.0] * 3
    Z = np.column_stack([np.ones(n), data.x, data.z, np.eye(groups)[data["id"]]])
    assert list(both.estat.df("anova")["ANOVA"]) == [n - np.linalg.matrix_rank(Z)] * 2 + [groups - 1]


def test_mixtures_need_the_same_errors():
    data = simulated(2)
    small = sparsemixed.mixed("y x || id:, noconstant residuals(ar 1, t(t))", data)
    full = sparsemixed.mixed("y x || id:, residuals(ar 1, t(t))", data)
    other = sparsemixed.mixed("y x || id:, residuals(ar 2, t(t))", data)
    assert sparsemixed.lrtest(small, full).mixture_pvalue == pytest.approx(sparsemixed.lrtest(small, full).pvalue / 2)
    assert sparsemixed.lrtest(small, other).mixture_pvalue is None


def test_too_many_rows_tied_together(monkeypatch):
    fit = dataclasses.replace(fitted("ar"), solver="block")
    assert np.all(np.isfinite(Satterthwaite().coefficients(fit)))
    monkeypatch.setattr(pattern_derivatives, "MAX_NUMBERS", 10)
    with pytest.raises(NotAvailableError, match=r"residuals\(ar\).*5 rows"):
        Satterthwaite().coefficients(dataclasses.replace(fit))
