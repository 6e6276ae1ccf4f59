"""Errors by level in units of any of their variances: the same matrices, and the same fit whichever level comes first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.structures.residual_errors.autoregressive import Autoregressive
from sparsemixed.structures.residual_errors.banded import BandedErrors
from sparsemixed.structures.residual_errors.by_level import ByLevel
from sparsemixed.structures.residual_errors.independent import IndependentErrors
from sparsemixed.structures.residual_errors.unstructured import UnstructuredErrors

LEVELS = ("a", "b", "c")
TIMES = np.arange(3.0)
FAMILIES = [
    (IndependentErrors(LEVELS), TIMES),
    (UnstructuredErrors(LEVELS), TIMES),
    (BandedErrors(LEVELS, 1), TIMES),
    (
        ByLevel((Autoregressive(1), Autoregressive(2), Autoregressive(1)), LEVELS),
        np.column_stack([np.arange(6.0), np.arange(6) // 2]),
    ),
]


@pytest.mark.parametrize("unit", range(3))
@pytest.mark.parametrize(("structure", "t"), FAMILIES)
def test_another_unit_is_a_change_of_scale(structure, t, unit):
    rho = np.random.default_rng(unit).normal(size=structure.n_rho)
    other, moved = structure.with_unit(unit, rho)
    scale = structure.scales(rho)[unit]
    assert other.scales(moved)[unit] == 0.0
    np.testing.assert_allclose(other.scales(moved), structure.scales(rho) - scale)
    np.testing.assert_allclose(np.exp(2.0 * scale) * other.covariance(moved, t), structure.covariance(rho, t), atol=1e-13)
    np.testing.assert_allclose(other.with_unit(0, moved)[1], rho)
    relative = [p.kind in ("variance", "covariance") for p in structure.display(rho)]
    for before, after, scaled in zip(structure.display(rho), other.display(moved), relative, strict=True):
        assert (before.key, before.label, before.level_label) == (after.key, after.label, after.level_label)
        assert after.value * (np.exp(2.0 * scale) if scaled else 1.0) == pytest.approx(before.value)


@pytest.mark.parametrize("unit", range(3))
@pytest.mark.parametrize(("structure", "t"), FAMILIES)
def test_derivatives_in_any_unit(structure, t, unit):
    rng = np.random.default_rng(unit)
    other, rho = structure.with_unit(unit, rng.normal(size=structure.n_rho))
    weights = rng.normal(size=(len(t), len(t)))
    second = other.second(rho, t, weights + weights.T)
    for k, move in enumerate(np.eye(rho.size)):
        change = other.covariance(rho + 1e-100j * move, t).imag / 1e-100
        np.testing.assert_allclose(other.dcovariance(rho, t)[k], change, atol=1e-12)
        moved = other.dcovariance(rho + 1e-100j * move, t).imag / 1e-100
        np.testing.assert_allclose(second[k], np.tensordot(moved, weights + weights.T, axes=2), atol=1e-9)
        shown = [[p.value for p in other.display(rho + step * move)] for step in (1e-6, -1e-6)]
        gradient = [p.gradient[k] for p in other.display(rho)]
        np.testing.assert_allclose(gradient, (np.array(shown[0]) - shown[1]) / 2e-6, atol=1e-7)


def explained(level: int, last_first: bool = False, seed: int = 1) -> pd.DataFrame:
    """Random intercepts, and times of which one has no errors."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"g": np.repeat(np.arange(20), 4), "t": np.tile(np.arange(4), 20), "x": rng.normal(size=80)})
    errors = np.where(data.t == level, 1e-9, 1.0) * rng.normal(size=80)
    data["y"] = 1.0 + data.x + 1.5 * rng.normal(size=20)[data.g] + errors
    data["h"] = 3 - data.t if last_first else data.t
    return data


@pytest.mark.filterwarnings("ignore::sparsemixed.errors.BoundaryWarning")
@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("level", [0, 2])
@pytest.mark.parametrize("errors", ["independent, by(h)", "banded 0, t(h)"])
def test_a_variance_of_zero_at_a_finite_likelihood_is_named_whichever_level_it_is(errors, level, reml):
    """Random effects explain all of its rows: V keeps its inverse, and all other standard errors are known."""
    fit, turned = (
        sparsemixed.mixed(f"y x || g:, residuals({errors})", explained(level, last_first), reml=reml)
        for last_first in (False, True)
    )
    for one, which in ((fit, level), (turned, 3 - level)):
        name = f"var(e) where h is {which}" if errors.startswith("ind") else f"var(e{which})"
        assert one.converged
        assert one.fit.boundary_names == (f"{name} is 0",)
        assert one.random_params.std_err.isna().to_numpy().nonzero()[0].tolist() == [1 + which]
        assert one.random_params.estimate.iloc[1 + which] < 1e-12
    assert turned.llf == pytest.approx(fit.llf, abs=1e-7)
    for column in ("estimate", "std_err"):
        there, here = turned.random_params[column].to_numpy(), fit.random_params[column].to_numpy()
        np.testing.assert_allclose(there, here[[0, 4, 3, 2, 1]], rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(turned.bse, fit.bse, rtol=1e-6)


@pytest.mark.filterwarnings("ignore::sparsemixed.errors.BoundaryWarning")
def test_the_likelihood_beside_a_variance_of_zero_is_that_of_dense_algebra():
    data = explained(0)
    fit = sparsemixed.mixed("y x || g:, residuals(independent, by(h))", data)
    intercept, *errors = fit.random_params.estimate
    Z, X = (data.g.to_numpy()[:, None] == np.arange(20)).astype(float), np.column_stack([data.x, np.ones(80)])
    V = intercept * Z @ Z.T + np.diag(np.array(errors)[data.h])
    inverse = np.linalg.inv(V)
    e = data.y - X @ np.linalg.solve(X.T @ inverse @ X, X.T @ inverse @ data.y)
    llf = -0.5 * (np.linalg.slogdet(V)[1] + e @ inverse @ e + 80 * np.log(2 * np.pi))
    assert fit.llf == pytest.approx(llf, abs=1e-6)


def test_a_fit_in_another_unit_is_saved_and_predicts(tmp_path):
    data = explained(0)
    with pytest.warns(sparsemixed.errors.BoundaryWarning):
        fit = sparsemixed.mixed("y x || g:, residuals(independent, by(h))", data)
    assert fit.fit.design.residual.structure.unit != 0
    fit.save(tmp_path / "fit")
    loaded = sparsemixed.load(tmp_path / "fit")
    assert loaded.fit.design.residual.structure.unit == fit.fit.design.residual.structure.unit
    assert str(loaded) == str(fit)
    np.testing.assert_allclose(loaded.predict(data, "fitted"), fit.predict(data, "fitted"))
    assert (fit.predict(data, "fitted") - data.y)[data.h == 0].abs().max() < 1e-4
