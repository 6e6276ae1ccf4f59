"""Power at assumed parameters: dense algebra, the same numbers as a fit that has these parameters, simulation, and refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sparsemixed
from sparsemixed.errors import DataError, OptionError
from sparsemixed.inference.hypotheses.distributions import f_power
from sparsemixed.postestimation.row_covariance import of_sample
from sparsemixed.repeated.power import _assumed, _call
from sparsemixed.resampling.draws import drawn
from sparsemixed.resampling.simulator import of_sample as simulator_of

MODEL = "y x || subject:"
PARAMS = {"x": 0.5, "_cons": 2.0, "sd(_cons)": 1.2, "sd(Residual)": 0.9}


@pytest.fixture(scope="module")
def design() -> pd.DataFrame:
    found = sparsemixed.crossing(subject=9, x=[0, 1], trial=4)
    return found[found.index % 5 != 0].reset_index(drop=True)


def assumed(model, data, params, **options):
    return _assumed(*_call(model, data, params, options))


MODELS = {
    "one variance": (MODEL, PARAMS, lambda Z, R: 1.44 * Z["subject"] @ Z["subject"].T + 0.81 * R),
    "crossed": (
        "y ~ x + (1 | subject) + (1 | trial)",
        {"x": 0.3, "[subject]var(_cons)": 2.0, "[trial]sd(_cons)": 0.5, "var(Residual)": 1.5},
        lambda Z, R: 2.0 * Z["subject"] @ Z["subject"].T + 0.25 * Z["trial"] @ Z["trial"].T + 1.5 * R,
    ),
    "a variance of zero": (
        MODEL,
        {**PARAMS, "sd(_cons)": 0.0},
        lambda Z, R: 0.81 * R,
    ),
    "AR(1) errors": (
        "y x || subject:, residuals(ar 1, t(row))",
        {"x": 0.4, "var(_cons)": 0.5, "rho": 0.6, "sd(e)": 1.1},
        lambda Z, R: 0.5 * Z["subject"] @ Z["subject"].T + 1.21 * 0.6 ** Z["lag"] * (Z["subject"] @ Z["subject"].T),
    ),
    "errors by level": (
        "y x || subject:, residuals(independent, by(x))",
        {"x": 0.4, "var(_cons)": 0.5, "0: var(e)": 1.0, "1: var(e)": 2.5},
        lambda Z, R: 0.5 * Z["subject"] @ Z["subject"].T + np.diag(np.where(Z["x"] == 1, 2.5, 1.0)),
    ),
    "no random effects": ("y x", {"x": 0.4, "var(Residual)": 2.0}, lambda Z, R: 2.0 * R),
}


@pytest.mark.parametrize("name", MODELS)
def test_noncentrality_of_the_dense_model(design, name):
    model, params, covariance = MODELS[name]
    data = design.assign(row=design.groupby("subject").cumcount())
    dummies = {key: pd.get_dummies(data[key]).to_numpy(float) for key in ("subject", "trial")}
    row = data["row"].to_numpy()
    V = covariance({**dummies, "lag": np.abs(row[:, None] - row), "x": data["x"].to_numpy()}, np.eye(len(data)))
    X = np.column_stack([data["x"], np.ones(len(data))])
    Phi = np.linalg.inv(X.T @ np.linalg.solve(V, X))
    found = sparsemixed.power(model, data, params)
    assert found.value.noncentrality == pytest.approx(params["x"] ** 2 / Phi[0, 0], rel=1e-9)


@pytest.mark.parametrize(
    ("model", "dfmethod"),
    [
        ("y time || id: time, covariance(unstructured) reml", "kroger"),
        ("y time || id: time, covariance(unstructured) reml", "satterthwaite"),
        ("y time || id: time, reml residuals(ar 1, t(time))", "kroger"),
        ("y time || id:, reml residuals(independent, by(arm))", "satterthwaite"),
        ("y ~ time + (1 | id)", "residual"),
    ],
)
def test_degrees_of_freedom_of_a_fit_with_the_same_parameters(model, dfmethod):
    """The df of a fit are those at its estimates, which are assumed here."""
    data = sparsemixed.datasets.simulate_longitudinal(30, 6, unbalanced=True, sd_slope=1.0, seed=5)
    data = data.assign(arm=data["id"] % 3)
    fit = sparsemixed.mixed(model, data, reml=True, dfmethod=dfmethod)
    assert not fit.fit.boundary_names
    test = fit.test("time", small=True)
    found = sparsemixed.power(fit, test="time")
    assert found.value.ddf == pytest.approx(test.ddf, rel=1e-6)
    wanted = (fit.params["time"] ** 2) / fit.fit.vcov_beta[0, 0]
    assert found.value.noncentrality == pytest.approx(wanted, rel=1e-6)


def test_the_fit_has_the_assumed_parameters(design):
    fit = assumed(MODEL, design, PARAMS)
    assert dict(zip(fit.design.names, fit.beta, strict=True)) == pytest.approx({"x": 0.5, "_cons": 2.0}, rel=1e-9)
    assert [one.estimate for one in fit.deviations] == pytest.approx([1.2, 0.9], rel=1e-9)


@pytest.mark.parametrize(("df", "ddf", "nc"), [(1, 10.0, 3.0), (3, 7.5, 12.0), (2, 1e6, 5.0), (4, 3.0, 0.5)])
def test_the_noncentral_f_distribution_by_quadrature(df, ddf, nc):
    """P(F > f) by integration over the denominator's chi-squared, in its probability."""
    bound = stats.f.isf(0.05, df, ddf)

    nodes, weights = np.polynomial.legendre.leggauss(400)
    u = (nodes + 1) / 2
    s = stats.chi2.ppf(u, ddf)
    wanted = float(weights @ stats.ncx2.sf(df * bound * s / ddf, df, nc)) / 2
    assert f_power(nc, df, ddf, 0.05, 1.0) == pytest.approx(wanted, abs=2e-6)


def test_large_samples(design):
    found = sparsemixed.power(MODEL, design, PARAMS, dfmethod=None)
    assert found.value.ddf is None
    assert found.power == pytest.approx(stats.ncx2.sf(stats.chi2.isf(0.05, 1), 1, found.value.noncentrality), rel=1e-9)
    assert "DF method" not in str(found)


def test_hypotheses(design):
    data = design.assign(arm=design["subject"] % 3)
    params = {"1.arm": 0.5, "2.arm": 0.9, "x": 0.2, "var(_cons)": 1.0, "var(Residual)": 1.0}
    joint = sparsemixed.power("y i.arm x || subject:", data, params, test="1.arm = 2.arm = 0")
    assert joint.value.df == 2
    assert sparsemixed.power("y i.arm x || subject:", data, params).value.df == 3
    none = sparsemixed.power("y i.arm x || subject:", data, {**params, "1.arm": 0.9}, test="1.arm = 2.arm", alpha=0.1)
    assert none.power == pytest.approx(0.1, rel=1e-6)


def test_simulated_responses_have_the_assumed_moments(design):
    data = design.assign(row=design.groupby("subject").cumcount())
    fit = assumed("y x || subject: x, residuals(ar 1, t(row))", data,
                  {"x": 0.5, "_cons": 1.0, "var(x)": 0.5, "var(_cons)": 1.0, "rho": 0.5, "var(e)": 2.0})  # fmt: skip
    simulator, rng = simulator_of(fit, False, "power"), np.random.default_rng(7)
    sample = simulator.responses(np.array([simulator.numbers(rng) for _ in range(5000)]))
    V = of_sample(fit).of(np.arange(len(data)))
    assert np.abs(sample.mean(axis=0) - fit.design.X @ fit.beta).max() < 5 * np.sqrt(V.max() / 5000)
    spread = np.sqrt((np.outer(np.diag(V), np.diag(V)) + V**2) / 5000)
    assert np.abs((np.cov(sample.T) - V) / spread).max() < 5.5


def test_a_seed_repeats_itself_and_more_draws_begin_with_the_same(design):
    one, two = (sparsemixed.power(MODEL, design, PARAMS, simulate=10, seed=3).simulated for _ in range(2))
    assert one == two
    more = sparsemixed.power(MODEL, design, PARAMS, simulate=14, seed=3).simulated
    assert one.rejected <= more.rejected <= one.rejected + 4


@pytest.mark.parametrize(
    ("options", "words"),
    [({"dfmethod": None}, "x = 0.2"), ({"dfmethod": None}, "x = 0.5, _cons = 2"), ({"dfmethod": "satterthwaite"}, "x")],
)
def test_simulated_tests_are_those_of_fits_one_by_one(design, options, words):
    test = words.split(", ") if "," in words else words
    found = sparsemixed.power(MODEL, design, PARAMS, test=test, simulate=12, seed=5, alpha=0.4, reml=True, **options)
    fit = assumed(MODEL, design, PARAMS)
    rejected = 0
    for y in drawn(simulator_of(fit, False, "power"), 5, 0, 12):
        own = sparsemixed.mixed(MODEL, design.assign(y=y), reml=True, **options)
        rejected += own.test(test).pvalue < 0.4
    assert found.simulated.rejected == rejected
    assert 0 < rejected < 12
    shared = sparsemixed.power(MODEL, design, PARAMS, test=test, simulate=12, seed=5, alpha=0.4, reml=True, n_jobs=2, **options)
    assert shared.simulated == found.simulated


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one variance", "crossed", pytest.param("AR(1) errors", marks=pytest.mark.nightly)])
def test_simulation_agrees(design, name):
    model, params, _ = MODELS[name]
    data = design.assign(row=design.groupby("subject").cumcount())
    found = sparsemixed.power(model, data, params, simulate=400, seed=11)
    # three standard errors of the share, and the approximation of the distribution itself
    assert found.simulated.power == pytest.approx(found.power, abs=3 * np.sqrt(0.25 / 400) + 0.01)


def test_layout(design):
    found = sparsemixed.power(MODEL, design, PARAMS, simulate=4, seed=1)
    lines = str(found).splitlines()
    assert lines[:4] == ["Power of a test at assumed parameters", f"Model: {MODEL}", "DF method: Kenward-Roger", ""]
    assert lines[4] == " ( 1)  [y]x = 0"
    assert any(line.startswith("Simulated: ") and line.endswith("4 data sets") for line in lines)
    assert found.frame.columns.tolist() == ["power", "df", "ddf", "noncentrality", "alpha", "simulated", "low", "high", "n"]
    assert "<" in found.to_html()


def test_curves(design):
    curve = sparsemixed.power_curve(MODEL, design, PARAMS, along="subject", n=[4, 9, 18])
    assert curve.frame["power"].is_monotonic_increasing
    assert curve.frame["power"].loc[9] == sparsemixed.power(MODEL, design, PARAMS).power
    assert curve.smallest(0.0) == 4
    assert curve.smallest(1.1) is None
    assert "Power" in str(curve)
    rows = sparsemixed.power_curve(MODEL, design, PARAMS, along=["subject", "x"], n=[2, 8])
    assert rows.frame.index.name == "subject x"
    assert rows.frame["noncentrality"].loc[8] == pytest.approx(4 * rows.frame["noncentrality"].loc[2])


def test_a_pilot_fit_gives_what_is_not_assumed():
    data = sparsemixed.datasets.simulate_longitudinal(12, 5, seed=1)
    pilot = sparsemixed.mixed("y time || id: time", data)
    found = sparsemixed.power(pilot, params={"time": 0.2, "sd(Residual)": 2.0, "[id]var(time)": 0.1})
    values = dict(zip(("var(time)", "var(_cons)", "var(Residual)"), (one.estimate for one in pilot.fit.variances), strict=True))
    same = sparsemixed.power("y time || id: time", data, {**values, "time": 0.2, "_cons": pilot.params["_cons"],
                                                          "var(time)": 0.1, "var(Residual)": 4.0})  # fmt: skip
    assert found.power == pytest.approx(same.power, rel=1e-9)
    more = sparsemixed.power_curve(pilot, along="id", n=[12, 24])
    assert more.frame["power"].iloc[1] > more.frame["power"].iloc[0]


def test_designs():
    assert sparsemixed.crossing(a=2, b=["x", "y"]).to_numpy().tolist() == [[1, "x"], [1, "y"], [2, "x"], [2, "y"]]
    data = pd.DataFrame({"id": ["a", "a", "b"], "x": [1, 2, 3]})
    more = sparsemixed.extend(data, along="id", n=5)
    assert more["id"].tolist() == ["a", "a", "b", "a (2)", "a (2)", "b (2)", "a (3)", "a (3)"]
    assert more["x"].tolist() == [1, 2, 3, 1, 2, 3, 1, 2]
    assert sparsemixed.extend(data, along="id", n=1)["x"].tolist() == [1, 2]
    assert sparsemixed.extend(data, within="id", n=3)["x"].tolist() == [1, 2, 1, 3, 3, 3]
    assert data.shape == (3, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sd(_cons)": None}, "is to be a number"),
        ({"sd(_cons)": float("nan")}, "is to be a number"),
        ({"z": 1.0}, "no parameter z; it has x, _cons, var"),
        ({"sd(_cons)": -1.0}, r"positive value for var\(_cons\) or sd\(_cons\)"),
        ({"var(_cons)": 1.0}, r"both var\(_cons\) and sd\(_cons\)"),
        ({"sd(Residual)": 0.0}, r"var\(Residual\) is to be positive"),
    ],
)
def test_parameters_that_are_refused(design, change, message):
    with pytest.raises(OptionError, match=message):
        sparsemixed.power(MODEL, design, {**PARAMS, **change})


def test_parameters_that_are_missing_or_impossible(design):
    with pytest.raises(OptionError, match=r"lacks var\(_cons\) or sd\(_cons\) of subject"):
        sparsemixed.power(MODEL, design, {"x": 1.0, "var(Residual)": 1.0})
    with pytest.raises(OptionError, match=r"lacks var\(Residual\) or sd\(Residual\)"):
        sparsemixed.power(MODEL, design, {"x": 1.0, "var(_cons)": 1.0})
    slopes = {"var(x)": 1.0, "var(_cons)": 1.0, "var(Residual)": 1.0}
    with pytest.raises(OptionError, match="no covariance matrix"):
        sparsemixed.power("y x || subject: x, cov(un)", design, {**slopes, "cov(x,_cons)": 1.5})
    with pytest.raises(OptionError, match="inside its limits"):
        sparsemixed.power("y x || subject:, residuals(ar 1, t(trial))", design.drop_duplicates(["subject", "trial"]),
                          {"var(_cons)": 1.0, "rho": 1.0, "var(e)": 1.0})  # fmt: skip
    with pytest.raises(OptionError, match="lacks rho"):
        sparsemixed.power("y x || subject:, residuals(ar 1, t(trial))", design.drop_duplicates(["subject", "trial"]),
                          {"var(_cons)": 1.0, "var(e)": 1.0})  # fmt: skip
    with pytest.raises(OptionError, match=r"several levels: write \[subject\]var"):
        sparsemixed.power("y ~ x + (1 | subject) + (1 | trial)", design, {"var(_cons)": 1.0, "var(Residual)": 1.0})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0.0}, "between 0 and 1"),
        ({"alpha": 5}, "between 0 and 1"),
        ({"simulate": 0}, "number of data sets"),
        ({"simulate": 2.5}, "number of data sets"),
        ({"vce": "robust"}, r"not available with vce\(robust\)"),
        ({"dfmethod": "kroger, oim", "reml": True}, "nothing is observed"),
        ({"dfmethod": None, "fweights": "trial"}, "frequency weights stand for"),
    ],
)
def test_options_that_are_refused(design, options, message):
    with pytest.raises(OptionError, match=message):
        sparsemixed.power(MODEL, design, PARAMS, **options)


def test_calls_that_are_refused(design):
    with pytest.raises(OptionError, match="rows of the design"):
        sparsemixed.power(MODEL, params=PARAMS)
    with pytest.raises(OptionError, match="assumed parameters"):
        sparsemixed.power(MODEL, design)
    with pytest.raises(OptionError, match="list of sizes"):
        sparsemixed.power_curve(MODEL, design, PARAMS, along="subject", n=5)
    with pytest.raises(OptionError, match="pandas data frame"):
        sparsemixed.power_curve(MODEL, {"x": [1]}, PARAMS, along="subject", n=[5])
    same = {"x": 0.5, "var(_cons)": 1.0, "var(e)": 1.0, "cov(e)": 0.3}
    with pytest.raises(OptionError, match="does not tell the variance parameters apart"):
        sparsemixed.power("y x || subject:, residuals(exchangeable)", design, same)
    with pytest.raises(OptionError, match="nothing is left"):
        sparsemixed.power("y || subject:", design, {"var(_cons)": 1.0, "var(Residual)": 1.0})
    for options in ({}, {"along": "subject", "within": "x"}):
        with pytest.raises(OptionError, match="extend repeats groups"):
            sparsemixed.extend(design, n=3, **options)
    with pytest.raises(OptionError, match="1 or more"):
        sparsemixed.extend(design, "subject", 0)
    with pytest.raises(DataError, match="did you mean subject"):
        sparsemixed.extend(design, "subjects", 4)
    with pytest.raises(OptionError, match="crossing needs factors"):
        sparsemixed.crossing()
    with pytest.raises(OptionError, match="combinations"):
        sparsemixed.crossing(a=10000, b=10000)
    for bad in (0, [], "ab", 2.5, True):
        with pytest.raises(OptionError, match="number of levels"):
            sparsemixed.crossing(a=bad)
