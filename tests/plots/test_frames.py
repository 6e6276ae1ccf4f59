"""What pictures are made of, against the fit's own numbers and against formulas written out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sparsemixed
from sparsemixed.errors import DataError, OptionError
from sparsemixed.plots.densities import kernel_density
from sparsemixed.plots.ellipse import ellipse
from sparsemixed.plots.loess import loess
from sparsemixed.plots.quantile_points import quantile_points, quartile_line


def test_caterpillar_has_predictions_and_limits(fit):
    frame = fit.plot.caterpillar.frame("time", level=90)
    table, errors = fit.random_effects["id"].set_index("id"), fit.random_effects_se["id"].set_index("id")
    own = frame.set_index(frame["group"].astype(int))
    assert own["estimate"].sort_index().to_numpy() == pytest.approx(table["time"].to_numpy())
    half = stats.norm.ppf(0.95) * errors["time"].to_numpy()
    assert own["high"].sort_index().to_numpy() == pytest.approx(table["time"].to_numpy() + half)
    assert frame["estimate"].is_monotonic_increasing
    assert frame["y"].tolist() == list(range(60))


def test_caterpillar_takes_the_farthest_and_keeps_the_order_of_the_data(fit):
    whole = fit.plot.caterpillar.frame("id: _cons", sort="group")
    assert whole["group"].tolist() == [str(i) for i in range(1, 61)]
    top = fit.plot.caterpillar.frame("id: _cons", top=5)
    assert set(top["group"]) == set(whole.loc[whole["estimate"].abs().nlargest(5).index, "group"])


def test_effects_are_named_or_refused(fit, crossed):
    assert fit.plot.caterpillar.frame()["panel"].unique().tolist() == ["id: time", "id: _cons"]
    assert crossed.plot.caterpillar.frame("_all: R.user")["group"].nunique() == 12
    with pytest.raises(OptionError, match="no random effect 'tme'; did you mean"):
        fit.plot.caterpillar.frame("tme")
    linear = sparsemixed.mixed("y x", sparsemixed.datasets.simulate_crossed(50, 3, 3))
    with pytest.raises(OptionError, match="no random effects"):
        linear.plot.caterpillar.frame()


def test_quantiles_of_effects(fit):
    frame = fit.plot.effects_qq.frame("time")
    points = frame[frame["part"] == "points"]
    assert points["quantile"].to_numpy() == pytest.approx(stats.norm.ppf((np.arange(60) + 0.5) / 60))
    assert points["estimate"].to_numpy() == pytest.approx(np.sort(fit.random_effects["id"]["time"]))


def test_thinned_quantiles_keep_the_tails():
    values = np.random.default_rng(0).normal(size=50_000)
    places, quantiles = quantile_points(values)
    ordered = np.sort(values)
    assert len(places) == 5000
    assert np.array_equal(values[places][:500], ordered[:500])
    assert np.array_equal(values[places][-500:], ordered[-500:])
    ranks = np.searchsorted(ordered, values[places])
    assert quantiles == pytest.approx(stats.norm.ppf((ranks + 0.5) / 50_000))
    intercept, slope = quartile_line(3.0 + 2.0 * stats.norm.ppf((np.arange(999) + 0.5) / 999))
    assert (intercept, slope) == pytest.approx((3.0, 2.0), abs=1e-3)


def test_pairs_lie_beside_the_ellipse_of_their_covariance(fit):
    frame = fit.plot.random_pairs.frame(level=80)
    curve = frame.loc[frame["part"] == "ellipse", ["x", "y"]].to_numpy()
    G = fit.estat.recovariance()
    G = G.loc[["time", "_cons"], ["time", "_cons"]].to_numpy() if hasattr(G, "loc") else G
    assert np.einsum("ni,ij,nj->n", curve, np.linalg.inv(G), curve) == pytest.approx(stats.chi2.ppf(0.8, 2), rel=1e-6)
    groups = frame[frame["part"] == "groups"]
    assert groups["x"].to_numpy() == pytest.approx(fit.random_effects["id"]["time"].to_numpy())


def test_a_singular_covariance_makes_a_line():
    flat = ellipse(np.array([[1.0, 2.0], [2.0, 4.0]]), 95.0)
    assert flat[:, 1] == pytest.approx(2.0 * flat[:, 0])


def test_shrinkage_starts_from_least_squares_in_each_group(fit, visits):
    frame = fit.plot.shrinkage.frame()
    residual = visits["y"].to_numpy() - fit.predict().to_numpy()
    for label, x, y in frame[["group", "x_alone", "y_alone"]].head(8).itertuples(index=False):
        own = (visits["id"] == int(label)).to_numpy()
        slope, intercept = np.polyfit(visits["time"].to_numpy()[own], residual[own], 1)
        assert (x, y) == pytest.approx((slope, intercept))
    assert frame["x_predicted"].to_numpy() == pytest.approx(fit.random_effects["id"]["time"].to_numpy())


def test_shrinkage_of_one_effect_takes_other_levels_off(crossed):
    frame = crossed.plot.shrinkage.frame("item")
    fitted, design = crossed.fit, crossed.fit.design
    t = [term.blocks[0].equation for term in design.random].index("item")
    other = 1 - t
    rest = design.y - design.X @ fitted.beta - fitted.u[other][design.random[other].codes, 0]
    means = pd.Series(rest).groupby(design.random[t].codes).mean()
    assert np.sort(frame["alone"].to_numpy()) == pytest.approx(np.sort(means.to_numpy()))
    assert frame["predicted"].is_monotonic_increasing


def test_groups_that_do_not_determine_their_effects_are_missing():
    data = sparsemixed.datasets.simulate_longitudinal(30, 5, unbalanced=True, seed=4)
    fit = sparsemixed.mixed("y time || id: time", data)
    frame = fit.plot.shrinkage.frame().set_index("group")
    lonely = data.groupby("id").size().loc[lambda n: n == 1].index.astype(str)
    assert len(lonely)
    assert frame.loc[lonely, "x_alone"].isna().all()
    assert frame.loc[frame.index.difference(lonely), "x_alone"].notna().all()


def test_residuals_are_those_of_predict(fit):
    frame = fit.plot.residuals.frame()
    points = frame[frame["part"] == "points"]
    fitted = points[points["panel"] == "fitted"]
    assert fitted["x"].to_numpy() == pytest.approx(fit.predict(what="fitted").to_numpy())
    assert fitted["y"].to_numpy() == pytest.approx(fit.predict(what="rstandard").to_numpy())
    scale = points[points["panel"] == "scale"]
    assert scale["y"].to_numpy() == pytest.approx(np.sqrt(np.abs(fitted["y"].to_numpy())))
    assert fit.plot.residuals.frame("qq", what="scaled")["panel"].unique().tolist() == ["qq"]
    with pytest.raises(OptionError, match="kind='qqq' is not one of fitted, qq, scale; did you mean qq"):
        fit.plot.residuals("qqq")


def test_loess_is_the_local_line():
    rng = np.random.default_rng(2)
    x = np.sort(rng.uniform(size=80))
    y = np.sin(6 * x) + rng.normal(size=80) / 10
    places, heights = loess(x, y, span=0.4)
    for place, height in list(zip(places, heights, strict=True))[::9]:
        distance = np.abs(x - place)
        h = np.sort(distance)[int(np.ceil(0.4 * 80)) - 1] * (1 + 1e-9)
        w = np.clip(1 - (distance / h) ** 3, 0, None) ** 3
        X = np.column_stack([np.ones(80), x - place])
        assert height == pytest.approx(np.linalg.solve(X.T @ (w[:, None] * X), X.T @ (w * y))[0])


def test_loess_of_many_points_is_near_that_of_all():
    rng = np.random.default_rng(6)
    x = rng.uniform(size=20_000)
    y = np.cos(5 * x) + rng.normal(size=20_000) / 5
    places, heights = loess(x, y, span=0.1)
    assert np.max(np.abs(heights - np.cos(5 * places))) < 0.05


def test_influence_is_that_of_the_fit(fit):
    frame = fit.plot.influence.frame("id", top=3)
    cooks = fit.influence("id")["cooks"]
    assert frame["value"].to_numpy() == pytest.approx(cooks.to_numpy())
    assert frame.loc[frame["named"], "label"].tolist() == [str(i) for i in sorted(cooks.nlargest(3).index)]
    assert frame["cutoff"].iloc[0] == pytest.approx(4 / 60)
    bys = fit.plot.influence.frame("id", measure="time")
    assert bys["value"].to_numpy() == pytest.approx(fit.influence("id")["dfbetas[time]"].to_numpy())
    with pytest.raises(OptionError, match="what='cook'"):
        fit.plot.influence.frame("id", measure="cook")


def test_the_likelihood_rises_to_that_of_the_fit(fit):
    frame = fit.plot.likelihood.frame()
    assert frame["llf"].iloc[-1] == pytest.approx(fit.llf)
    assert frame["distance"].iloc[-1] == pytest.approx(0.0, abs=1e-9)


def test_coefficients_of_several_fits(fit, intercepts):
    frame = fit.plot.coefficients.frame(intercepts, names=["slopes", "intercepts"], level=90)
    own = frame[frame["fit"] == "slopes"].set_index("term")
    limits = fit.conf_int(90)
    assert own["low"].to_numpy() == pytest.approx(limits.loc[own.index, "low"].to_numpy())
    assert "_cons" not in own.index
    assert frame.loc[frame["fit"] == "intercepts", "term"].tolist() == ["time"]
    gap = frame.loc[frame["term"] == "time", "y"].diff().iloc[1]
    assert 0 < gap < 1
    with pytest.raises(OptionError, match="2 different names"):
        fit.plot.coefficients.frame(intercepts, names=["a"])


def test_labels_of_the_data(labelled, fit):
    assert labelled.plot.coefficients.frame()["label"].tolist()[:3] == ["time", "sex: female", "time # sex: female"]
    assert labelled.plot.margins.frame("sex")["x_label"].tolist() == ["male", "female"]
    assert labelled.plot.margins.frame("dose", at={"time": [0, 1]})["line"].unique().tolist() == ["dose=1", "dose=2", "dose=3"]
    assert fit.plot.margins.frame("sex", at={"time": [0, 1]})["line"].unique().tolist() == ["sex=0", "sex=1"]


def test_growth_lines_are_predictions(fit, visits):
    frame = fit.plot.growth.frame(groups=["3", "17"])
    assert frame["panel"].unique().tolist() == ["3", "17"]
    line = frame[(frame["panel"] == "17") & (frame["part"] == "group")]
    own = visits[visits["id"] == 17]
    at = line[line["x"].isin(own["time"])]
    assert at["y"].to_numpy() == pytest.approx(fit.predict(what="fitted")[own.index].to_numpy())
    errors = fit.predict(what="fitted", se=True)
    assert at["low"].to_numpy() == pytest.approx(errors.loc[own.index, "low"].to_numpy())
    data = frame[(frame["panel"] == "17") & (frame["part"] == "data")]
    assert data["y"].to_numpy() == pytest.approx(own["y"].to_numpy())
    assert fit.plot.growth.frame(sample=5)["panel"].nunique() == 5


def test_growth_without_the_data_joins_the_rows(fit, tmp_path):
    fit.save(tmp_path / "fit.smx", data=True)
    loaded = sparsemixed.load(tmp_path / "fit.smx")
    line = loaded.plot.growth.frame(groups=["17"]).query("part == 'population'")
    whole = fit.plot.growth.frame(groups=["17"]).query("part == 'population'")
    assert len(line) == 6
    assert line["y"].to_numpy() == pytest.approx(whole[whole["x"].isin(line["x"])]["y"].to_numpy())
    with pytest.raises(OptionError, match=r"no group '99'"):
        loaded.plot.growth.frame(groups=["99"])


def test_without_rows_pictures_of_rows_say_so(fit, tmp_path):
    fit.save(tmp_path / "fit.smx")
    bare = sparsemixed.load(tmp_path / "fit.smx")
    assert len(bare.plot.caterpillar.frame("time")) == 60
    for name in ("residuals", "growth", "shrinkage", "autocorrelation", "variogram"):
        with pytest.raises(DataError, match="save the fit with data=True"):
            getattr(bare.plot, name)()


def test_densities_are_kernel_estimates():
    rng = np.random.default_rng(8)
    values = rng.normal(size=400)
    x, density = kernel_density(values)
    spread = min(np.std(values, ddof=1), np.subtract(*np.quantile(values, [0.75, 0.25])) / 1.349)
    width = 0.9 * spread * 400**-0.2
    exact = stats.norm.pdf((x[:, None] - values) / width).mean(axis=1) / width
    assert density == pytest.approx(exact, abs=2e-3)
    assert np.trapezoid(density, x) == pytest.approx(1.0, abs=2e-3)


def test_densities_of_frames(fit):
    draws = pd.DataFrame({("id", "var(_cons)"): np.arange(100.0), ("", "flat"): 2.0, ("", "none"): np.nan})
    frame = fit.plot.densities.frame(draws)
    assert frame["panel"].unique().tolist() == ["id: var(_cons)", "flat", "none"]
    flat = frame[frame["panel"] == "flat"]
    assert flat["part"].tolist() == ["median", "low", "high"]
    assert flat["x"].tolist() == [2.0, 2.0, 2.0]
    with pytest.raises(OptionError, match="data frame of draws"):
        fit.plot.densities(3)


def test_unknown_options_and_pictures(fit):
    with pytest.raises(OptionError, match="no option 'efect'; did you mean effect"):
        fit.plot.caterpillar(efect="time")
    with pytest.raises(AttributeError, match="no picture 'caterpilar'; did you mean caterpillar"):
        fit.plot.caterpilar  # noqa: B018
    assert set(dir(fit.plot)) >= {"margins", "growth"}
    assert "farthest from zero" in fit.plot.caterpillar.__doc__


def test_profiles_go_through_their_places(intercepts):
    found = intercepts.profile(stddeviations=True)
    frame = found.plot.frame(names=["sd(_cons)"])
    curve = frame[frame["part"] == "curve"]
    places = found.curve("sd(_cons)")
    assert np.interp(places["value"], curve["value"], curve["zeta"]) == pytest.approx(places["zeta"].to_numpy(), abs=1e-12)
    assert curve["zeta"].is_monotonic_increasing
    limits = frame[frame["part"] == "low"]
    assert limits["value"].item() == pytest.approx(found.limits.loc["sd(_cons)", "low"])
    # The cubic meets the profile half way, where it was not computed.
    assert np.interp(limits["value"], curve["value"], curve["zeta"]) == pytest.approx(-stats.norm.ppf(0.975), abs=2e-3)
    density = intercepts.plot.profile_density.frame(["time"])
    own = density[density["part"] == "density"]
    assert np.trapezoid(own["density"], own["value"]) == pytest.approx(0.99, abs=2e-3)
    assert intercepts.plot.profile.frame("time", absolute=True)["zeta"].min() == 0.0


def test_bootstraps_have_densities(intercepts):
    found = intercepts.bootstrap(20, seed=1)
    assert found.plot.frame(names="time")["panel"].unique().tolist() == ["time"]
