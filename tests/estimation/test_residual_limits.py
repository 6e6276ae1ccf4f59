"""Errors at the limit of their family: maxima inside are found first, limits are named and have no standard errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from tests.oracles.random_models import random_model


def fit_of(seed: int):
    model = random_model(seed)
    return model, sparsemixed.mixed(model.command, model.data, **model.options)


def differences(sign: float) -> pd.DataFrame:
    """Differences or sums of neighbouring independent numbers: theta is at -1 or 1."""
    z = np.random.default_rng(7).normal(size=(25, 11))
    y = z[:, 1:] + sign * z[:, :-1]
    return pd.DataFrame({"id": np.repeat(np.arange(25), 10), "t": np.tile(np.arange(10), 25), "y": y.ravel()})


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize("method", ["mle", "reml"])
def test_a_moving_average_at_its_limit_is_named_and_has_no_standard_error(sign, method):
    fit = sparsemixed.mixed(f"y || id:, noconstant residuals(ma 1, t(t)) {method}", differences(sign))
    table = fit.random_params
    assert "limit of those that are invertible" in fit.status
    assert table.estimate.iloc[0] == pytest.approx(sign, abs=1e-2)
    assert np.isnan(table.std_err.iloc[0])
    assert table.std_err.iloc[-1] > 0


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_second_order_of_which_one_root_is_one_is_at_its_limit(sign, reml):
    """The correlations still depend on the parameter that runs off, and the search stops 1e-5 from the limit."""
    z = np.random.default_rng(5).normal(size=(25, 12))
    y = z[:, 2:] + sign * 0.4 * z[:, 1:-1] - 0.6 * z[:, :-2]
    d = pd.DataFrame({"id": np.repeat(np.arange(25), 10), "t": np.tile(np.arange(10), 25), "y": y.ravel()})
    fit = sparsemixed.mixed("y || id:, noconstant residuals(ma 2, t(t))", d, reml=reml)
    theta = fit.random_params.estimate.to_numpy()[:2]
    assert fit.converged
    assert "limit of those that are invertible" in fit.status
    assert 1.0 + sign * -theta[0] + theta[1] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("seed", [1066, 1208])
def test_a_search_that_stops_short_of_a_limit_is_taken_there(seed):
    """Standard errors were computed at a place that only the tolerances had chosen."""
    _, fit = fit_of(seed)
    assert "limit of those that are invertible" in fit.status
    table = fit.random_params.loc["Residual: MA(2)"]
    assert abs(table.estimate["theta1"]) - table.estimate["theta2"] == pytest.approx(1.0, abs=1e-9)
    assert table.std_err["theta1"] == pytest.approx(table.std_err["theta2"], rel=1e-6)


def test_a_second_order_at_the_border_loses_the_standard_error_of_its_last_coefficient_alone():
    _, fit = fit_of(26)
    assert np.isfinite(fit.random_params.std_err).tolist() == [True, False, True]


def test_each_level_of_by_starts_at_its_own_place():
    """A start for both levels at once ended 6.9 lower."""
    model, fit = fit_of(42)
    assert fit.converged
    assert fit.llf == pytest.approx(-53.18168, abs=1e-4)
    assert fit.llf == pytest.approx(model.llf(fit.random_params.estimate.to_numpy()), abs=1e-6)


def test_a_likelihood_without_maximum_is_called_unbounded():
    """23 rows and ten covariance parameters."""
    _, fit = fit_of(34)
    assert not fit.converged
    assert "unbounded" in fit.status


@pytest.mark.parametrize("errors", ["ma 1", "toeplitz 1"])
def test_a_parameter_that_no_lag_sees_is_named(errors):
    d = sparsemixed.datasets.simulate_longitudinal(30, 6, seed=1)
    fit = sparsemixed.mixed(f"y time || id:, residuals({errors}, t(t))", d.assign(t=2 * d.time))
    plain = sparsemixed.mixed("y time || id:", d)
    assert "no observed lag depends on it" in fit.status
    assert fit.llf == pytest.approx(plain.llf, abs=1e-7)
    assert np.isnan(fit.random_params.std_err.iloc[1])
