"""technique(), difficult, nonrtolerance: other ways to the same optimum.

With the exact Hessian every search stops at a predicted distance of at most 1e-11 in the deviance, or where its rounding error
of about 1e-12 of its size hides what is left: two optima agree to 1e-10 of the log likelihood. With the average information the
bound is 1e-7 in the deviance, so that two log likelihoods differ by at most 1e-7.
"""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import sparsemixed
from property_tests.test_fits import COMMANDS, frame
from property_tests.test_residual_fits import STRUCTURES, longitudinal
from sparsemixed.command.techniques import techniques
from sparsemixed.errors import OptionError
from sparsemixed.estimation.search.curvature import UPDATES, damped, positive_definite
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.search.values import Plan
from sparsemixed.spec import EstimationOptions
from tests.estimation.test_estimation import objective_for
from tests.oracles.engine_cases import SHAPES
from tests.oracles.fitted import fitted
from tests.oracles.weighted_cases import command, nested

SOLVERS = importlib.import_module("sparsemixed.estimation.problems.solvers")
TECHNIQUES = ("bfgs", "dfp", "bfgs 2 dfp 2 nr 1")


@pytest.fixture
def average_information(monkeypatch):
    """Crossed designs of any size are fitted as large ones are."""
    monkeypatch.setattr(SOLVERS, "EXACT_BELOW", 0)


def compare(model, data, asked, llf_error=1e-10, **options):
    """Fit by `nr` and as asked for; returns both."""
    newton = fitted(model, data, **options)
    other = sparsemixed.mixed(model, data, **options, **asked)
    assert newton.converged
    assert other.converged, other.status
    assert other.llf == pytest.approx(newton.llf, rel=llf_error, abs=1e-10)
    assert other.fit.boundary_names == newton.fit.boundary_names
    return newton, other


@pytest.mark.parametrize("asked", TECHNIQUES)
@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("model", COMMANDS)
def test_every_technique_reaches_the_optimum(model, reml, asked):
    newton, other = compare(model, frame(1), {"technique": asked}, reml=reml)
    # Estimates move by the square root of what the deviance allows: 1e-5 standard errors.
    for name in ("estimate", "std_err"):
        np.testing.assert_allclose(other.random_params[name], newton.random_params[name], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(other.bse, newton.bse, rtol=1e-4)


@pytest.mark.parametrize("asked", TECHNIQUES[:2])
@pytest.mark.parametrize("structure", STRUCTURES)
def test_residual_structures(structure, asked):
    compare(f"y x || g:, residuals({structure})", longitudinal(1), {"technique": asked}, reml=True)


@pytest.mark.parametrize("asked", TECHNIQUES)
@pytest.mark.parametrize("name", ["three levels", pytest.param("four levels", marks=pytest.mark.slow), "by", "toeplitz"])
def test_weights_of_groups(name, asked):
    compare(command(name), nested(3), {"technique": asked})


@pytest.mark.parametrize("asked", TECHNIQUES)
@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.usefixtures("average_information")
def test_large_crossed_designs(reml, asked):
    data = sparsemixed.datasets.simulate_crossed(3000, 120, 80, seed=2)
    for model in ("y x || _all: R.user || item:", "y x || _all: R.user || item: x, cov(un)"):
        newton = sparsemixed.mixed(model, data, reml=reml)
        other = sparsemixed.mixed(model, data, reml=reml, technique=asked)
        assert other.converged
        assert other.llf == pytest.approx(newton.llf, abs=1e-7)


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("name", ["bfgs", "dfp"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_last_word_has_the_computed_hessian(shape, name, reml):
    objective = objective_for(shape, reml)
    start = objective.evaluate(np.linspace(0.4, 1.1, objective.parameters.n_theta))
    for iterate in (2, 100):
        plan = Plan(EstimationOptions(technique=((name, 5),), iterate=iterate), exact=True)
        end = minimize(objective, start, plan, lambda d: -0.5 * d)
        np.testing.assert_array_equal(end.model.hessian, end.derivatives.observed_information.profiled)
        np.testing.assert_array_equal(end.derivatives.at.theta, end.evaluation.theta)
        assert end.converged == (end.decrement <= 1e-11 or "rounding" in end.message)
    assert end.converged


@pytest.mark.parametrize("name", ["bfgs", "dfp"])
def test_a_saddle_point_is_no_optimum(name):
    """At theta = 0 the gradient vanishes by symmetry; a positive definite approximation alone would call that an optimum."""
    objective = objective_for("crossed vectors", True)
    plan, newton = Plan(EstimationOptions(technique=((name, 5),)), exact=True), Plan(EstimationOptions(), exact=True)
    end = minimize(objective, objective.evaluate(np.zeros(objective.n_theta)), plan, lambda d: -0.5 * d)
    exact = minimize(objective, objective.evaluate(np.ones(objective.n_theta)), newton, lambda d: -0.5 * d)
    assert end.converged
    assert end.evaluation.deviance == pytest.approx(exact.evaluation.deviance, rel=1e-10)


@pytest.mark.parametrize("name", UPDATES)
def test_updates_keep_the_secant_equation_symmetry_and_definiteness(name):
    rng = np.random.default_rng(1)
    for _ in range(50):
        root = rng.normal(size=(4, 4))
        B, s, y = root @ root.T + 0.1 * np.eye(4), rng.normal(size=4), rng.normal(size=4)
        y = damped(B, s, y)
        assert s @ y >= 0.2 * (s @ B @ s) * (1 - 1e-12)
        after = UPDATES[name](B, s, y)
        np.testing.assert_allclose(after @ s, y, atol=1e-9 * np.abs(after).max())
        np.testing.assert_allclose(after, after.T, atol=1e-12 * np.abs(after).max())
        assert np.linalg.eigvalsh(after)[0] > 0


def test_a_definite_matrix_is_left_as_it_is():
    root = np.random.default_rng(2).normal(size=(3, 3))
    matrix = root @ root.T + np.eye(3)
    np.testing.assert_allclose(positive_definite(matrix), matrix, rtol=1e-12)
    assert np.linalg.eigvalsh(positive_definite(-matrix))[0] > 0


def test_techniques_take_turns_as_written():
    fit = sparsemixed.mixed("y x || h: x z, cov(exchangeable) technique(bfgs 2 nr 1 dfp)", frame(2))
    turns = ["bfgs", "bfgs", "nr", "dfp", "dfp", "dfp", "dfp", "dfp", "bfgs"]
    found = [entry.technique for entry in fit.fit.log]
    assert len(found) > 4
    assert found == turns[: len(found)]
    assert fit.e["technique"] == "bfgs 2 nr 1 dfp 5"
    assert sparsemixed.mixed("y x || g:", frame(2)).e["technique"] == "nr"


def test_quasi_newton_computes_no_hessian_on_the_way():
    fit = sparsemixed.mixed("y x || g: x, cov(un) technique(bfgs)", frame(1)).fit
    newton = sparsemixed.mixed("y x || g: x, cov(un)", frame(1)).fit
    np.testing.assert_allclose(fit.log[0].information, newton.log[0].information)
    second = fit.log[1]
    step, change = second.theta - fit.log[0].theta, fit.log[0].score - second.score
    np.testing.assert_allclose(second.information @ step, change, rtol=1e-9)
    assert fit.iterations > newton.iterations


def test_unconverged_says_so():
    fit = sparsemixed.mixed("y x || g: x, cov(un) technique(bfgs) iterate(1)", frame(1))
    assert not fit.converged
    assert "iterate(1)" in fit.status
    assert fit.fit.gradient_norm > 1e-6


def test_words_and_numbers():
    assert techniques("NR") == (("nr", 5),)
    assert techniques("bfgs 10 nr 20 dfp") == (("bfgs", 10), ("nr", 20), ("dfp", 5))
    for text, position, message in (
        ("nr fbgs", 3, "did you mean bfgs"),
        ("bhhh 3", 0, "may not be specified"),
        ("nr 3 3", 5, "second number"),
        ("3 nr", 0, "follows the name"),
        ("nr 0", 3, "at least 1"),
        ("nr -1", 3, "found -1"),
        ("nr, dfp", 2, "found ,"),
    ):
        with pytest.raises(OptionError, match=message) as caught:
            techniques(text)
        assert caught.value.position == position


@pytest.mark.usefixtures("average_information")
def test_difficult_means_the_exact_hessian_everywhere(monkeypatch):
    data = frame(1)
    plain, difficult = (sparsemixed.mixed(f"y x || _all: R.h || g:, {option}", data).fit for option in ("", "difficult"))
    monkeypatch.setattr(SOLVERS, "EXACT_BELOW", 400)
    exact = sparsemixed.mixed("y x || _all: R.h || g:", data).fit
    assert not np.allclose(plain.log[0].information, exact.log[0].information, rtol=1e-3)
    assert len(difficult.log) == len(exact.log)
    for one, other in zip(difficult.log, exact.log, strict=True):
        np.testing.assert_allclose(one.information, other.information, rtol=1e-9)
    assert (plain.log[0].nrtolerance, difficult.log[0].nrtolerance) == (1e-7, 1e-11)


def test_without_the_newton_decrement_only_changes_count():
    model, data = "y x || g: x, cov(un)", frame(1)
    usual = sparsemixed.mixed(model, data)
    assert "nrtolerance" in usual.fit.message
    without = sparsemixed.mixed(model, data, nonrtolerance=True)
    assert "changes" in without.fit.message
    assert without.fit.iterations >= usual.fit.iterations
    assert without.llf == pytest.approx(usual.llf, rel=1e-10)
    loose = sparsemixed.mixed(model, data, nonrtolerance=True, tolerance=1, ltolerance=1)
    assert loose.converged
    assert loose.fit.iterations < usual.fit.iterations
    endless = sparsemixed.mixed(model, data, nonrtolerance=True, tolerance=0, ltolerance=0, iterate=20)
    assert (endless.converged, endless.fit.message) == (False, "iterate(20) reached")


@pytest.mark.parametrize("option", ["emonly", "technique(bfgs)", "matlog", "difficult", "nonrtolerance"])
def test_the_iterative_solver_does_without(option, monkeypatch):
    data = frame(1)
    with pytest.raises(OptionError, match=r"not available with solver\(krylov\)"):
        sparsemixed.mixed(f"y x || _all: R.h || g:, {option} solver(krylov)", data)
    monkeypatch.setattr(SOLVERS, "choose", lambda cp: "krylov")
    with pytest.raises(OptionError, match=r"solver\(krylov\), which takes its place"):
        sparsemixed.mixed(f"y x || _all: R.h || g:, {option}", data)
