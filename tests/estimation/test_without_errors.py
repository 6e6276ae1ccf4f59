"""A residual variance of zero: the model without errors against dense likelihoods, unbounded likelihoods, unknown shares."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import sparsemixed
from sparsemixed.command import read_model
from sparsemixed.design import build_design
from sparsemixed.errors import BoundaryWarning, NotAvailableError, NumericalError
from sparsemixed.estimation.objectives.without_errors import ErrorFreeObjective
from sparsemixed.estimation.orthonormal import engine_terms, orthonormal_coordinates
from sparsemixed.estimation.parameters import parameters
from sparsemixed.solver.residual.patterns import pattern_batches
from tests.oracles import dense_oracle as oracle

pytestmark = pytest.mark.filterwarnings("ignore::sparsemixed.errors.BoundaryWarning")


def pairs(seed, groups=25, weights=False):
    """Two rows per group whose second row varies with the first more than independent effects and errors allow."""
    rng = np.random.default_rng(seed)
    g, t = np.repeat(np.arange(groups), 2), np.tile([0.0, 1.0], groups)
    first = rng.normal(size=groups)
    y = 1.0 + 0.5 * t + first[g] * (1 + 0.9 * t) + t * 0.5 * rng.normal(size=groups)[g]
    data = pd.DataFrame({"y": y, "g": g, "t": t, "x": rng.normal(size=g.size), "h": g // 5, "c": rng.integers(0, 4, g.size)})
    return data.assign(w=rng.uniform(0.5, 2.0, g.size) if weights else 1.0)


MODELS = {
    "independent": "y t || g: t",
    "covariate": "y t x || g: t",
    "nested": "y t || h: || g: t",
    "crossed": "y t || _all: R.c || g: t",
    "weights": "y t || g: t",
}


def error_free(command, data, reml):
    design = build_design(read_model(command, {"reml": reml}), data)
    orthogonal, layout = orthonormal_coordinates(design), parameters(design.random)
    n = len(design.y)
    rows = np.column_stack([orthogonal.Q, orthogonal.residual])
    batches = pattern_batches(engine_terms(design, layout), np.arange(n, dtype=np.int32), n, np.zeros(n), rows)
    return design, orthogonal, ErrorFreeObjective(batches, layout, orthogonal.n_obs, design.rank, reml)


def dense_covariance(design, layout, theta):
    """Z Lambda Lambda'Z'."""
    ordered = [(design.random[r].codes, design.random[r].n_groups, design.random[r].columns) for r in layout.order]
    half = oracle.random_design(ordered) @ oracle.repeated(layout.factors(theta), [n for _, n, _ in ordered])
    return half @ half.T


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("model", [m for m in MODELS if m != "weights"])
def test_deviance_and_derivatives(model, reml):
    design, orthogonal, objective = error_free(MODELS[model], pairs(0), reml)
    theta = objective.scaled(np.random.default_rng(1).uniform(0.4, 1.2, objective.n_theta))
    at = objective.evaluate(theta)
    V = at.sigma2 * dense_covariance(design, objective.parameters, theta)
    assert at.deviance + orthogonal.constant(reml) == pytest.approx(oracle.deviance(design.y, design.X, V, reml), abs=1e-8)
    assert np.trace(V) / len(V) == pytest.approx(at.sigma2)
    away = theta * 1.3 + 0.05  # where the scale has a share of the deviance, too
    derivatives, step = objective.derivatives(objective.evaluate(away)), 1e-5
    unit = step * np.eye(theta.size)
    around = [(objective.evaluate(away + u), objective.evaluate(away - u)) for u in unit]
    slopes = [(a.deviance - b.deviance) / (2 * step) for a, b in around]
    assert list(derivatives.gradient) == pytest.approx(slopes, rel=1e-6, abs=1e-5)
    bends = np.array([(objective.derivatives(a).gradient - objective.derivatives(b).gradient) / (2 * step) for a, b in around])
    profiled = derivatives.observed_information.profiled
    np.testing.assert_allclose(profiled, bends, rtol=1e-5, atol=1e-5 * np.abs(bends).max())


def test_the_slope_of_errors_is_that_of_the_dense_deviance():
    design, _, objective = error_free(MODELS["nested"], pairs(2), True)
    at = objective.evaluate(objective.scaled(np.array([0.5, 1.0, 0.8])))
    V, step = at.sigma2 * dense_covariance(design, objective.parameters, at.theta), 1e-6

    def deviance(variance):
        return oracle.deviance(design.y, design.X, V + variance * np.eye(len(V)), True)

    slope = (-3 * deviance(0.0) + 4 * deviance(step) - deviance(2 * step)) / (2 * step)
    assert objective.derivatives(at).slope_of_errors == pytest.approx(slope / np.trace(np.linalg.inv(V)), rel=1e-4)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_fits_reach_the_dense_optimum(model, reml, seed):
    """log likelihood, variances and standard errors of V = ZGZ' + diag, maximised densely from the fit and from beside it."""
    weights = {"precision_weights": "w"} if model == "weights" else {}
    fit = sparsemixed.mixed(MODELS[model], pairs(seed, weights=bool(weights)), reml=reml, **weights)
    design, own = fit.fit.design, fit.fit.variances
    assert fit.converged
    assert "var(Residual) is 0" in fit.fit.boundary_names
    assert own[-1].estimate == 0.0
    assert np.isnan(fit.random_params["std_err"].iloc[-1])
    scale = np.diag(1.0 / (design.weights.rows if design.weights is not None else np.ones(len(design.y))))
    parts = _parts(design)

    def deviance(logs, errors=0.0):
        return oracle.deviance(
            design.y, design.X, sum(np.exp(v) * d for v, d in zip(logs, parts, strict=True)) + errors * scale, reml
        )

    held = np.array([p.estimate == 0.0 for p in own[:-1]])
    x = np.array([np.log(max(p.estimate, 1e-300)) for p in own[:-1]])
    assert -0.5 * deviance(x) == pytest.approx(fit.llf, abs=1e-7)
    for start in (x[~held], x[~held] + 0.3):
        found = minimize(lambda z: deviance(_filled(x, held, z)), start, method="BFGS", options={"gtol": 1e-7})
        assert found.fun >= -2 * fit.llf - 1e-6
    assert deviance(x, 1e-6) > deviance(x) - 1e-9
    hessian = _second_differences(lambda z: 0.5 * deviance(_filled(x, held, z)), x[~held])
    wanted = np.sqrt(np.diag(np.linalg.inv(hessian))) * np.exp(x[~held])
    found = fit.random_params["std_err"].to_numpy()[:-1]
    assert list(found[~held]) == pytest.approx(wanted, rel=1e-3)
    V = sum(np.exp(v) * d for v, d in zip(x, parts, strict=True))
    assert list(fit.bse) == pytest.approx(np.sqrt(np.diag(np.linalg.inv(design.X.T @ np.linalg.solve(V, design.X)))), rel=1e-6)


def _parts(design):
    """dV / dvariance for blocks of independent effects."""
    found = []
    for term in design.random:
        for column in term.columns.T:
            half = oracle.random_design([(term.codes, term.n_groups, column[:, None])])
            found.append(half @ half.T)
    return found


def _filled(x, held, free):
    out = x.copy()
    out[~held] = free
    return out


def _second_differences(f, x, step=1e-3):
    unit, n = step * np.eye(x.size), x.size
    pairs_of = [[f(x + unit[i] + unit[j]) - f(x + unit[i] - unit[j]) for j in range(n)] for i in range(n)]
    back = [[f(x - unit[i] + unit[j]) - f(x - unit[i] - unit[j]) for j in range(n)] for i in range(n)]
    return (np.array(pairs_of) - np.array(back)) / (4 * step**2)


def test_what_is_made_of_such_a_fit(tmp_path):
    data = pairs(0)
    fit = sparsemixed.mixed(MODELS["independent"], data, reml=True, dfmethod="kroger")
    assert "var(Residual) is 0" in fit.status
    assert "Variances of zero count as known" in str(fit)
    # Without errors the random effects leave nothing over.
    assert list(fit.predict(what="fitted")) == pytest.approx(data["y"], abs=1e-8)
    assert fit.glance()["sigma"].iloc[0] == 0.0
    fit.save(tmp_path / "fit")
    again = sparsemixed.load(tmp_path / "fit")
    assert str(again) == str(fit)
    with pytest.raises(NotAvailableError, match=r"var\(Residual\) is 0"):
        sparsemixed.mixed(MODELS["independent"] + ", vce(robust)", data)
    with pytest.warns(BoundaryWarning, match=r"var\(Residual\) is 0"):
        sparsemixed.mixed(MODELS["independent"], data)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_small_residual_variances_stay(seed, reml):
    """As many effects as rows, and errors that the data ask for: the optimum is inside."""
    rng = np.random.default_rng(seed)
    data = pairs(seed).assign(
        y=lambda d: 100 * rng.normal(size=25)[d.g] + d.t * 100 * rng.normal(size=25)[d.g] + rng.normal(size=50)
    )
    fit = sparsemixed.mixed("y t || g: || x:", data.assign(x=lambda d: d.t * 100 + d.g), reml=reml)
    assert fit.converged
    design = fit.fit.design
    V = sum(p.estimate * d for p, d in zip(fit.fit.variances, [*_parts(design), np.eye(len(data))], strict=True))
    assert fit.llf == pytest.approx(-0.5 * oracle.deviance(design.y, design.X, V, reml), abs=1e-6)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("y x || g:", "of g"),
        # Those of h vanish at the limit; how far is a matter of where the search gives up.
        ("y || h: || g:", "of g( and h)?"),
        ("y x || g: t", "of g"),
        ("y x || g: t, covariance(unstructured)", "of g"),
    ],
)
def test_unbounded_likelihoods_are_called_so(model, named, reml):
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(12), 4)
    data = pd.DataFrame(
        {"g": g, "h": g // 3, "t": np.tile(np.arange(4.0), 12), "x": rng.normal(size=48), "y": rng.normal(size=12)[g]}
    )
    if ": t" in model:
        data["y"] += rng.normal(size=12)[g] * data["t"]
    with pytest.raises(NumericalError, match=rf"likelihood is unbounded: the random effects {named} fit `y` exactly"):
        sparsemixed.mixed(model, data, reml=reml)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("rows", [7, 8, 40])
def test_a_group_for_every_row(rows, reml):
    """Only the sum of both variances is known: the linear model's log likelihood, coefficients and their standard errors."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        data = pd.DataFrame(
            {"y": rng.normal(size=rows), "x": rng.normal(size=rows), "row": np.arange(rows), "g": np.arange(rows) // 4}
        )
        for inner, outer in (("y x", "y x || row:"), ("y x || g:", "y x || g: || row:")):
            plain, fit = sparsemixed.mixed(inner, data, reml=reml), sparsemixed.mixed(outer, data, reml=reml)
            assert fit.converged
            assert fit.llf == pytest.approx(plain.llf, abs=1e-6)
            assert list(fit.params) == pytest.approx(list(plain.params), abs=1e-4)
            assert list(fit.bse) == pytest.approx(list(plain.bse), rel=1e-4)
            assert fit.random_params["estimate"].iloc[-2:].sum() == pytest.approx(
                plain.random_params["estimate"].iloc[-1], rel=1e-3
            )


@pytest.mark.parametrize("seed", [1, 54, 62, 73, 79])
def test_a_fit_that_is_exact_to_rounding_is_said_to_be_so_by_reml_too(seed: int):
    """On the way to no errors the covariance of the coefficients is no longer definite to rounding."""
    rng = np.random.default_rng(seed)
    g, x = np.sort(rng.integers(0, 6, 60)), rng.integers(-3, 4, 60).astype(float)
    y = x + rng.normal(size=6)[g] * 10.0 ** -rng.integers(0, 5)
    with pytest.raises(NumericalError, match="likelihood is unbounded: the random effects of g fit `y` exactly"):
        sparsemixed.mixed("y ~ x + (1 | g)", pd.DataFrame({"y": y, "x": x, "g": g}), reml=True)
