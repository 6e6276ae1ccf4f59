"""What limits are on the boundary, by REML, of functions, on other scales; and what has none."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import CommandError, ConvergenceWarning, NotAvailableError, OptionError
from sparsemixed.inference.hypotheses.distributions import z_critical
from sparsemixed.inference.profile import limits as limits_module
from sparsemixed.inference.profile.constrained import Edges
from sparsemixed.inference.profile.limits import limit
from sparsemixed.inference.profile.roots import LowerDeviance

Q = z_critical(95.0) ** 2


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return sparsemixed.datasets.simulate_longitudinal(30, 5, seed=4)


@pytest.fixture(scope="module")
def fit(data):
    return sparsemixed.mixed("y time || id: time, covariance(unstructured)", data)


@pytest.fixture(scope="module")
def flat() -> pd.DataFrame:
    """Groups without any variance between them."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"y": rng.normal(size=120), "x": rng.normal(size=120), "g": np.repeat(np.arange(20), 6)})
    return frame.assign(y=frame.y - frame.groupby("g")["y"].transform("mean"))


def silently(command, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sparsemixed.mixed(command, data, **options)


def one_way(data: pd.DataFrame, theta: float, reml: bool) -> float:
    """-2 log likelihood of equal groups at a ratio of standard deviations, mean and sigma2 at their best."""
    groups = data.groupby("g").y
    J, m = groups.ngroups, len(data) // groups.ngroups
    within = float(((data.y - groups.transform("mean")) ** 2).sum())
    between = m * float(((groups.mean() - data.y.mean()) ** 2).sum())
    ratio, df = 1.0 + m * theta**2, len(data) - reml
    return df * np.log((within + between / ratio) / df) + (J - reml) * np.log(ratio)


@pytest.mark.parametrize("reml", [False, True])
def test_an_estimate_of_zero_has_an_upper_limit(flat, reml):
    limits = silently("y || g:", flat, reml=reml).profile(stddeviations=True).limits
    assert limits.loc["sd(_cons)", "estimate"] == 0.0
    assert limits.loc["sd(_cons)", "low"] == 0.0
    # The profile of sd(_cons) by a grid in theta, at each the sigma that makes it this value.
    high, n = limits.loc["sd(_cons)", "high"], len(flat) - reml
    groups = flat.groupby("g").y
    within, between = float(((flat.y - groups.transform("mean")) ** 2).sum()), 6 * float((groups.mean() ** 2).sum())

    def deviance(theta: np.ndarray) -> np.ndarray:
        sigma2, ratio = (high / theta) ** 2, 1.0 + 6 * theta**2
        return n * np.log(sigma2) + (20 - reml) * np.log(ratio) + (within + between / ratio) / sigma2

    bottom = one_way(flat, 0.0, reml) + n
    assert deviance(np.linspace(0.05, 1.0, 200_001)).min() - bottom == pytest.approx(Q, abs=1e-6)


def test_a_lower_limit_is_zero_where_the_deviance_has_not_risen_enough(fit):
    """A profile of sd(time) that is 3.49 above at zero: below 3.84 and above 2.71."""
    without = sparsemixed.mixed("y time || id:", sparsemixed.datasets.simulate_longitudinal(30, 5, seed=4))
    rise = 2.0 * (fit.llf - without.llf)
    assert 2.71 < rise < Q
    found = fit.profile(stddeviations=True)
    assert found.limits.loc["sd(time)", "low"] == 0.0
    assert found.limits.loc["corr(time,_cons)", ["low", "high"]].to_list() == [-1.0, 1.0]
    assert "sd(time) (lower), corr(time,_cons) (lower and upper)" in found.note
    narrow = fit.profile(stddeviations=True, level=90).limits
    assert narrow.loc["sd(time)", "low"] > 0
    assert narrow.loc["corr(time,_cons)", "low"] > -1
    curve = found.curve("sd(time)")
    assert curve.value[0] == 0.0
    assert curve.deviance[0] == pytest.approx(rise, abs=1e-6)


def test_variances_and_standard_deviations_have_the_same_limits(fit):
    variances, deviations = fit.profile().limits, fit.profile(stddeviations=True).limits
    for name in ("time)", "_cons)", "Residual)"):
        squares = deviations.loc[f"sd({name}"].to_numpy() ** 2
        np.testing.assert_allclose(variances.loc[f"var({name}"].to_numpy(), squares, rtol=1e-12)
    logs = fit.profile("[lns1_1_2]_cons").limits.iloc[0]
    np.testing.assert_allclose(np.exp(logs), deviations.loc["sd(_cons)"], rtol=1e-8)


def test_functions_of_parameters_have_limits(fit):
    """A ratio of variances by the name of the parameter that it is, and one of coefficients by moving the other's unit."""
    limits = fit.profile(["var(time)", "v: 4*var(time) + 1", "time", "3*time", "m: _cons + 2*time"], level=90).limits
    for side in ("low", "high"):
        assert limits.loc["v", side] == pytest.approx(4.0 * limits.loc["var(time)", side] + 1.0, rel=1e-7)
        assert limits.loc["3*time", side] == pytest.approx(3.0 * limits.loc["time", side], rel=1e-9)
    moved = sparsemixed.datasets.simulate_longitudinal(30, 5, seed=4)
    moved["time"] = moved["time"] - 2.0
    centred = sparsemixed.mixed("y time || id: time, covariance(unstructured)", moved)
    expected = centred.profile("_cons", level=90).limits.iloc[0]
    np.testing.assert_allclose(limits.loc["m"], expected, rtol=1e-7)


def test_the_criterion_is_restricted_for_variances_and_ml_for_coefficients(data, fit):
    reml = sparsemixed.mixed("y time || id: time, covariance(unstructured) reml", data)
    found, ml = reml.profile(), fit.profile()
    coefficients = ["time", "_cons"]
    np.testing.assert_allclose(found.limits.loc[coefficients], ml.limits.loc[coefficients], rtol=1e-8)
    assert "restricted" in found.note
    assert found.limits.loc["var(_cons)", "high"] > ml.limits.loc["var(_cons)", "high"]
    assert found.limits.loc["var(_cons)", "estimate"] == pytest.approx(reml.random_params.estimate.iloc[1], rel=1e-6)
    by_ml = reml.profile(criterion="ml")
    np.testing.assert_allclose(by_ml.limits, ml.limits, rtol=1e-7, atol=1e-9)
    assert "The fit is by REML" in by_ml.note
    alone = reml.profile(criterion="reml").limits
    pd.testing.assert_frame_equal(alone, found.limits.drop(coefficients))
    pd.testing.assert_frame_equal(
        reml.random_conf_int(method="profile"),
        found.limits.drop(coefficients)[["low", "high"]].set_axis(reml.random_params.index),
    )


def test_methods_of_intervals(fit):
    wald = fit.random_params[["ci_low", "ci_high"]].set_axis(["low", "high"], axis=1)
    pd.testing.assert_frame_equal(fit.random_conf_int(), wald)
    pd.testing.assert_frame_equal(fit.conf_int(method="profile"), fit.profile().limits.loc[["time", "_cons"], ["low", "high"]])
    for method in (fit.conf_int, fit.random_conf_int):
        with pytest.raises(OptionError, match="method is wald or profile"):
            method(method="exact")
    with pytest.raises(OptionError, match="criterion is for"):
        fit.random_conf_int(criterion="ml")


def test_curves_have_exact_slopes_and_pass_through_the_limits(fit):
    found = fit.profile(["sd(_cons)", "time", "r: _cons/sd(_cons)"])
    for name in found.limits.index:
        curve = found.curve(name)
        assert np.all(np.diff(curve.value) > 0)
        assert np.all(np.diff(curve.zeta) > 0)
        np.testing.assert_allclose(curve.zeta**2, curve.deviance, atol=1e-12)
        # A cubic through values and slopes is off by the fourth power of the distance of its places.
        cubic = [hermite(curve, value) for value in found.limits.loc[name, ["low", "high"]]]
        assert cubic == pytest.approx([-(Q**0.5), Q**0.5], abs=2e-4)


ICC = "icc: var(_cons)/(var(_cons) + var(Residual))"
KINDS = {
    "y time || id: time, covariance(unstructured)": (
        "time", "sd(_cons)", "var(time)", "cov(time,_cons)", "corr(time,_cons)", "sd(Residual)", ICC, "r: _cons/sd(_cons)"
    ),
    "y time || id:, residuals(ar 1, t(time))": ("rho", "sd(e)", "var(_cons)", "b: time*(1 - rho)"),
}  # fmt: skip


@pytest.mark.parametrize("command", KINDS)
@pytest.mark.parametrize("reml", [False, True])
def test_slopes_of_every_kind_are_those_of_the_profile(data, command, reml):
    """dzeta / dvalue beside the differences of limits at levels nearby, which know nothing of multipliers."""
    found = sparsemixed.mixed(command, data, reml=reml).profile(KINDS[command])
    for target in found.targets:
        peak, curve, near = found.sources.peak(target), found.curve(target.name), 1e-4
        inside = [i for i, zeta in enumerate(curve.zeta) if 0.6 < abs(zeta) < 1.4]
        assert inside
        for zeta, slope in curve.iloc[inside][["zeta", "slope"]].to_numpy():
            side = int(np.sign(zeta))
            ends = [limit(peak, target, side, (zeta + move) ** 2, Edges()).value for move in (-near, near)]
            low, high = map(target.shown, ends)
            assert slope == pytest.approx(2.0 * near / (high - low), rel=1e-5), target.name


def hermite(curve: pd.DataFrame, value: float) -> float:
    from scipy.interpolate import CubicHermiteSpline

    return float(CubicHermiteSpline(curve.value, curve.zeta, curve.slope)(value))


def test_without_random_effects_limits_are_in_closed_form(data):
    fit = sparsemixed.mixed("y time", data)
    limits, n = fit.profile(stddeviations=True).limits, len(data)
    half = fit.bse.to_numpy() * np.sqrt(n * (np.exp(Q / n) - 1.0))
    np.testing.assert_allclose(limits.high[:2] - limits.estimate[:2], half, rtol=1e-9)
    for side in ("low", "high"):
        share = (limits.loc["sd(Residual)", "estimate"] / limits.loc["sd(Residual)", side]) ** 2
        assert n * (share - 1.0 - np.log(share)) == pytest.approx(Q, abs=1e-8)


def test_a_coefficient_that_a_constraint_fixes_has_no_limits(data):
    data = data.assign(z=np.tile([0.0, 1.0, 2.0], len(data) // 3))
    fit = sparsemixed.mixed("y time z || id:", data, constraints=["z = 0.1"])
    found = fit.profile()
    assert found.limits.loc["z"].isna().to_list() == [False, True, True]
    assert "z has no limits: the constraints of the model fix it" in found.note
    free = sparsemixed.mixed("y time || id:", data.assign(y=data.y - 0.1 * data.z)).profile().limits
    np.testing.assert_allclose(found.limits.drop("z"), free, rtol=1e-8)


def test_parameters_of_errors_have_limits():
    data = sparsemixed.datasets.simulate_longitudinal(30, 5, seed=4).assign(arm=lambda d: d.id % 2)
    fit = sparsemixed.mixed("y time || id:, residuals(ar 1, t(time) by(arm))", data)
    limits = fit.profile().limits
    inside = limits[["low", "high"]].notna().all(axis=1)
    assert inside.all()
    assert (limits.low <= limits.estimate).all()
    assert (limits.estimate <= limits.high).all()
    assert {"0: rho", "1: rho"} <= set(limits.index)


def test_names_are_those_of_the_tables(fit):
    assert list(fit.profile("time").limits.index) == ["time"]
    assert list(fit.profile(["[id]sd(time)"]).limits.index) == ["[id]sd(time)"]
    with pytest.raises(CommandError, match="tme"):
        fit.profile("tme")
    for names, message in (
        ([], "takes a name"),
        (["time", "time"], "names time twice"),
        (["a: _b[time]^2", "a: _b[time]"], "asked for twice"),
        ([3], "takes a name"),
    ):
        with pytest.raises(OptionError, match=message):
            fit.profile(names)
    with pytest.raises(OptionError, match="2 functions"):
        fit.profile("(time/_cons) (time*_cons)")
    with pytest.raises(OptionError, match="there is no 'x' among time"):
        fit.profile("time").curve("x")
    with pytest.raises(OptionError, match="level"):
        fit.profile(level=101)


def test_what_has_no_likelihood_to_profile_says_so(data, fit, tmp_path):
    rng = np.random.default_rng(1)
    crossed = pd.DataFrame({"a": np.repeat(np.arange(12), 10), "b": np.tile(np.arange(10), 12)})
    crossed["y"] = rng.normal(size=12)[crossed.a] + rng.normal(size=10)[crossed.b] + rng.normal(size=120)
    refused = {
        "sampling weights": sparsemixed.mixed("y time [pweight=w] || id:", data.assign(w=1.0 + data.id % 2)),
        "robust standard errors": sparsemixed.mixed("y time || id:, vce(robust)", data),
        "solver\\(krylov\\)": sparsemixed.mixed("y || _all: R.a || b:", crossed, solver="krylov"),
    }
    fit.save(tmp_path / "a.fit")
    refused["loaded without its data"] = sparsemixed.load(tmp_path / "a.fit")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refused["has not converged"] = sparsemixed.mixed("y time || id: time", data, iterate=1)
    for message, one in refused.items():
        with pytest.raises(NotAvailableError, match=message):
            one.profile()
    with pytest.raises(OptionError, match="criterion reml needs a fit by REML"):
        fit.profile(criterion="reml")
    with pytest.raises(OptionError, match="criterion is ml or reml"):
        fit.profile(criterion="map")
    fit.save(tmp_path / "b.fit", data=True)
    pd.testing.assert_frame_equal(sparsemixed.load(tmp_path / "b.fit").profile().limits, fit.profile().limits)


def test_what_is_not_found_is_named_and_warned_of_once(fit, monkeypatch):
    def lower(*arguments):
        raise LowerDeviance(np.zeros(1), 0.25)

    monkeypatch.setattr(limits_module, "root", lower)
    with pytest.warns(ConvergenceWarning) as record:
        found = fit.profile(["time", "_cons"])
    assert len(record) == 1
    assert found.limits.low.isna().all()
    assert "a lower deviance was found, by 0.25" in found.note
    monkeypatch.setattr(limits_module, "root", lambda *arguments: None)
    monkeypatch.setattr(limits_module, "optimum_at", lambda *arguments: None)
    monkeypatch.setattr(limits_module, "place_at", lambda *arguments: None)
    with pytest.warns(ConvergenceWarning, match="time: the lower and upper limit was not found"):
        assert fit.profile("time").limits.isna().to_numpy().tolist() == [[False, True, True]]


def test_when_newtons_method_fails_the_profile_is_followed_to_the_same_limits(fit, monkeypatch):
    expected = fit.profile(stddeviations=True, level=90).limits
    monkeypatch.setattr(limits_module, "root", lambda *arguments: None)
    found = fit.profile(stddeviations=True, level=90)
    assert {end.how for pair in found.ends for end in pair} == {"bracket"}
    np.testing.assert_allclose(found.limits, expected, rtol=1e-6)


def test_it_is_shown_in_every_format(fit):
    found = fit.profile(stddeviations=True)
    for name in ("text", "html", "latex", "markdown"):
        text = found.render(name)
        assert "conf. interval" in text
        assert "Residual" in text
    assert "Estimate" in str(found)
    assert io.StringIO(found.limits.to_csv()).readline().strip() == ",estimate,low,high"
