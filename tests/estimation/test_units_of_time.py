"""rho^gap in any unit of time: the same model has the same likelihood and standard errors, and large gaps cost nothing."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.structures.residual_errors import autoregressive
from sparsemixed.structures.residual_errors.autoregressive import Autoregressive, autocorrelations_with_gradient
from sparsemixed.structures.residual_errors.exponential import Exponential
from sparsemixed.structures.residual_errors.lag_powers import autocorrelations_far_out, coordinates_of_roots, departure


def visits(seed: int = 3, groups: int = 40, rho: float = 0.55, intercept: float = 1.0) -> pd.DataFrame:
    """Errors of AR(1) at six visits, one in seven of them missed, beside a random intercept of every pair of groups."""
    rng = np.random.default_rng(seed)
    rows = []
    for g in range(groups):
        e = rng.normal()
        for k in range(6):
            e = rho * e + np.sqrt(1 - rho**2) * rng.normal() if k else e
            if (g + 3 * k) % 7:
                rows.append((g, g // 2, g % 2, k, 1.0 + 0.3 * k + e))
    d = pd.DataFrame(rows, columns=["id", "site", "arm", "visit", "y"])
    d["y"] += intercept * rng.normal(size=groups)[d.site]
    return d


MODELS = [
    "y visit || id:, noconstant residuals({}, t(t))",
    "y visit || id:, noconstant residuals({}, t(t)) reml",
    "y visit || site: || id:, noconstant residuals({}, t(t) by(arm)) reml",
    "y visit || _all: R.arm || site: || id:, noconstant residuals({}, t(t))",
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("errors", ["ar 1", "exponential"])
def test_a_unit_of_time_changes_neither_likelihood_nor_standard_errors(model, errors):
    d = visits()
    fits = {
        unit: sparsemixed.mixed(model.format(errors), d.assign(t=unit * d.visit))
        for unit in ((1, 3, 28, 365, 86_400) if errors == "ar 1" else (1.0, 0.01, 0.37, 3600.0, 1e9))
    }
    one = fits[1]
    assert one.converged
    for unit, fit in fits.items():
        assert fit.converged
        assert not any("limit" in name for name in fit.fit.boundary_names)
        assert fit.llf == pytest.approx(one.llf, rel=1e-8, abs=1e-8)
        np.testing.assert_allclose(fit.params, one.params, rtol=1e-4)
        np.testing.assert_allclose(fit.bse, one.bse, rtol=1e-4)
        check_parameters(fit.random_params, one.random_params, unit)


def check_parameters(now: pd.DataFrame, then: pd.DataFrame, unit: float) -> None:
    """The logarithm of rho per unit is that of the visits over the unit, its standard error by the delta method; others stay."""
    for label, a, b in zip(then.index, now.itertuples(), then.itertuples(), strict=True):
        if "rho" in label[1]:
            assert np.log(a.estimate) * unit == pytest.approx(np.log(b.estimate), rel=1e-4, abs=1e-6)
            assert a.std_err / a.estimate * unit == pytest.approx(b.std_err / b.estimate, rel=1e-3)
        else:
            assert a.estimate == pytest.approx(b.estimate, rel=1e-4, abs=1e-6)
            assert a.std_err == pytest.approx(b.std_err, rel=1e-3, abs=1e-6, nan_ok=True)


def test_formulas_too():
    d = visits()
    values = [
        sparsemixed.mixed("y ~ visit + (1 | id)", d.assign(t=unit * d.visit), residuals="ar 1, t(t)", reml=True).llf
        for unit in (1, 30)
    ]
    assert values[1] == pytest.approx(values[0], abs=1e-7)


def test_a_negative_correlation_is_found_at_any_odd_unit():
    d = visits(rho=-0.6, intercept=0.0)
    fits = [
        sparsemixed.mixed("y visit || id:, noconstant residuals(ar 1, t(t))", d.assign(t=unit * d.visit)) for unit in (1, 3, 365)
    ]
    rho = [fit.random_params.estimate.iloc[0] for fit in fits]
    assert all(r < 0 for r in rho)
    np.testing.assert_allclose([fit.llf for fit in fits], fits[0].llf, atol=1e-7)
    np.testing.assert_allclose(np.abs(rho[1:]) ** [3, 365], -rho[0], rtol=1e-4)


def test_at_an_even_unit_a_negative_correlation_is_at_its_limit_of_zero():
    d = visits(rho=-0.6, intercept=0.0)
    fit = sparsemixed.mixed("y visit || id:, noconstant residuals(ar 1, t(t))", d.assign(t=2 * d.visit))
    assert any("limit" in name for name in fit.fit.boundary_names)
    assert np.isnan(fit.random_params.std_err.iloc[0])
    assert fit.llf >= sparsemixed.mixed("y visit", d).llf - 1e-6


@pytest.mark.parametrize("order", [1, 2])
def test_irregular_gaps_far_apart_find_the_maximum(order):
    """Visits in seconds, a few seconds early or late: no common divisor, and rho within 1e-5 of one."""
    d = visits()
    rng = np.random.default_rng(0)
    late = rng.integers(-5, 6, len(d))
    far = sparsemixed.mixed(f"y visit || id:, noconstant residuals(ar {order}, t(t))", d.assign(t=86_400 * d.visit + late))
    near = sparsemixed.mixed("y visit || id:, noconstant residuals(exponential, t(t))", d.assign(t=d.visit + late / 86_400))
    assert far.converged
    if order == 1:
        assert far.llf == pytest.approx(near.llf, abs=1e-6)
    else:
        assert far.llf >= near.llf - 1e-6


@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_far_lags_agree_with_the_recursion(p):
    rho = np.random.default_rng(p).normal(size=p)
    lags = np.array([0, 1, 2, 5, 17, 64, 300])
    value, gradient = autocorrelations_with_gradient(rho, 300)
    far, dfar = autocorrelations_far_out(rho, lags)
    np.testing.assert_allclose(far, value[lags], atol=1e-13)
    np.testing.assert_allclose(dfar, gradient[:, lags], atol=1e-11)
    for k in range(p):
        moved = rho.astype(complex)
        moved[k] += 1e-100j
        np.testing.assert_allclose(autocorrelations_far_out(moved, lags)[0].imag / 1e-100, dfar[k], atol=1e-11)


@pytest.mark.parametrize("rho", [[16.566, -6.41], [9.0, 9.0, 9.0], [0.3, -12.0, 2.0]])
def test_far_lags_stay_finite_where_roots_are_close_to_one_and_to_each_other(rho):
    value, gradient = autocorrelations_far_out(np.array(rho, complex) + 1e-100j, np.array([10**9, 10**12]))
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()
    assert (np.abs(value) < 1 + 1e-3).all()
    assert np.linalg.norm(np.eye(len(rho)) - departure(np.array(rho))[0], 2) <= 1 + 1e-12


@pytest.mark.parametrize("unit", [10, 86_400, 10**9, 10**12])
@pytest.mark.parametrize("rates", [(0.5, 1.7), (0.2, 0.3), (1.0, 30.0)])
def test_far_lags_of_two_roots_near_one(rates, unit):
    """Against the autocorrelations written by the roots, to sixty digits (Box & Jenkins 1976, section 3.2.4)."""
    rho = coordinates_of_roots([-rate / unit for rate in rates])
    lags = np.array([1, 2, 5]) * unit
    with localcontext() as context:
        context.prec = 60
        one, two = (Decimal(-rate / unit).exp() for rate in rates)
        room = (one - two) * (1 + one * two)
        wanted = [float(((1 - two**2) * one ** (int(h) + 1) - (1 - one**2) * two ** (int(h) + 1)) / room) for h in lags]
    value, gradient = autocorrelations_far_out(rho, lags)
    np.testing.assert_allclose(value, wanted, rtol=1e-8, atol=1e-12)
    for k in range(2):
        moved = rho.astype(complex)
        moved[k] += 1e-100j
        np.testing.assert_allclose(autocorrelations_far_out(moved, lags)[0].imag / 1e-100, gradient[k], rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("reml", [True, False])
def test_second_order_errors_in_any_unit(reml):
    """Visits a second early or late in ten: the same errors in finer units, but for what lies between the units."""
    d = visits(groups=60)
    late = np.random.default_rng(0).integers(-1, 2, len(d))
    fits = [
        sparsemixed.mixed("y visit || id:, noconstant residuals(ar 2, t(t))", d.assign(t=unit * (10 * d.visit + late)), reml=reml)
        for unit in (1_000, 86_400, 10**9)
    ]
    assert all(fit.converged for fit in fits)
    np.testing.assert_allclose([fit.llf for fit in fits], fits[-1].llf, atol=2e-3)
    np.testing.assert_allclose(fits[1].llf, fits[-1].llf, atol=1e-4)
    for fit in fits:
        np.testing.assert_allclose(fit.bse, fits[-1].bse, rtol=1e-3)


def test_second_order_errors_at_irregular_gaps():
    d = visits()
    late = np.random.default_rng(0).integers(-9_000, 9_000, len(d))
    one, two = (
        sparsemixed.mixed(f"y visit || id:, noconstant residuals(ar {p}, t(t))", d.assign(t=86_400 * d.visit + late))
        for p in (1, 2)
    )
    assert two.converged
    assert two.llf >= one.llf - 1e-6


@pytest.mark.parametrize(("seed", "late"), [(5, 0), (3, 40_000)])
def test_third_order_errors_at_gaps_of_a_day_in_seconds(seed, late):
    """They start from processes that vary on the scale of the gaps: else a search crawls over a maximum for every frequency."""
    d = visits(seed, groups=60)
    apart = np.random.default_rng(0).integers(-late, late + 1, len(d))
    fits = [
        sparsemixed.mixed(f"y visit || id:, noconstant residuals(ar {p}, t(t))", d.assign(t=86_400 * d.visit + apart))
        for p in (1, 3)
    ]
    assert fits[1].converged
    assert fits[1].fit.iterations < 30
    assert fits[1].llf > fits[0].llf


def test_third_order_errors_in_any_unit():
    d = visits(groups=60)
    late = np.random.default_rng(0).integers(-1, 2, len(d))
    fits = [
        sparsemixed.mixed("y visit || id:, noconstant residuals(ar 3, t(t))", d.assign(t=unit * (10 * d.visit + late)))
        for unit in (10_000, 86_400)
    ]
    assert all(fit.converged for fit in fits)
    np.testing.assert_allclose([fit.llf for fit in fits], fits[-1].llf, atol=1e-3)
    for fit in fits:
        np.testing.assert_allclose(fit.bse, fits[-1].bse, rtol=1e-3)


def test_the_cost_does_not_grow_with_the_largest_gap(monkeypatch):
    """The recursion is never asked for more lags than its limit, nor are there more squarings than binary digits."""
    longest, products = [], []
    recursion, powers = autoregressive.autocorrelations_with_gradient, autoregressive.autocorrelations_far_out
    monkeypatch.setattr(
        autoregressive, "autocorrelations_with_gradient", lambda rho, n: (longest.append(n), recursion(rho, n))[1]
    )
    monkeypatch.setattr(
        autoregressive, "autocorrelations_far_out", lambda rho, lags: (products.append(lags.size), powers(rho, lags))[1]
    )
    d = visits(groups=10)
    for unit in (86_400, 10**9):
        fit = sparsemixed.mixed("y visit || id:, noconstant residuals(ar 2, t(t))", d.assign(t=unit * d.visit))
        assert np.isfinite(fit.llf)
    assert max(longest, default=0) <= autoregressive.LONGEST_RECURSION
    assert products
    assert max(products) <= 6


@pytest.mark.parametrize("word", ["ma 1", "ma 2", "toeplitz 1"])
def test_moving_averages_and_toeplitz_correlations_take_any_gaps(word):
    d = visits()
    times = d.visit + 10**12 * (d.visit > 3)
    assert np.isfinite(sparsemixed.mixed(f"y visit || id:, noconstant residuals({word}, t(t))", d.assign(t=times)).llf)


@pytest.mark.parametrize(
    "structure", [Autoregressive(1, 3), Autoregressive(1, 7), Autoregressive(1, 86_401), Autoregressive(1, 2)]
)
def test_a_unit_is_a_change_of_coordinates_alone(structure):
    """The matrix is that of the printed rho at the times themselves, by plain powers."""
    t = structure.unit * np.array([0.0, 1.0, 2.0, 5.0])
    for w in (-0.7, -1e-3, 0.4, 3.0, 9.0):
        rho = structure.display(np.array([w]))[0].value
        lag = np.abs(t[:, None] - t[None, :])
        np.testing.assert_allclose(structure.covariance(np.array([w]), t), np.sign(rho) ** lag * np.abs(rho) ** lag, rtol=1e-9)


@pytest.mark.parametrize("w", [-5.0, 0.3, 20.0, 40.0])
@pytest.mark.parametrize("structure", [Exponential(0.01), Exponential(1e-9), Exponential(365.25), Autoregressive(1, 86_400)])
def test_precision_and_covariance_agree_near_one(structure, w):
    """1 - phi^2 keeps its digits where phi rounds to one."""
    gaps = structure.unit * np.array([1.0, 2.0, 3000.0])
    phi, change, room = structure.markov(w, gaps)
    np.testing.assert_allclose(structure.covariance(np.array([w]), np.column_stack([0 * gaps, gaps]))[:, 0, 1], phi, rtol=1e-12)
    rate = np.log1p(np.exp(-w)) * gaps / structure.unit
    np.testing.assert_allclose(room, -np.expm1(-2 * rate), rtol=1e-12)
    np.testing.assert_allclose(change, gaps / structure.unit * np.exp(-rate) / (1 + np.exp(w)), rtol=1e-11)
    moved = structure.markov(w + 1e-100j, gaps)
    np.testing.assert_allclose(moved[0].imag / 1e-100, change, rtol=1e-10)


@pytest.mark.parametrize("w", [-6.0, -0.4, 0.7, 8.0])
@pytest.mark.parametrize("structure", [Autoregressive(1, 3), Autoregressive(1, 4), Autoregressive(1, 86_401), Exponential(0.01)])
def test_derivatives_in_any_unit(structure, w):
    rho, t, step = np.array([w]), structure.unit * np.array([0.0, 1.0, 4.0, 3000.0]), 1e-5
    change = structure.dcovariance(rho, t)[0]
    np.testing.assert_allclose(change, structure.covariance(rho + 1e-100j, t).imag / 1e-100, rtol=1e-10, atol=1e-300)
    weights = np.random.default_rng(0).normal(size=(4, 4))
    near = [np.sum(structure.dcovariance(rho + move, t)[0] * weights) for move in (step, -step)]
    expected = (near[0] - near[1]) / (2 * step)
    assert structure.second(rho, t, weights)[0, 0] == pytest.approx(expected, rel=1e-5, abs=1e-8)
    shown = [structure.display(rho + move)[0].value for move in (step, 0.0, -step)]
    assert structure.display(rho)[0].gradient[0] == pytest.approx((shown[0] - shown[2]) / (2 * step), rel=1e-5, abs=1e-10)
