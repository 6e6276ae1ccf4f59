"""Contours and traces of pairs of parameters, against deviances from V alone, and what is drawn of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

import sparsemixed
from sparsemixed.errors import OptionError
from sparsemixed.plots.contours import contour
from sparsemixed.results import Results


@pytest.fixture(scope="module")
def data():
    return sparsemixed.datasets.simulate_longitudinal(25, 4, seed=3)


@pytest.fixture(scope="module")
def nested(data):
    return sparsemixed.mixed("y time || id:", data)


@pytest.fixture(scope="module")
def frame(nested):
    return nested.plot.profile_pairs.frame(levels=[50, 95])


def dense_deviance(data, beta, sd, sd_residual):
    """-2 log likelihood of random intercepts in groups of four rows."""
    left = (data["y"] - beta[0] * data["time"] - beta[1]).to_numpy().reshape(-1, 4)
    V = sd**2 * np.ones((4, 4)) + sd_residual**2 * np.eye(4)
    quadratic = np.einsum("gi,ij,gj->", left, np.linalg.inv(V), left)
    return quadratic + len(left) * (np.linalg.slogdet(V)[1] + 4 * np.log(2 * np.pi))


def lowest(data, start, held):
    """The lowest deviance with some of (time, _cons, log sd, log sd of errors) held, and all four there."""
    free = [i for i in range(4) if i not in held]

    def whole(x):
        point = np.array(start, dtype=float)
        point[list(held)], point[free] = list(held.values()), x
        return point

    def deviance(x):
        point = whole(x)
        return dense_deviance(data, point[:2], *np.exp(point[2:]))

    best = minimize(deviance, np.array(start)[free], method="BFGS", options={"gtol": 1e-7})
    return best.fun, whole(best.x)


@pytest.fixture(scope="module")
def best(nested):
    deviations = nested.profile(stddeviations=True).limits["estimate"]
    return np.array([deviations["time"], deviations["_cons"], *np.log(deviations[["sd(_cons)", "sd(Residual)"]])])


NAMES = ["time", "_cons", "sd(_cons)", "sd(Residual)"]


@pytest.mark.parametrize("name", ["_cons", "sd(_cons)"])
def test_traces_are_the_lowest_deviances(nested, data, best, name):
    found = nested.profile(stddeviations=True)
    curve, traces = found.curve(name), found.traces(name)
    assert traces.index.tolist() == curve["zeta"].tolist()
    assert traces[name].to_numpy() == pytest.approx(curve["value"].to_numpy(), rel=1e-9)
    for k in (1, len(curve) - 2):
        place = NAMES.index(name)
        value = traces[name].iloc[k]
        _, point = lowest(data, best, {place: np.log(value) if place > 1 else value})
        expected = [*point[:2], *np.exp(point[2:])]
        assert traces[NAMES].iloc[k].to_numpy() == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("pair", [("time", "_cons"), ("sd(_cons)", "sd(Residual)"), ("_cons", "sd(_cons)")])
def test_contours_are_where_the_dense_deviance_has_risen(frame, data, nested, best, pair):
    own = frame[(frame["column"] == pair[1]) & (frame["row"] == pair[0]) & (frame["scale"] == "values")]
    ring = own.loc[(own["part"] == "contour") & (own["level"] == 95.0), ["x", "y"]].to_numpy()
    assert len(ring) > 50
    assert ring[0] == pytest.approx(ring[-1])
    rise = []
    for x, y in ring[::11]:
        places = {NAMES.index(pair[1]): x, NAMES.index(pair[0]): y}
        held = {place: np.log(value) if place > 1 else value for place, value in places.items()}
        rise.append(lowest(data, best, held)[0] + 2.0 * nested.llf)
    # Interpolated: exact where the profiles cross the contour, and near between.
    assert np.array(rise) == pytest.approx(chi2.ppf(0.95, 2), rel=0.05)


def test_contours_of_a_linear_model_are_ellipses(data):
    fit = sparsemixed.mixed("y time", data)
    frame = fit.plot.profile_pairs.frame(["time", "_cons"], levels=[90], scale="values")
    assert frame["panel"].unique().tolist() == ["_cons over time"]
    ring = frame.loc[frame["part"] == "contour", ["x", "y"]].to_numpy() - fit.fit.beta
    X = np.column_stack([data["time"], np.ones(len(data))])
    rss = float(np.sum((data["y"] - X @ fit.fit.beta) ** 2))
    rise = len(data) * np.log1p(np.einsum("ni,ij,nj->n", ring, X.T @ X, ring) / rss)
    # Exact where the profiles cross the contour, which is where it is farthest on either axis.
    assert rise == pytest.approx(chi2.ppf(0.9, 2), rel=0.04)
    ends = [ring[:, 0].argmax(), ring[:, 0].argmin(), ring[:, 1].argmax(), ring[:, 1].argmin()]
    assert rise[ends] == pytest.approx(chi2.ppf(0.9, 2), rel=1e-3)
    trace = frame.loc[frame["part"] == "along x", ["x", "y"]].to_numpy() - fit.fit.beta
    assert trace[:, 1] == pytest.approx(-trace[:, 0] * data["time"].mean(), abs=1e-4)


def test_a_contour_of_a_normal_likelihood_is_its_ellipse():
    rho, radius = -0.7, 1.8
    points = contour(radius, rho * np.array([radius, -radius]), rho * np.array([radius, -radius]))
    form = (points[:, 0] ** 2 - 2 * rho * points[:, 0] * points[:, 1] + points[:, 1] ** 2) / (1 - rho**2)
    assert form == pytest.approx(radius**2)
    line = contour(2.0, np.array([2.0, -2.0]), np.array([2.0, -2.0]))
    assert np.abs(line[:, 0] - line[:, 1]).max() < 0.01


def test_what_is_drawn_is_the_frame(nested, frame):
    axes = nested.plot.profile_pairs(levels=[50, 95])
    assert len(axes) == 16
    for ax, (panel, own) in zip(axes, frame.groupby("panel", sort=False, observed=True), strict=True):
        if own["part"].iloc[0] == "name":
            assert [text.get_text() for text in ax.texts] == [panel]
            continue
        rings = [ring[["x", "y"]].to_numpy() for _, ring in own[own["part"] == "contour"].groupby("level")]
        drawn = ax.collections[0].get_segments()
        assert all(np.array_equal(one, other) for one, other in zip(drawn, rings, strict=True))
        for line, part in zip(ax.lines, ("along x", "along y", "estimate"), strict=True):
            assert np.array_equal(line.get_xydata(), own.loc[own["part"] == part, ["x", "y"]].to_numpy())
    # Numbers stand at the outer sides alone, and everything lies inside.
    numbered = [(ax.xaxis.get_visible(), ax.yaxis.get_visible()) for ax in axes]
    assert numbered == [(i in (0, 3) and i != j, j in (0, 3) and i != j) for i in range(4) for j in range(4)]
    for ax in axes:
        for line in ax.lines:
            for (low, high), place in zip((ax.get_xlim(), ax.get_ylim()), line.get_xydata().T, strict=True):
                assert low < place.min() <= place.max() < high
    turned = frame[(frame["row"] == "time") & (frame["column"] == "_cons")]
    below = frame[(frame["row"] == "_cons") & (frame["column"] == "time")]
    assert set(turned["scale"]) == {"values"}
    assert set(below["scale"]) == {"zeta"}
    # The same contours: extremes of zeta are those of the values on the profile.
    curve = nested.profile(["_cons"]).curve("_cons")
    assert np.interp(turned["x"].max(), curve["value"], curve["zeta"]) == pytest.approx(below["y"].max(), abs=0.02)


def test_contours_beyond_a_variance_of_zero_are_left_out():
    fit = sparsemixed.mixed("y time || id: time", sparsemixed.datasets.simulate_longitudinal(30, 5, seed=4))
    end = -fit.profile("sd(time)").curve("sd(time)")["zeta"].iloc[0]
    frame = fit.plot.profile_pairs.frame(["sd(time)", "time"])
    radii = np.sqrt(chi2.ppf(np.array([50, 80, 90, 95, 99]) / 100, 2))
    assert sorted(frame["level"].dropna().unique()) == [
        level for level, r in zip([50, 80, 90, 95, 99], radii, strict=True) if r < end
    ]
    trace = frame[(frame["row"] == "sd(time)") & (frame["scale"] == "values") & (frame["part"] == "along y")]
    assert trace["y"].iloc[0] == pytest.approx(0.0, abs=1e-12)


def test_one_likelihood_for_both(data):
    fit = sparsemixed.mixed("y time || id:, reml", data)
    restricted = fit.plot.profile_pairs.frame(["sd(_cons)", "sd(Residual)"], scale="zeta", levels=[80])
    assert restricted["panel"].unique().tolist() == ["sd(Residual) over sd(_cons)"]
    both = ["time", "sd(_cons)"]
    everything = fit.plot.profile_pairs.frame(both, levels=[80])
    by_ml = sparsemixed.mixed("y time || id:", data).plot.profile_pairs.frame(both, levels=[80])
    assert everything["x"].to_numpy() == pytest.approx(by_ml["x"].to_numpy(), abs=1e-4, nan_ok=True)
    with pytest.raises(OptionError, match="pairs are of one likelihood"):
        fit.profile().pairs()
    assert len(fit.profile(["time", "_cons"]).pairs.frame(scale="zeta")["panel"].unique()) == 1
    assert fit.profile().traces("var(_cons)")["time"].isna().all()


def test_words_are_checked(nested):
    with pytest.raises(OptionError, match="scale='valus' is not one of both, values, zeta; did you mean values"):
        nested.plot.profile_pairs(scale="valus")
    with pytest.raises(OptionError, match=r"there is no 'tim'; did you mean time\?; there are time, _cons"):
        nested.profile().plot("tim")
    with pytest.raises(OptionError, match="two to 8 parameters, and here are 1"):
        nested.plot.profile_pairs("time")
    with pytest.raises(OptionError, match="levels are one or more numbers between 0 and 100"):
        nested.plot.profile_pairs(levels=[0.95, 100])


def test_of_many_parameters_those_of_variances_are_drawn(fit):
    frame = fit.plot.profile_pairs.frame(scale="values")
    assert frame.attrs["names"] == ["sd(time)", "sd(_cons)", "corr(time,_cons)", "sd(Residual)"]


def test_a_correlation_has_no_trace_where_a_variance_is_zero():
    data = sparsemixed.datasets.simulate_longitudinal(30, 5, seed=4)
    fit = sparsemixed.mixed("y time || id: time, covariance(unstructured)", data)
    traces = fit.profile(stddeviations=True).traces("sd(time)")
    without = sparsemixed.mixed("y time || id:", data).profile(stddeviations=True).limits["estimate"]
    assert np.isnan(traces["corr(time,_cons)"].iloc[0])
    assert traces["corr(time,_cons)"].iloc[1:].notna().all()
    assert traces[without.index].iloc[0].to_numpy() == pytest.approx(without.to_numpy(), rel=1e-5)


@pytest.mark.filterwarnings("ignore::sparsemixed.errors.SparseMixedWarning")
def test_a_correlation_of_one_has_no_profile():
    data = sparsemixed.datasets.simulate_longitudinal(40, 6, seed=3)
    data["y"] = np.random.default_rng(0).normal(size=len(data))
    fit = sparsemixed.mixed("y time || id: time, covariance(unstructured)", data)
    name = "corr(time,_cons)"
    assert abs(fit.profile([name]).limits.loc[name, "estimate"]) == pytest.approx(1.0)
    assert name not in fit.plot.profile_pairs.frame().attrs["names"]
    assert name in fit.plot.profile_pairs.frame(["sd(time)", name]).attrs["names"]
    for picture in (fit.plot.profile, fit.plot.profile_density):
        ax = next(ax for ax in picture() if ax.get_title(loc="left") == name)
        assert [text.get_text() for text in ax.texts] == ["at the end of its range"]


@pytest.mark.filterwarnings("ignore::sparsemixed.errors.SparseMixedWarning")
def test_a_correlation_without_a_value_is_left_out():
    data = sparsemixed.datasets.simulate_longitudinal(40, 6, seed=3)
    data["y"] = np.random.default_rng(1).normal(size=len(data))
    near = sparsemixed.mixed("y time || id: time, covariance(unstructured)", data).fit
    assert np.abs(near.theta).max() < 1e-6
    # Whether the search ends at zero or at 1e-8 of the errors is a matter of rounding.
    fit = Results(dataclasses.replace(near, theta=np.zeros(3)))
    name = "corr(time,_cons)"
    assert np.isnan(fit.profile([name]).limits.loc[name, "estimate"])
    for picture in (fit.plot.profile, fit.plot.profile_density, fit.plot.profile_pairs):
        assert name not in picture.frame()["panel"].unique().tolist()
    with pytest.raises(OptionError, match="none of the parameters has a profile"):
        fit.plot.profile(name)
