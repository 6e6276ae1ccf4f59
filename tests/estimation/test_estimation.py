"""The optimiser: certified optima, boundaries by name, honest failures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize as scipy_minimize

import sparsemixed
from sparsemixed.estimation.objectives.expectation_step import em_step
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.search.values import Plan
from sparsemixed.estimation.start.moments import mivque_start
from sparsemixed.spec import EstimationOptions
from tests.oracles import dense_oracle as oracle
from tests.oracles.engine_cases import SHAPES, make_objective, make_terms


def objective_for(shape, reml, n=120):
    rng = np.random.default_rng(5)
    terms = make_terms(rng, n, shape)
    X = np.column_stack([np.ones(n), rng.normal(size=n)])
    y = rng.normal(size=n) + 1.5 * rng.normal(size=30)[terms[0].codes]
    return make_objective(terms, X, y, reml)[0]


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_both_hessians_reach_the_optimum_of_a_derivative_free_search(shape, reml):
    objective = objective_for(shape, reml)
    start = objective.evaluate(objective.parameters.nearest(mivque_start(objective.cp).covariances))
    ends = [minimize(objective, start, Plan(EstimationOptions(), exact), lambda d: -0.5 * d) for exact in (False, True)]
    assert all(end.converged for end in ends)
    deviances = [end.evaluation.deviance for end in ends]
    # The average information stops at a Newton decrement of 1e-7.
    assert deviances[0] == pytest.approx(deviances[1], abs=5e-7)
    search = scipy_minimize(
        lambda t: objective.evaluate(t).deviance, start.theta, method="Powell", options={"xtol": 1e-5, "ftol": 1e-10}
    )
    assert deviances[0] <= search.fun + 1e-6


def test_the_exact_hessian_takes_over_when_patience_is_at_its_end():
    objective = objective_for("crossed vectors", True)
    start = objective.evaluate(objective.parameters.nearest(mivque_start(objective.cp).covariances))
    for patience, exact in ((None, False), (100, False), (1, True)):
        end = minimize(objective, start, Plan(EstimationOptions(), False, patience), lambda d: -0.5 * d)
        assert end.converged
        assert np.array_equal(end.model.hessian, end.derivatives.observed_information.profiled) == exact


@pytest.mark.parametrize("shape", SHAPES)
def test_em_never_lowers_the_likelihood(shape):
    objective = objective_for(shape, True)
    at = objective.evaluate(np.linspace(0.4, 1.1, objective.parameters.n_theta))
    for _ in range(4):
        after = objective.evaluate(em_step(objective, objective.derivatives(at)))
        assert after.deviance <= at.deviance + 1e-9
        at = after


def test_mivque_is_unbiased_on_average():
    """Over many simulated responses the MIVQUE(0) variances average to the truth."""
    rng = np.random.default_rng(2)
    n, J = 400, 40
    codes, other = rng.integers(0, J, n), rng.integers(0, 25, n)
    model = make_terms(rng, n, "intercept")[0]
    terms = [
        replace(model, codes=group.astype(np.int32), n_groups=size, columns=np.ones((n, 1)))
        for group, size in ((codes, J), (other, 25))
    ]
    ratios = []
    for _ in range(60):
        y = rng.normal(size=n) + 1.2 * rng.normal(size=J)[codes] + 0.8 * rng.normal(size=25)[other]
        objective, _ = make_objective(terms, np.ones((n, 1)), y, True)
        ratios.append([float(m[0, 0]) for m in mivque_start(objective.cp).covariances])
    np.testing.assert_allclose(np.mean(ratios, axis=0), [1.44, 0.64], rtol=0.2)


def test_perfect_correlation_is_named():
    rng = np.random.default_rng(0)
    g = np.repeat(np.arange(6), 10)
    x = np.tile(np.arange(10.0), 6)
    b = rng.normal(size=6)
    data = pd.DataFrame({"g": g, "x": x, "y": 3 * b[g] + 0.6 * b[g] * x + 0.1 * rng.normal(size=60)})
    data["y"] += x
    fit = sparsemixed.mixed("y x || g: x, cov(un)", data)
    fixed = sparsemixed.mixed("y x || g: x, cov(un) stddev", data)
    assert fit.llf == fixed.llf
    if "linear combination" in fit.status:
        assert fit.random_params["std_err"].iloc[:3].isna().all()
    assert np.isfinite(fit.random_params["std_err"].iloc[-1])


def test_iteration_limit_is_reported_not_hidden():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(np.arange(20), 5), "x": rng.normal(size=100)})
    data["y"] = rng.normal(size=20)[data["g"]] * (1 + data["x"]) + rng.normal(size=100)
    fit = sparsemixed.mixed("y x || g: x, cov(un)", data, iterate=0, emiterate=0)
    assert not fit.converged
    assert "iterate(0)" in fit.status
    assert fit.e["converged"] == 0


def test_refitting_leaves_an_earlier_result_alone():
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"g": np.repeat(np.arange(10), 6), "y": rng.normal(size=60)})
    data["y"] += rng.normal(size=10)[data["g"]]
    first = sparsemixed.mixed("y || g:", data)
    before = (first.llf, first.params.copy(), first.random_params.copy())
    data["y"] *= 2
    sparsemixed.mixed("y || g:", data)
    assert first.llf == before[0]
    pd.testing.assert_series_equal(first.params, before[1])
    pd.testing.assert_frame_equal(first.random_params, before[2])


@pytest.mark.parametrize("reml", [False, True])
def test_standard_errors_from_dense_information(reml):
    """Observed information of (theta, log sigma2), beta profiled out, by V-space formulas; then the delta method."""
    rng = np.random.default_rng(11)
    n, J = 90, 12
    g = rng.integers(0, J, n)
    x = rng.normal(size=n)
    y = 1 + x + 1.3 * rng.normal(size=J)[g] + 0.7 * rng.normal(size=J)[g] * x + rng.normal(size=n)
    fit = sparsemixed.mixed("y x || g: x, cov(un)", pd.DataFrame({"y": y, "x": x, "g": g}), reml=reml)
    var_x, var_c, cov, residual = fit.random_params["estimate"]
    Z0, Z1 = np.eye(J)[g], np.eye(J)[g] * x[:, None]
    parts = [Z1 @ Z1.T, Z0 @ Z0.T, Z0 @ Z1.T + Z1 @ Z0.T, np.eye(n)]
    V = sum(v * p for v, p in zip((var_x, var_c, cov, residual), parts, strict=True))
    X = np.column_stack([x, np.ones(n)])
    zero = [[np.zeros((n, n))] * 4] * 4
    information = 0.5 * oracle.hessian(y, X, V, parts, zero, reml)
    np.testing.assert_allclose(oracle.gradient(y, X, V, parts, reml), 0.0, atol=2e-4)
    np.testing.assert_allclose(fit.random_params["std_err"], np.sqrt(np.diag(np.linalg.inv(information))), rtol=1e-5)


def test_precision_with_a_large_mean():
    """A response near 1e8 keeps its variance components: cross-products are of the residual, not of y."""
    rng = np.random.default_rng(6)
    g = np.repeat(np.arange(15), 8)
    noise = rng.normal(size=15)[g] + rng.normal(size=120)
    small = sparsemixed.mixed("y || g:", pd.DataFrame({"g": g, "y": noise}))
    large = sparsemixed.mixed("y || g:", pd.DataFrame({"g": g, "y": 1e8 + noise}))
    np.testing.assert_allclose(large.random_params["estimate"], small.random_params["estimate"], rtol=1e-6)


def test_mle_is_the_default_and_not_reml():
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"g": np.repeat(np.arange(10), 6), "y": rng.normal(size=60)})
    data["y"] += rng.normal(size=10)[data["g"]]
    plain, ml, reml = (sparsemixed.mixed(f"y || g:, {option}", data) for option in ("", "mle", "reml"))
    assert plain.llf == ml.llf
    assert reml.llf != ml.llf
    # Balanced data: REML divides the sum of squares between groups by one less.
    between = [(fit.random_params["estimate"] * [6, 1]).sum() for fit in (ml, reml)]
    assert between[1] == pytest.approx(between[0] * 10 / 9, rel=1e-5)


def test_collinear_keeps_columns_that_a_structure_tells_apart():
    """All indicators and the constant, with one variance: V = s (ZZ' + 11'), as with a common covariance of the indicators."""
    rng = np.random.default_rng(9)
    data = pd.DataFrame({"g": np.repeat(np.arange(40), 6), "a": np.tile([1, 2, 3], 80)})
    data["y"] = rng.normal(size=240) + rng.normal(size=40)[data["g"]] + rng.normal(size=(40, 4))[data["g"], data["a"]]
    for level in (1, 2, 3):
        data[f"a{level}"] = (data["a"] == level).astype(float)
    kept = sparsemixed.mixed("y || g: a1 a2 a3, covariance(identity) collinear", data)
    dropped = sparsemixed.mixed("y || g: a1 a2 a3, covariance(identity)", data)
    assert kept.fit.design.random[0].k == 4
    assert kept.fit.design.notes == ()
    assert dropped.fit.design.random[0].k == 3
    assert "collinearity" in dropped.fit.design.notes[0]
    common, residual = kept.random_params["estimate"]
    Z = np.column_stack([data[["a1", "a2", "a3"]], np.ones(240)])
    same = data["g"].to_numpy()[:, None] == data["g"].to_numpy()
    V = residual * np.eye(240) + common * np.where(same, Z @ Z.T, 0.0)
    e = data["y"] - kept.params["_cons"]
    dense = -0.5 * (240 * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + e @ np.linalg.solve(V, e))
    assert kept.llf == pytest.approx(dense, rel=1e-10)


@pytest.mark.parametrize(("residuals", "solver"), [("", "auto"), ("", "krylov"), (" residuals(ar 1, t(visit))", "auto")])
def test_independent_effects_keep_their_standard_errors_beside_a_zero(residuals, solver):
    """They are those of the model without the effect whose variance is zero."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"g": np.repeat(np.arange(40), 10), "visit": np.tile(np.arange(10), 40), "h": rng.integers(0, 9, 400)})
    data["x"] = rng.normal(size=400)
    data["y"] = rng.normal(size=40)[data["g"]] + 0.5 * rng.normal(size=9)[data["h"]] + rng.normal(size=400)
    slope = data.groupby("g")[["x", "y"]].apply(lambda d: np.cov(d["x"], d["y"])[0, 1] / d["x"].var())
    data["y"] -= 0.9 * data["g"].map(slope) * (data["x"] - data.groupby("g")["x"].transform("mean"))
    other = "" if residuals else "_all: R.h || "
    options = f",{residuals} solver({solver})" if residuals or solver != "auto" else ""
    fit = sparsemixed.mixed(f"y x || {other}g: x{options}", data)
    without = sparsemixed.mixed(f"y x || {other}g:{options}", data)
    assert fit.fit.boundary_names == ("var(x) of g is 0",)
    kept = fit.random_params.drop(index=("g: Independent", "var(x)"))
    assert kept["std_err"].notna().all()
    np.testing.assert_allclose(kept.to_numpy(), without.random_params.to_numpy(), rtol=1e-4)
    both = [sparsemixed.mixed(f"y x || {other}g:{slope}{options or ','} reml", data) for slope in (" x", "")]
    if solver == "auto":
        degrees = [one.estat.df(["satterthwaite", "kroger"], information="oim") for one in both]
        np.testing.assert_allclose(degrees[0], degrees[1], rtol=1e-4)
