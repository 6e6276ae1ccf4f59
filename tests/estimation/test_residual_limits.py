"""Errors at the limit of their family: maxima inside are found first, limits are named and have no standard errors."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.problems.table import problem_of
from sparsemixed.structures.residual_errors.banded import BandedErrors
from sparsemixed.structures.residual_errors.by_level import ByLevel
from tests.oracles.random_models import random_model
from tests.postestimation.margins.random_margins import dense_covariance, random_case


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


@pytest.mark.parametrize("seed", [1089, 1158])
def test_a_first_coefficient_that_vanishes_at_the_border_is_at_the_limit_too(seed):
    """theta1 = phi1 (1 + theta2) has no derivative by phi1 where theta2 is -1; the other parameters keep theirs."""
    fit = fit_of(seed)[1]
    table = fit.random_params
    assert "limit of those that are invertible" in fit.status
    assert "not positive definite" not in fit.status
    assert table.estimate.iloc[-2] == pytest.approx(-1.0)
    assert np.isnan(table.std_err.iloc[-3:-1]).all()
    assert table.std_err.iloc[0] > 0
    assert table.std_err.iloc[-1] > 0


def test_beside_an_error_that_others_determine_the_other_parameters_keep_their_standard_errors():
    """e1 is a multiple of e0: its covariance with e2 vanishes, and entries of the factor below it were redundant."""
    model, fit = fit_of(2338)
    table = fit.random_params.loc["Residual: Banded(1)"]
    assert fit.converged
    assert "a correlation of the residuals is at its limit" in fit.status
    assert "not positive definite" not in fit.status
    assert table.estimate["cov(e1,e2)"] == 0.0
    assert np.isnan(table.std_err).tolist() == [label == "cov(e1,e2)" for label in table.index]
    assert fit.llf == pytest.approx(model.llf(fit.random_params.estimate.to_numpy()), abs=1e-7)
    free = table.estimate[["var(e0)", "cov(e0,e1)", "var(e2)", "var(e3)", "cov(e2,e3)"]].to_numpy()

    def llf(free: np.ndarray) -> float:
        """Errors of which e1 is a multiple of e0; the effects' factor, over the first error's, is held on its boundary."""
        v0, c01, v2, v3, c23 = free
        effects = fit.random_params.estimate.to_numpy()[:2] * v0 / table.estimate["var(e0)"]
        return model.llf(np.append(effects, [v0, c01**2 / v0, v2, v3, c01, 0.0, c23]))

    right = np.sqrt(np.diag(np.linalg.inv(-second_differences(llf, free, 1e-4 * np.abs(free)))))
    found = table.std_err[["var(e0)", "cov(e0,e1)", "var(e2)", "var(e3)", "cov(e2,e3)"]]
    np.testing.assert_allclose(found, right, rtol=1e-3)


def second_differences(value, at: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Second derivatives (k, k) by central differences."""
    moves = np.diag(step)
    four = [[[value(at + a * u + b * w) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))] for w in moves] for u in moves]
    return np.array(four) @ [1.0, -1.0, -1.0, 1.0] / (4.0 * np.outer(step, step))


@pytest.mark.parametrize("band", [1, 2, 3])
@pytest.mark.parametrize("by", [False, True])
def test_a_factor_without_redundant_entries_has_the_same_product(band, by):
    """Entries below a zero of its diagonal go to those on their right; without such a zero nothing changes."""
    one = BandedErrors(("0", "1", "2", "3"), band)
    errors = ByLevel((one, one), ("a", "b")) if by else one
    t = np.arange(4.0)
    t = np.column_stack([t, np.ones(4)]) if by else t
    rng = np.random.default_rng(band)
    for _ in range(20):
        rho = 0.7 * rng.normal(size=errors.n_rho)
        assert errors.at_limit(rho, 1e-3) is rho
        where = (one.n_rho + 1 if by else 0) + int(rng.integers(3))
        rho[where] = -30.0
        limit = errors.at_limit(rho, 1e-3)
        np.testing.assert_allclose(errors.covariance(limit, t), errors.covariance(rho, t), atol=1e-12)
        np.testing.assert_allclose(errors.at_limit(limit, 1e-3), limit, atol=1e-12)
        level = errors.structures[1] if by else errors
        lower = level._lower(limit[one.n_rho + 1 :] if by else limit)
        zero = int(np.argmin(np.diag(lower)))
        assert not lower[zero + 1 :, zero].any()


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


def even_times(n_groups: int = 60, times: tuple[int, ...] = (0, 2, 4, 6), seed: int = 1) -> pd.DataFrame:
    """Second-order moving averages, seen at some times only."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n_groups):
        u = rng.normal(size=times[-1] + 3)
        e = u[2:] + 0.3 * u[1:-1] + 0.5 * u[:-2]
        rows += [(i, t, e[t], rng.normal()) for t in times]
    return pd.DataFrame(rows, columns=["id", "t", "y", "x"])


@pytest.mark.parametrize("method", ["mle", "reml"])
@pytest.mark.parametrize(
    ("errors", "same", "unknown"),
    [
        ("ma 2", "ma 1", {"theta1"}),
        ("ma 3", "ma 1", {"theta1", "theta3"}),
        ("toeplitz 2", "toeplitz 1", {"rho1"}),
        ("toeplitz 3", "toeplitz 1", {"rho1", "rho3"}),
    ],
)
def test_lags_that_never_occur_are_no_limit(errors, same, unknown, method):
    """Every second lag of four times: what moves the others alone is named as not identified; the rest is as in half the time."""
    data = even_times()
    fit = sparsemixed.mixed(f"y x || id:, noconstant residuals({errors}, t(t)) {method}", data)
    half = sparsemixed.mixed(f"y x || id:, noconstant residuals({same}, t(t)) {method}", data.assign(t=data.t // 2))
    assert fit.converged
    assert fit.llf == pytest.approx(half.llf, abs=1e-6)
    assert not any(words in fit.status for words in ("its limit", "limit of"))
    assert {p.label for p in fit.fit.variances if not p.identified} >= unknown
    assert "var(e)" not in {p.label for p in fit.fit.variances if not p.identified}
    assert all(np.isnan(fit.random_params.std_err.iloc[[int(name[-1]) - 1 for name in unknown]]))
    np.testing.assert_allclose(fit.random_params.std_err.iloc[-1], half.random_params.std_err.iloc[-1], rtol=1e-4)
    np.testing.assert_allclose(fit.bse, half.bse, rtol=1e-6)


@pytest.mark.parametrize("method", ["mle", "reml"])
@pytest.mark.parametrize("errors", ["unstructured", "banded 2"])
def test_pairs_of_times_that_never_occur(errors, method):
    """Times 0 and 2 in some groups, 1 and 3 in the others: four covariances of six have no rows."""
    data = even_times(60, (0, 1, 2, 3))
    data = data[(data.t % 2) == (data.id % 2)]
    fit = sparsemixed.mixed(f"y x || id:, noconstant residuals({errors}, t(t)) {method}", data)
    assert fit.converged
    named = {p.label for p in fit.fit.variances if not p.identified}
    assert named == {"cov(e0,e1)", "cov(e1,e2)", "cov(e2,e3)"} | ({"cov(e0,e3)"} if errors == "unstructured" else set())
    shown = fit.random_params
    parts = [
        sparsemixed.mixed(f"y || id:, noconstant residuals(unstructured, t(t)) {method}", data[data.id % 2 == k]).random_params
        for k in (0, 1)
    ]
    assert np.isfinite(shown.std_err[[p.identified for p in fit.fit.variances]]).all()
    assert len(parts[0]) == len(parts[1]) == 3


@pytest.mark.parametrize("method", ["mle", "reml"])
def test_one_lag_between_two_orders(method):
    """AR(2) where lags 2 and 4 alone occur is known but for a sign; no limit is reached."""
    data = even_times(60)
    fit = sparsemixed.mixed(f"y x || id:, noconstant residuals(ar 2, t(t)) {method}", data)
    assert fit.converged
    assert not any(words in fit.status for words in ("its limit", "limit of"))


@pytest.mark.parametrize("method", ["mle", "reml"])
@pytest.mark.parametrize("errors", ["exponential, t(t)", "exchangeable"])
@pytest.mark.parametrize("by", ["", " by(arm)"])
def test_groups_of_one_row_have_no_lags(errors, method, by):
    """The correlation is not identified; the fit is that of independent errors, and converges."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"id": np.arange(50), "t": rng.uniform(size=50), "x": rng.normal(size=50), "arm": np.arange(50) % 2})
    data["y"] = data.x + rng.normal(size=50) * (1 + data.arm)
    option = errors + (by if "," in errors or not by else f",{by}")
    fit = sparsemixed.mixed(f"y x || id:, noconstant residuals({option}) {method}", data)
    plain = sparsemixed.mixed(f"y x || id:, noconstant residuals(independent{',' + by if by else ''}) {method}", data)
    assert fit.converged
    assert fit.llf == pytest.approx(plain.llf, abs=1e-7)
    unknown = [p for p in fit.fit.variances if not p.identified]
    assert {p.kind for p in unknown} <= {"decay", "covariance", "correlation"}
    assert len(unknown) == (2 if by else 1)
    assert not any(words in fit.status for words in ("its limit", "limit of"))
    np.testing.assert_allclose(fit.bse, plain.bse, rtol=1e-6)
    variances = [p.kind == "variance" for p in fit.fit.variances]
    np.testing.assert_allclose(fit.random_params.std_err[variances], plain.random_params.std_err, rtol=1e-4)


def test_one_row_per_group_beside_an_intercept():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"id": np.arange(50), "t": rng.uniform(size=50), "y": rng.normal(size=50)})
    fit = sparsemixed.mixed("y || id:, residuals(exponential, t(t)) reml", data)
    assert fit.converged
    assert sum(not p.identified for p in fit.fit.variances) == 3


def test_log_likelihoods_keep_their_digits_beside_a_limit_where_inverses_are_summed():
    """Weights of groups go by sums with inv(R), which has no digits left where errors determine one another."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        case = random_case(69, ml=True)
    assert case is not None
    fit, weight = case.fit.fit, case.weight
    assert fit.design.weights is not None
    codes, residual = fit.design.residual.codes, fit.design.y - fit.design.X @ fit.beta
    V, llf = dense_covariance(fit, np.arange(len(codes))), 0.0
    for group in range(codes.max() + 1):
        rows = np.flatnonzero(codes == group)
        own, e = V[np.ix_(rows, rows)], residual[rows]
        llf -= 0.5 * weight[rows[0]] * (len(rows) * np.log(2 * np.pi) + np.linalg.slogdet(own)[1] + e @ np.linalg.solve(own, e))
    assert fit.llf == pytest.approx(llf, abs=1e-6)
    objective, theta = problem_of(fit, "precision").objective, fit.theta.copy()
    theta[3] = -16.0
    with pytest.raises(NumericalError, match="determine one another"):
        objective.evaluate(theta)
