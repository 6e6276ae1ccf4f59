"""Penalised likelihoods: against dense V and a search without derivatives, for every structure; derivatives by differences."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.estimation.jets import CovarianceJets
from sparsemixed.estimation.prior_terms import boundary_term, correlation_term, matrix_term, scale_term
from sparsemixed.estimation.problems.table import problem_of
from sparsemixed.priors import (
    LKJ,
    Beta,
    BoundaryAvoiding,
    Fixed,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    InverseWishart,
    Normal,
    Wishart,
)
from sparsemixed.structures.random.exchangeable import Exchangeable
from sparsemixed.structures.random.identity import Identity
from sparsemixed.structures.random.independent import Independent
from sparsemixed.structures.random.unstructured import Unstructured
from tests.oracles.penalised import hessian, log_likelihood, maximum


@pytest.fixture(scope="module")
def rows():
    data = sparsemixed.datasets.simulate_longitudinal(10, 4, seed=1)
    rng = np.random.default_rng(5)
    return data.assign(
        w=rng.integers(1, 4, len(data)).astype(float), v=rng.uniform(0.5, 2, len(data)), g=rng.integers(0, 4, len(data))
    )


def indicators(codes):
    return np.eye(len(np.unique(codes)))[np.unique(codes, return_inverse=True)[1]]


def log_sd(x):
    return np.log(x)


SHAPES = {"ml": False, "reml": True}


def check(fit, objective, start, shown):
    """Estimates, the likelihood at them, the penalised one and standard errors of `shown` parameters of the oracle."""
    best = maximum(objective.penalised, np.asarray(start, float))
    assert fit.fit.converged
    assert fit.llf == pytest.approx(objective(best), abs=1e-5)
    assert fit.llf + fit.fit.log_prior == pytest.approx(objective.penalised(best), abs=1e-7)
    own = np.array([v.estimate for v in fit.fit.variances])
    np.testing.assert_allclose(own, shown(best), rtol=3e-4, atol=1e-5)
    information = -hessian(objective.penalised, best)
    jacobian = np.array([(shown(best + h) - shown(best - h)) / 2e-5 for h in 1e-5 * np.eye(len(best))]).T
    expected = np.sqrt(np.diag(jacobian @ np.linalg.inv(information) @ jacobian.T))
    from sparsemixed.inference.covariance.vce import theta_covariance

    covariance = theta_covariance(fit.fit).matrix
    errors = np.array([np.sqrt(v.gradient @ covariance @ v.gradient) for v in fit.fit.variances])
    np.testing.assert_allclose(errors, expected, rtol=5e-3, atol=1e-6)


class Objective:
    """Log likelihood of x by a function to V, and the same with a log prior."""

    def __init__(self, y, X, V, reml, prior, weights=None):
        self.y, self.X, self.V, self.reml, self.prior, self.weights = y, X, V, reml, prior, weights

    def __call__(self, x):
        return log_likelihood(self.y, self.X, self.V(x), self.reml)

    def penalised(self, x):
        return self(x) + self.prior(x)


@pytest.mark.parametrize("method", SHAPES)
@pytest.mark.parametrize(
    ("prior", "density"),
    [
        ("boundary", lambda s, e: np.log(s)),
        ({"sd(_cons)": Gamma(2, 0.5)}, lambda s, e: Gamma(2, 0.5).log_density(s)),
        ({"var(_cons)": InverseGamma(2, 1)}, lambda s, e: InverseGamma(2, 1).log_density(s**2)),
        ({"sd": HalfT(3, 0.7)}, lambda s, e: HalfT(3, 0.7).log_density(s) + HalfT(3, 0.7).log_density(e)),
        (
            {"id: sd": HalfNormal(0.5), "var(Residual)": InverseGamma(3, 2)},
            lambda s, e: HalfNormal(0.5).log_density(s) + InverseGamma(3, 2).log_density(e**2),
        ),
    ],
)
def test_one_variance(rows, method, prior, density):
    y, X, Z = rows.y.to_numpy(), np.column_stack([rows.time, np.ones(len(rows))]), indicators(rows.id)
    V = lambda x: np.exp(2 * x[0]) * Z @ Z.T + np.exp(2 * x[1]) * np.eye(len(y))  # noqa: E731
    fit = sparsemixed.mixed("y time || id:", rows, prior=prior, reml=SHAPES[method])
    objective = Objective(y, X, V, SHAPES[method], lambda x: density(*np.exp(x)))
    check(fit, objective, [0.0, 0.0], lambda x: np.exp(2 * x))


def lower(x):
    return np.array([[np.exp(x[0]), 0.0], [x[1], np.exp(x[2])]])


@pytest.mark.parametrize(
    ("prior", "density"),
    [
        ("boundary", lambda S: 0.5 * np.linalg.slogdet(S)[1]),
        (BoundaryAvoiding(2.5), lambda S: 0.75 * np.linalg.slogdet(S)[1]),
        ({"Sigma": Wishart(4, 2.0)}, lambda S: Wishart(4, 2.0).log_density(S, np.linalg.slogdet(S)[1])),
        ({"id": InverseWishart(5, 1.5)}, lambda S: InverseWishart(5, 1.5).log_density(S, np.linalg.slogdet(S)[1])),
        (
            {"id: sd": HalfCauchy(1), "corr": LKJ(3)},
            lambda S: (
                sum(HalfCauchy(1).log_density(np.sqrt(S[k, k])) for k in (0, 1))
                + LKJ(3).log_density(np.log(np.linalg.det(S) / S[0, 0] / S[1, 1]), 2)
            ),
        ),
        (
            {"sd(time)": HalfNormal(0.3), "corr(time,_cons)": Beta(2, 3)},
            lambda S: (
                HalfNormal(0.3).log_density(np.sqrt(S[0, 0])) + Beta(2, 3).log_density(S[0, 1] / np.sqrt(S[0, 0] * S[1, 1]))
            ),
        ),
    ],
)
def test_a_free_matrix(rows, prior, density):
    y, X = rows.y.to_numpy(), np.column_stack([rows.time, np.ones(len(rows))])
    J, same = X, rows.id.to_numpy()[:, None] == rows.id.to_numpy()

    def V(x):
        return np.where(same, J @ lower(x) @ lower(x).T @ J.T, 0.0) + np.exp(2 * x[3]) * np.eye(len(y))

    def shown(x):
        S = lower(x) @ lower(x).T
        return np.array([S[0, 0], S[1, 1], S[0, 1], np.exp(2 * x[3])])

    fit = sparsemixed.mixed("y time || id: time, covariance(unstructured) reml", rows, prior=prior)
    objective = Objective(y, X, V, True, lambda x: density(lower(x) @ lower(x).T))
    check(fit, objective, [-1.0, 0.1, -0.5, 0.0], shown)
    formula = sparsemixed.mixed("y ~ time + (time | id)", rows, prior=prior, reml=True)
    assert formula.llf == pytest.approx(fit.llf, abs=1e-7)


@pytest.mark.parametrize("residual", ["", " residuals(ar 1, t(time))"])
def test_other_structures(rows, residual):
    """Independent and exchangeable effects, crossed with others, beside independent and correlated errors."""
    y, X, same = (
        rows.y.to_numpy(),
        np.column_stack([rows.time, np.ones(len(rows))]),
        rows.id.to_numpy()[:, None] == rows.id.to_numpy(),
    )
    lags = np.abs(rows.time.to_numpy()[:, None] - rows.time.to_numpy())

    def R(x):
        return np.where(same, np.tanh(x[3]) ** lags, 0.0) if residual else np.eye(len(y))

    def V(x):
        effects = X @ np.diag(np.exp(2 * x[:2])) @ X.T
        return np.where(same, effects, 0.0) + np.exp(2 * x[2]) * R(x)

    fit = sparsemixed.mixed(f"y time || id: time,{residual} reml", rows, prior="boundary")
    objective = Objective(y, X, V, True, lambda x: float(np.sum(x[:2])))
    order = (lambda x: np.append(np.exp(2 * x[:2]), [np.tanh(x[3]), np.exp(2 * x[2])])) if residual else (lambda x: np.exp(2 * x))
    check(fit, objective, [-1.0, -0.5, 0.0, 0.1][: 4 if residual else 3], order)


def test_crossed_factors_weights_and_known_variance(rows):
    y, X = rows.y.to_numpy(), np.ones((len(rows), 1))
    A, B = indicators(rows.id), indicators(rows.g)

    def V(x):
        return np.exp(2 * x[0]) * A @ A.T + np.exp(2 * x[1]) * B @ B.T + np.diag(rows.v)

    prior = {"Sigma": BoundaryAvoiding(), "sigma": Fixed(1)}
    fit = sparsemixed.mixed("y || _all: R.g || id:, reml", rows, prior=prior, precision_weights="1/v")
    objective = Objective(y, X, V, True, lambda x: float(np.sum(x)))
    best = maximum(objective.penalised, np.zeros(2))
    own = {v.equation.partition(":")[0]: v.estimate for v in fit.fit.variances}
    assert own["id"] == pytest.approx(np.exp(2 * best[0]), rel=1e-4)
    assert own["_all"] == pytest.approx(np.exp(2 * best[1]), rel=1e-4)
    assert fit.fit.sigma2 == 1.0
    assert fit.llf == pytest.approx(objective(best), abs=1e-5)
    assert fit.llf + fit.fit.log_prior == pytest.approx(objective.penalised(best), abs=1e-6)
    half = np.linalg.inv(X.T @ np.linalg.inv(V(best)) @ X)
    assert fit.bse["_cons"] == pytest.approx(np.sqrt(half[0, 0]), rel=1e-5)
    line = next(line for line in str(fit).splitlines() if "var(Residual)" in line)
    assert line.split()[2] == "1"
    assert len(line.split()) <= 6
    again = sparsemixed.mixed("y || _all: R.g || id:, reml residuals(independent)", rows, prior=prior, precision_weights="1/v")
    assert again.llf == pytest.approx(fit.llf)


def test_frequency_weights_are_copies(rows):
    copied = rows.loc[np.repeat(rows.index, rows.w.astype(int))]
    one = sparsemixed.mixed("y time [fweight=w] || id:", rows, prior="boundary")
    two = sparsemixed.mixed("y time || id:", copied, prior="boundary")
    assert one.llf == pytest.approx(two.llf, abs=1e-8)
    np.testing.assert_allclose(one.fit.theta, two.fit.theta, rtol=1e-6)


def flat_group():
    """Data whose restricted likelihood has its maximum at a variance of zero."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"id": np.repeat(range(6), 5), "y": rng.normal(size=30)})
    return data.assign(y=data.y - data.groupby("id").y.transform("mean"))


def test_no_singular_estimates_and_smooth_priors_at_zero():
    data = flat_group()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = sparsemixed.mixed("y || id:, reml", data)
        kept = sparsemixed.mixed("y || id:, reml", data, prior={"sd(_cons)": HalfT(3, 1)})
    assert plain.fit.boundary_names
    assert kept.fit.boundary_names
    assert kept.fit.variances[0].estimate == 0.0
    assert kept.llf == pytest.approx(plain.llf, abs=1e-8)
    moved = sparsemixed.mixed("y || id:, reml", data, prior="boundary")
    assert moved.fit.converged
    assert not moved.fit.boundary_names
    assert moved.fit.variances[0].estimate > 0.001
    gamma = sparsemixed.mixed("y || id:, reml", data, prior={"sd(_cons)": Gamma(2, 1e-9)})
    assert gamma.fit.variances[0].estimate == pytest.approx(moved.fit.variances[0].estimate, rel=1e-6)


STRUCTURES = [Unstructured(2), Unstructured(3), Independent(2), Identity(2), Exchangeable(3)]


@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_derivatives_by_differences(structure):
    m, rng = structure.m, np.random.default_rng(2)
    theta = structure.nearest(np.eye(m) + 0.3) + 0.1 * rng.normal(size=structure.n_theta)
    terms = [boundary_term(structure, BoundaryAvoiding(2.5)), scale_term(HalfT(4, 2), "sd", 0), scale_term(Gamma(3, 2), "var", 0)]
    if isinstance(structure, Unstructured):
        terms += [matrix_term(p, m) for p in (Wishart(m + 2), InverseWishart())]
        terms += [correlation_term(LKJ(2), m), *([correlation_term(Beta(2, 4), 2)] if m == 2 else [])]
    for term in terms:

        def at(x, term=term):
            return term(x[:-1], CovarianceJets(structure, x[:-1], x[-1]))

        x = np.append(theta, 0.4)
        found, step = at(x), 1e-5
        moves = [(at(x + h), at(x - h)) for h in step * np.eye(x.size)]
        np.testing.assert_allclose(found.gradient, [(a.value - b.value) / (2 * step) for a, b in moves], rtol=1e-6, atol=1e-8)
        expected = [(a.gradient - b.gradient) / (2 * step) for a, b in moves]
        np.testing.assert_allclose(found.hessian, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "model", ["y time || id: time, cov(un)", "y time || _all: R.g || id:", "y time || id:, residuals(ar 1, t(time))"]
)
def test_the_objective_is_consistent(rows, model):
    """Gradient and Hessian of the penalised deviance, sigma2 profiled out, away from its minimum."""
    priors = {"Sigma": BoundaryAvoiding()} | ({} if "residuals" in model else {"sigma": HalfT(3, 0.5)})
    fit = sparsemixed.mixed(model, rows, prior=priors, reml=True).fit
    objective = problem_of(fit).objective
    theta, step = fit.theta * 1.2 + 0.05, 1e-5
    found = objective.derivatives(objective.evaluate(theta))
    places = [(objective.evaluate(theta + h), objective.evaluate(theta - h)) for h in step * np.eye(theta.size)]
    slopes = [(a.deviance - b.deviance) / (2 * step) for a, b in places]
    np.testing.assert_allclose(found.gradient, slopes, rtol=1e-5, atol=1e-6)
    gradients = [(objective.derivatives(a).gradient - objective.derivatives(b).gradient) / (2 * step) for a, b in places]
    np.testing.assert_allclose(found.observed_information.profiled, gradients, rtol=1e-5, atol=1e-5)
    assert objective.evaluate(fit.theta).sigma2 == pytest.approx(fit.sigma2, rel=1e-10)
    assert Normal(0, 1).slopes(1.0) == (-1.0, -1.0)
