"""Deletions with variances estimated anew: refits by command without the rows, and single Newton steps by the objective's own
derivatives on the remaining rows."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.linalg import expm

import sparsemixed
from sparsemixed.design.subset import rows_kept
from sparsemixed.estimation.problems.table import choose_problem
from sparsemixed.estimation.sources.rows import reduce_rows
from sparsemixed.postestimation.influence import one_step
from sparsemixed.postestimation.influence.remaining_rows import named_covariances, same_theta
from tests.postestimation.influence.cases import fitted

LONG = sparsemixed.datasets.simulate_longitudinal(15, 6, seed=3, unbalanced=True)
CROSSED = sparsemixed.datasets.simulate_crossed(400, 30, 12, seed=4)
COMMANDS = (
    ("y time || id: time, covariance(unstructured) reml", LONG, "id"),
    ("y time || id:, noconstant residuals(ar 1, t(time)) reml", LONG, "id"),
    ("y x || _all: R.user || item:, reml", CROSSED, "item"),
)


@pytest.mark.parametrize(("command", "data", "by"), COMMANDS)
def test_exact_deletions_are_fits_without_the_rows(command, data, by):
    fit = sparsemixed.mixed(command, data)
    found = fit.influence(by, exact=True, what=["dfbeta", "dfbetas", "cooks", "rvc"])
    information = np.linalg.inv(fit.cov_params())
    for label in found.index[::7]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rest = sparsemixed.mixed(command, data[data[by] != label])
        row, delta = found.loc[label], (fit.params - rest.params).to_numpy()
        names = list(fit.params.index)
        assert row[[f"dfbeta[{x}]" for x in names]].to_numpy() == pytest.approx(delta, rel=1e-5, abs=1e-6 * fit.bse.min())
        assert row[[f"dfbetas[{x}]" for x in names]].to_numpy() == pytest.approx(delta / rest.bse.to_numpy(), rel=1e-5, abs=1e-6)
        assert row["cooks"] == pytest.approx(delta @ information @ delta / len(names), rel=1e-5, abs=1e-9)
        changes = (rest.random_params["estimate"] / fit.random_params["estimate"] - 1).to_numpy()
        assert row[[x for x in found if x.startswith("rvc")]].to_numpy() == pytest.approx(changes, rel=1e-4, abs=1e-5)


def newton(fit, keep):
    """beta, its covariance, theta of the remaining rows' own layout and sigma2 after one step, by differences of beta(theta)."""
    design = rows_kept(fit.design, keep)
    problem = choose_problem(fit.spec, design, reduce_rows(fit.spec, design, design.residual is None))
    objective, orthogonal = problem.objective, problem.case.reduction.orthogonal
    theta, free = same_theta(fit, named_covariances(fit), objective.parameters), ~fit.boundary
    at = objective.evaluate(theta)
    derivatives = objective.derivatives(at)
    curvature = derivatives.observed_information
    step = np.zeros(theta.size)
    step[free] = -np.linalg.solve(curvature.profiled[np.ix_(free, free)], curvature.gradient[free])

    def slope(h):
        return (objective.evaluate(theta + h * step).beta - objective.evaluate(theta - h * step).beta) / (2 * h)

    h = 1e-3 / max(np.abs(step).max(), 1e-3)
    beta = at.beta + (4 * slope(h / 2) - slope(h)) / 3
    sigma2 = at.sigma2 * np.exp(-(curvature.hessian[:-1, -1] @ step) / curvature.hessian[-1, -1])
    root = np.linalg.cholesky(at.XVX_inverse)
    moved = root @ expm(-root.T @ np.tensordot(step, derivatives.fixed_slopes, axes=1) @ root) @ root.T
    half = orthogonal.root(np.linalg.cholesky(sigma2 * moved))
    return orthogonal.coefficients(beta), half @ half.T, sigma2


@pytest.mark.parametrize("seed", [0, 2, 5, 7])
@pytest.mark.parametrize("dense", [False, True])
def test_one_step_is_newtons_on_the_remaining_rows(seed, dense, monkeypatch):
    found = fitted(seed)
    assert found is not None
    fit, codes = found.fit, found.model.data.a.to_numpy()
    if dense:
        monkeypatch.setattr(one_step, "serves_groups", lambda *_: False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = fit.influence("a", "onestep")
    residual = "var(Residual)" if fit.fit.design.residual is None else None
    checked = 0
    for label in np.unique(codes)[:3]:
        row = table.loc[label]
        if row.isna().any():
            continue
        beta, covariance, sigma2 = newton(fit.fit, codes != label)
        delta, information = fit.params.to_numpy() - beta, np.linalg.inv(fit.fit.vcov_beta)
        assert row["cooks"] == pytest.approx(delta @ information @ delta / delta.size, rel=1e-6, abs=1e-10)
        assert row["covratio"] == pytest.approx(np.linalg.det(covariance @ information), rel=1e-8)
        if residual:
            assert row[f"rvc[{residual}]"] == pytest.approx(sigma2 / fit.fit.sigma2 - 1, rel=1e-8, abs=1e-10)
        checked += 1
    assert checked


def test_one_step_comes_near_the_refit():
    """Second order in what a group says: of 100 groups the step leaves little."""
    data = sparsemixed.datasets.simulate_longitudinal(100, 6, seed=3, unbalanced=True)
    fit = sparsemixed.mixed("y time || id: time, covariance(unstructured) reml", data)
    fixed, step, exact = (fit.influence("id", method, what=["cooks"]) for method in ("fixed", "onestep", "exact"))
    far = [np.abs(one - exact).to_numpy().max() for one in (fixed, step)]
    assert far[1] < 0.25 * far[0]
