"""Derivatives of the deviance that profiles move on: by (theta, rho), log sigma2 and held coefficients, for every objective."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from sparsemixed.inference.profile.constrained import Restricted, _basis, _minimum, _plain_minimum
from sparsemixed.inference.profile.criteria import Criterion
from sparsemixed.inference.profile.group_sums import GroupsLocal
from sparsemixed.inference.profile.jets import Composed, Correlation, correlation_of, root_of
from sparsemixed.inference.profile.surface import ObjectiveLocal
from sparsemixed.inference.profile.targets import variance_targets
from tests.oracles.random_models import random_model

STEP = 1e-5
MODELS = {
    "one term": ("y x z || b: x, covariance(unstructured)", {}),
    "weighted groups": ("y x z [fweight=w] || b: x", {}),
    "crossed": ("y x z || _all: R.c || a: || b: x, covariance(exchangeable)", {}),
    "precision weights": ("y x z || a: || b:", {"precision_weights": "precision"}),
    "patterns": ("y x z || b: x", {"residuals": "ar 2, t(t)"}),
    "levels": ("y x z || b:", {"residuals": "exponential, t(u) by(arm)"}),
    "precision of errors": ("y x z [fweight=w] || a: || b:, noconstant", {"residuals": "independent, by(arm)"}),
    "linear": ("y x z", {}),
}


@pytest.mark.parametrize(
    ("name", "reml"),
    [
        *((name, False) for name in MODELS if name != "levels"),
        ("crossed", True),
        ("one term", True),
        pytest.param("levels", True, marks=pytest.mark.slow),
    ],
)
def test_gradient_and_hessian_are_those_of_the_deviance(name, reml):
    command, options = MODELS[name]
    fit = sparsemixed.mixed(command, random_model(11).data, reml=reml, **options).fit
    criterion = Criterion("reml" if reml else "ml", fit)
    surface = criterion.peak(() if reml else (2, 0)).surface
    rng = np.random.default_rng(5)
    x = surface.start(fit.theta, fit.sigma2)
    x = x + 0.2 * rng.normal(size=x.size) * np.where(np.append(surface.fixed, [False] * (x.size - len(fit.theta))), 0.0, 1.0)
    at, free = surface.at(x), np.flatnonzero(np.append(~surface.fixed, [True] * (x.size - len(fit.theta))))
    moves = [STEP * np.eye(x.size)[i] for i in free]
    gradient = np.array([(surface.at(x + m).deviance - surface.at(x - m).deviance) / (2 * STEP) for m in moves])
    hessian = np.array([(surface.at(x + m).gradient - surface.at(x - m).gradient) / (2 * STEP) for m in moves])
    size = np.abs(at.hessian).max()
    np.testing.assert_allclose(at.gradient[free], gradient, rtol=1e-6, atol=1e-7 * size)
    np.testing.assert_allclose(at.hessian[free], hessian, rtol=1e-5, atol=1e-7 * size)


def test_a_held_coefficient_is_one_that_the_model_does_not_estimate():
    """The deviance at (theta, sigma2, b) is that of y - x b on the other columns."""
    data = random_model(11).data
    fit = sparsemixed.mixed("y x z || b: x, covariance(unstructured)", data).fit
    surface = Criterion("ml", fit).peak((0,)).surface
    for b in (-0.4, 0.9):
        rest = data.assign(y=data.y - b * data.x)
        smaller = sparsemixed.mixed("y z || b: x, covariance(unstructured)", rest).fit
        free = Criterion("ml", smaller).peak().surface
        for theta in (fit.theta, 0.5 * fit.theta + 0.1):
            x = np.append(theta, 0.3)
            constant = surface.at(surface.start(fit.theta, fit.sigma2)).deviance + 2.0 * fit.llf
            others = free.at(free.start(smaller.theta, smaller.sigma2)).deviance + 2.0 * smaller.llf
            ours, theirs = surface.at(np.append(x, b)).deviance - constant, free.at(x).deviance - others
            assert ours == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize(("name", "reml"), [("one term", False), ("one term", True), ("weighted groups", False), ("no X", False)])
def test_sums_of_groups_are_the_objectives_own(name, reml):
    """What is computed without objects in between, against the evaluations and derivatives that fits are made of."""
    command, options = MODELS.get(name, ("y || b: x, covariance(unstructured) noconstant", {"noconstant": True}))
    fit = sparsemixed.mixed(command, random_model(11).data, reml=reml, **options).fit
    criterion, rng = Criterion("reml" if reml else "ml", fit), np.random.default_rng(1)
    for held in ((), *(() if reml or not fit.beta.size else ((1,), (2, 0)))):
        surface = criterion.peak(held).surface
        for _ in range(3):
            x = surface.start(fit.theta, fit.sigma2) + 0.3 * rng.normal(size=surface.size)
            quick, own = surface.at(x), ObjectiveLocal(surface, x, surface.objective.evaluate(x[: surface.n_theta]))
            assert isinstance(quick, GroupsLocal)
            assert quick.deviance == pytest.approx(own.deviance, rel=1e-13)
            np.testing.assert_allclose(quick.coefficients, own.coefficients, rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(quick.gradient, own.gradient, rtol=1e-10, atol=1e-11 * np.abs(own.hessian).max())
            np.testing.assert_allclose(quick.hessian, own.hessian, rtol=1e-10, atol=1e-12 * np.abs(own.hessian).max())


def test_correlations_and_roots_have_exact_second_derivatives():
    fit = sparsemixed.mixed("y x z || b: x, covariance(unstructured)", random_model(11).data).fit
    peak = Criterion("ml", fit).peak()
    correlation = next(target.psi for target in variance_targets(fit, True) if target.kind == "correlation")
    variances = [target.psi for target in variance_targets(fit, False)]
    assert isinstance(correlation, Correlation)
    cov = next(psi for psi, v in zip(variances, fit.variances, strict=True) if v.kind == "covariance")
    pair = [psi for psi, v in zip(variances, fit.variances, strict=True) if v.kind == "variance"][:2]
    for psi, parts, outer in ((correlation, (cov, *pair), correlation_of), (Composed((pair[0],), root_of), (pair[0],), root_of)):
        jet, other = psi(peak.x), Composed(parts, outer)(peak.x)
        assert jet.value == pytest.approx(other.value, rel=1e-14)
        np.testing.assert_allclose(jet.gradient, other.gradient, rtol=1e-12, atol=1e-13)
        step = 1e-5
        differences = [
            (psi(peak.x + step * e).gradient - psi(peak.x - step * e).gradient) / (2 * step) for e in np.eye(peak.x.size)
        ]
        np.testing.assert_allclose(jet.hessian, differences, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("command", ["y x || b: x, covariance(unstructured)", "y x || a: || b: x", "y x || _all: R.c || b:"])
def test_deviances_at_zero_variances_are_those_of_the_whole_search(command):
    fit = sparsemixed.mixed(command, random_model(11).data).fit
    peak, plain = Criterion("ml", fit).peak(), 0
    for target in variance_targets(fit, False):
        for form in target.variances:
            basis = _basis(peak, form)
            ended = _minimum(Restricted(peak.surface, basis), basis.T @ peak.x)
            lowest = _plain_minimum(peak.surface, basis, basis.T @ peak.x)
            assert ended is not None
            plain += lowest is not None
            assert lowest is None or lowest.deviance == pytest.approx(ended.at.deviance, abs=1e-8)
    assert plain
