"""Normal priors of coefficients in `prior=`: against dense V, derivatives by differences, other programs, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.estimation.problems.table import problem_of
from sparsemixed.priors import BoundaryAvoiding, HalfT, InverseGamma, Normal
from tests.oracles.penalised import log_likelihood, maximum

PRIORS = {"time": Normal(0.2, 0.1), "_cons": Normal(-1.0, 0.3)}


@pytest.fixture(scope="module")
def rows():
    data = sparsemixed.datasets.simulate_longitudinal(10, 4, seed=1)
    return data.assign(g=np.random.default_rng(5).integers(0, 4, len(data)))


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize(
    "model",
    [
        "y time || id: time, cov(un)",
        "y time || _all: R.g || id:",
        "y time || id:, residuals(ar 1, t(time))",
        "y time || id:, residuals(unstructured, t(time))",
    ],
)
def test_the_objective_is_consistent(rows, model, reml):
    """Gradient and Hessian, sigma2 and coefficients profiled out or integrated out, away from the minimum."""
    priors = PRIORS | {"Sigma": BoundaryAvoiding()} | ({} if "residuals" in model else {"sigma": HalfT(3, 0.5)})
    fit = sparsemixed.mixed(model, rows, prior=priors, reml=reml).fit
    objective = problem_of(fit).objective
    theta = fit.theta * 1.2 + 0.05
    step, found = 1e-5, objective.derivatives(objective.evaluate(theta))
    places = [(objective.evaluate(theta + h), objective.evaluate(theta - h)) for h in step * np.eye(theta.size)]
    slopes = [(a.deviance - b.deviance) / (2 * step) for a, b in places]
    np.testing.assert_allclose(found.gradient, slopes, rtol=1e-5, atol=1e-6)
    gradients = [(objective.derivatives(a).gradient - objective.derivatives(b).gradient) / (2 * step) for a, b in places]
    np.testing.assert_allclose(found.observed_information.profiled, gradients, rtol=1e-5, atol=2e-5)


def dense(y, X, V, priors, reml):
    """Log likelihood and the same with the log density of coefficients; theirs integrated out under REML, into V; and beta."""
    known = np.array([prior is not None for prior in priors])
    mean = np.array([0.0 if prior is None else prior.mean for prior in priors])
    K = np.diag([0.0 if prior is None else prior.sd**-2 for prior in priors])
    inverse = np.linalg.inv(V)
    Phi = np.linalg.inv(X.T @ inverse @ X + K)
    beta = Phi @ (X.T @ inverse @ y + K @ mean)
    if reml:
        wide = V + X[:, known] @ np.linalg.inv(K[np.ix_(known, known)]) @ X[:, known].T
        value = log_likelihood(y - X @ mean, X[:, ~known], wide, True)
        return value, value, beta, Phi
    e = y - X @ beta
    value = -0.5 * (np.linalg.slogdet(V)[1] + e @ inverse @ e + len(y) * np.log(2 * np.pi))
    density = sum(float(p.log_density(b)) for p, b in zip(priors, beta, strict=True) if p is not None)
    return value, value + density, beta, Phi


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("names", [("time", "_cons"), ("time",)])
def test_against_dense_matrices(rows, names, reml):
    y, X = rows.y.to_numpy(), np.column_stack([rows.time, np.ones(len(rows))])
    same = rows.id.to_numpy()[:, None] == rows.id.to_numpy()
    priors = [PRIORS[name] if name in names else None for name in ("time", "_cons")]
    scale = InverseGamma(3, 2)

    def at(x):
        return dense(y, X, np.exp(2 * x[0]) * same + np.exp(2 * x[1]) * np.eye(len(y)), priors, reml)

    best = maximum(lambda x: at(x)[1] + float(scale.log_density(np.exp(2 * x[1]))), np.zeros(2))
    prior = {name: PRIORS[name] for name in names} | {"var(Residual)": scale}
    fit = sparsemixed.mixed("y time || id:", rows, prior=prior, reml=reml)
    value, penalised, beta, Phi = at(best)
    assert fit.converged
    np.testing.assert_allclose([v.estimate for v in fit.fit.variances], np.exp(2 * best), rtol=1e-6)
    np.testing.assert_allclose(fit.params, beta, rtol=1e-6)
    np.testing.assert_allclose(fit.bse, np.sqrt(np.diag(Phi)), rtol=1e-5)
    assert fit.llf == pytest.approx(value, abs=1e-6)
    assert fit.llf + fit.fit.log_prior == pytest.approx(penalised + float(scale.log_density(np.exp(2 * best[1]))), abs=1e-9)


def test_wide_priors_change_nothing_and_narrow_ones_hold(rows):
    plain = sparsemixed.mixed("y time || id:", rows)
    wide = sparsemixed.mixed("y time || id:", rows, prior={"b": Normal(0, 1e6)})
    np.testing.assert_allclose(wide.params, plain.params, rtol=1e-8)
    assert wide.llf == pytest.approx(plain.llf, abs=1e-8)
    held = sparsemixed.mixed("y ~ time + (1 | id)", rows, prior={"time": Normal(0.25, 1e-5)})
    assert held.params["time"] == pytest.approx(0.25, abs=1e-7)
    offset = sparsemixed.mixed("y || id:", rows.assign(y=rows.y - 0.25 * rows.time))
    assert held.llf == pytest.approx(offset.llf, abs=1e-6)


def test_other_responses_have_their_own_distance_from_the_prior(rows):
    """Refits keep what no response changes, and the prior is told from each response's least-squares fit."""
    fit = sparsemixed.mixed("y time || _all: R.g || id:", rows, prior=PRIORS)
    other = rows.assign(y=3.0 * rows.y + rows.time)
    fresh = sparsemixed.mixed("y time || _all: R.g || id:", other, prior=PRIORS)
    again = fit.refit(other.y)
    np.testing.assert_allclose(again.params, fresh.params, rtol=1e-6)
    assert again.llf == pytest.approx(fresh.llf, abs=1e-7)


def test_saved(rows, tmp_path):
    fit = sparsemixed.mixed("y time || id:", rows, prior=PRIORS, reml=True)
    fit.save(tmp_path / "fit.smx", data=True)
    loaded = sparsemixed.load(tmp_path / "fit.smx")
    assert str(loaded) == str(fit)
    assert loaded.fit.spec.estimation.prior == fit.fit.spec.estimation.prior


@pytest.mark.parametrize(
    ("prior", "options", "error", "message"),
    [
        ({"time": HalfT(3, 1)}, {}, OptionError, "coefficients take Normal"),
        ({"time": Normal(0, 1e-8)}, {}, OptionError, "too narrow"),
        ({"week": Normal()}, {}, OptionError, "no parameter 'week'"),
        ({"time": Normal()}, {"constraints": ["time = _cons"]}, NotAvailableError, "under constraints"),
        ({"time": Normal()}, {"vce": "cr2"}, NotAvailableError, r"vce\(cr2\)"),
    ],
)
def test_refused(rows, prior, options, error, message):
    with pytest.raises(error, match=message):
        sparsemixed.mixed("y time || id:", rows, prior=prior, **options).bse  # noqa: B018


def test_what_rests_on_least_squares_is_refused(rows):
    fit = sparsemixed.mixed("y time || id:", rows, prior=PRIORS)
    for asked in (lambda: fit.loo(), lambda: fit.influence(by="id", method="fixed"), lambda: fit.conf_int(method="profile")):
        with pytest.raises(NotAvailableError, match="prior"):
            asked()
