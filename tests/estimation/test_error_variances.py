"""Variances of errors by level that vanish, or are only small: named, never mistaken for each other or for correlations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import NumericalError

MODELS = (
    "y x || g:, residuals(independent, by({by}))",
    "y x || g:, noconstant residuals(independent, by({by}))",
    "y ib1.{by}##c.x || g:, noconstant residuals(independent, by({by}))",
    "y x || g:, noconstant residuals(exchangeable, by({by}))",
    "y x || g:, noconstant residuals(ar 1, t(t) by({by}))",
)


def exact_where(level, n_groups=12):
    """A level in which y is a straight line."""
    rng = np.random.default_rng(1)
    n = 5 * n_groups
    data = pd.DataFrame({"g": np.arange(n) % n_groups, "t": np.arange(n) // n_groups, "x": rng.normal(size=n)})
    data["h"] = data.g % 3
    data["y"] = rng.normal(size=n_groups)[data.g] + data.x + rng.normal(size=n)
    data.loc[data.h == level, "y"] = 2 * data.x[data.h == level] + 1
    return data


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("model", MODELS[:3])
def test_a_level_that_is_fitted_exactly_is_named(model, level, reml):
    """In the status of the fit; in an error where the fixed part of a level of its own leaves no digits of anything."""
    try:
        fit = sparsemixed.mixed(model.format(by="h"), exact_where(level), reml=reml)
    except NumericalError as error:
        found = str(error)
    else:
        assert not fit.converged
        assert str(fit)
        found = fit.status
    assert f"var(e) where h is {level} goes to 0 and the likelihood is unbounded" in found
    assert "correlation" not in found


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("model", MODELS[3:])
def test_with_correlations_it_is_never_called_converged(model, level, reml):
    """There a correlation of one makes up for a variance of zero: it is named, where the search comes to it first."""
    found = ""
    try:
        fit = sparsemixed.mixed(model.format(by="h"), exact_where(level), reml=reml)
    except NumericalError as error:
        found = str(error)
    else:
        assert not fit.converged
        assert str(fit)
        found = fit.status
    assert f"where h is {level} goes to 0" in found or "a correlation of the residuals is at its limit" in found


@pytest.mark.parametrize("model", [MODELS[1], MODELS[3]])
@pytest.mark.parametrize("ratio", [1e-5, 1e5])
def test_levels_of_any_scale_are_no_limit(model, ratio):
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"g": np.repeat(np.arange(50), 4), "x": rng.normal(size=200)})
    data["h"] = data.g % 2
    data["y"] = data.x + rng.normal(size=200) * np.where(data.h == 1, ratio, 1.0)
    fit = sparsemixed.mixed(model.format(by="h"), data)
    assert fit.converged
    assert not fit.fit.boundary_names
    variances = fit.random_params[[name[1].endswith("var(e)") for name in fit.random_params.index]]
    assert variances["estimate"].iloc[1] / variances["estimate"].iloc[0] == pytest.approx(ratio**2, rel=0.5)
    # Of a variance of 100 normal observations.
    np.testing.assert_allclose(variances["std_err"] / variances["estimate"], np.sqrt(2 / 100), rtol=0.5)


def test_a_correlation_at_its_limit_is_still_found():
    """Banded errors of negative correlation beyond what any moving average has."""
    rng = np.random.default_rng(1)
    steps = np.diff(rng.normal(size=(30, 13)), axis=1)
    data = pd.DataFrame({"id": np.repeat(np.arange(30), 12), "t": np.tile(np.arange(12), 30), "y": steps.ravel()})
    data["h"] = data.id % 2
    data.loc[data.h == 1, "y"] *= 1e-4
    fit = sparsemixed.mixed("y || id:, noconstant residuals(ma 1, t(t) by(h))", data)
    assert "of the residuals is at the limit" in fit.status or "a correlation of the residuals is at its limit" in fit.status
