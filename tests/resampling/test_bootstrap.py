"""Bootstrap and jackknife: weights are copies and deletions, replicates go by their number, limits by their formulas."""

from __future__ import annotations

import io
import sys
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.errors import ConvergenceWarning, DataError, NotEstimableWarning, OptionError
from sparsemixed.postestimation.random_covariances import term_covariances
from sparsemixed.resampling.group_fits import GroupFits
from sparsemixed.resampling.intervals import METHODS, accelerations, corrected, quantiles
from sparsemixed.resampling.reflated import reflated_model
from sparsemixed.resampling.samplers import sampler_of
from sparsemixed.resampling.top_groups import clustered
from tests.resampling.models import COMPILED, CROSSED, LONG, MODELS, OFTEN, fitted

INDEPENDENT = [
    pytest.param(name, marks=[] if name in OFTEN else pytest.mark.slow)
    for name in MODELS
    if not name.startswith("crossed") and name != "linear"
]


def copied_frame(data: pd.DataFrame, group: str, counts: np.ndarray) -> pd.DataFrame:
    """The rows of each group as often as it is counted, every copy with ids of its own."""
    parts = []
    for copy in range(int(counts.max())):
        part = data[counts[data[group].factorize(sort=True)[0]] > copy].copy()
        part["id"] = part["id"] + 1000 * copy
        part["school"] = part["school"] + 1000 * copy
        parts.append(part)
    return pd.concat(parts)


@pytest.mark.parametrize("name", INDEPENDENT)
def test_weights_of_groups_are_copies_with_ids_of_their_own(name):
    result = fitted(name)
    top = clustered(result.fit, None, "test", "")
    fits = GroupFits(result.fit, top)
    assert fits.compiled == (name in COMPILED)
    counts = np.random.default_rng(4).multinomial(top.n_clusters, np.full(top.n_clusters, 1 / top.n_clusters), size=2)
    found = fits.of(counts)
    model, options = MODELS[name]
    for row in range(2):
        data = copied_frame(LONG, "school" if "school" in model else "id", counts[row])
        fit = sparsemixed.mixed(model, data, **options)
        assert found.converged[row] == fit.converged
        if not fit.converged:
            continue
        assert found.llf[row] == pytest.approx(fit.llf, rel=1e-10)
        np.testing.assert_allclose(found.beta[row], fit.params, rtol=0, atol=1e-5 * fit.bse.max())
        np.testing.assert_allclose(found.errors[row], fit.bse, rtol=1e-4)
        expected = fit.random_params.estimate.to_numpy()
        np.testing.assert_allclose(found.variances[row], expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_weights_of_groups_are_frequency_weights():
    counts = np.random.default_rng(1).multinomial(24, np.full(24, 1 / 24))
    result = fitted("random, unstructured", nrtolerance=1e-17, iterate=60)
    found = GroupFits(result.fit, clustered(result.fit, None, "test", "")).of(counts[None])
    data = LONG.assign(f=counts[LONG.id.factorize(sort=True)[0]])
    fit = sparsemixed.mixed(
        "y time || id: time x, covariance(unstructured) fweight(f) nrtolerance(1e-17) iterate(60)", data[data.f > 0]
    )
    assert found.llf[0] == pytest.approx(fit.llf, rel=1e-12)
    np.testing.assert_allclose(found.beta[0], fit.params, rtol=1e-8)


@pytest.mark.parametrize("name", ["intercept", "reml", "precision", "nested", "errors, ar", "linear"])
def test_the_jackknife_is_deletion(name):
    result = fitted(name)
    found = result.jackknife()
    model, options = MODELS[name]
    data = LONG.reset_index(drop=True)
    for place in (0, 3):
        label = found.replicates.index[place]
        gone = data["school"] if name == "nested" else data["id"] if name != "linear" else pd.Series(data.index)
        fit = sparsemixed.mixed(model, data[gone != label], **options)
        expected = np.append(fit.params, fit.random_params.estimate)
        np.testing.assert_allclose(found.values[place], expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    values = found.values
    J = len(values)
    np.testing.assert_allclose(found.std_err**2, (J - 1) / J * np.sum((values - values.mean(axis=0)) ** 2, axis=0))
    np.testing.assert_allclose(found.pseudovalues.mean(axis=0), found.observed - found.bias)


def test_a_jackknife_needs_two_fits():
    """Without either of two groups the coefficients fit the rows that are left exactly."""
    g, x = np.repeat([0, 1], 2), np.array([0.0, 1.0, 2.0, 4.0])
    data = pd.DataFrame({"y": [1.0, 3.0, 2.0, 7.0], "x": x, "g": g})
    with pytest.raises(DataError, match=r"jackknife: 2 of 2 fits failed, and fewer than 2 are left; the first: "):
        sparsemixed.mixed("y x || g:", data).jackknife()


def test_the_jackknife_over_columns_of_the_data():
    found = fitted("intercept").jackknife(by="school", statistic="time")
    assert found.replicates.shape == (LONG.school.nunique(), 1)
    fit = sparsemixed.mixed("y time || id:", LONG[LONG.school != 2])
    assert found.replicates.loc[2, "time"] == pytest.approx(fit.params["time"], abs=1e-5 * fit.bse["time"])
    crossed = fitted("crossed").jackknife(by="item", statistic="x")
    assert crossed.reps == CROSSED.item.nunique()
    with pytest.raises(OptionError, match="crossed random effects"):
        fitted("crossed").jackknife()


@pytest.mark.parametrize("kind", ["parametric", "residual", "wild", "cluster"])
@pytest.mark.parametrize("name", ["reml", pytest.param("errors, ar", marks=pytest.mark.slow)])
def test_replicates_go_by_their_number(kind, name):
    reps = 300 if name == "reml" else 6
    fit = fitted(name)
    whole = fit.bootstrap(reps, kind=kind, seed=9)
    np.testing.assert_array_equal(fit.bootstrap(reps, kind=kind, seed=9, n_jobs=2).values, whole.values)
    parts = fit.bootstrap(reps // 3, kind=kind, seed=9).extend(reps - reps // 3)
    np.testing.assert_array_equal(parts.values, whole.values)
    assert whole.reps == reps
    assert not np.array_equal(fit.bootstrap(reps, kind=kind, seed=8).values, whole.values)


@pytest.mark.parametrize("kind", ["parametric", "residual", "pigeonhole"])
def test_crossed_designs(kind):
    one, two = (fitted("crossed").bootstrap(6, kind=kind, seed=2, n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(one.values, two.values)
    assert one.reps == 6


def test_a_replicate_is_a_fit_to_its_response():
    fit = fitted("reml")
    found = fit.bootstrap(3, seed=5)
    again = fit.refit(fit.simulate(3, seed=5)[2])
    np.testing.assert_allclose(found.values[2], np.append(again.params, again.random_params.estimate), rtol=1e-6, atol=1e-7)


def test_the_pigeonhole_bootstrap_copies_levels():
    fit = fitted("crossed")
    sampler = sampler_of(fit.fit, "pigeonhole", 3, None, None)
    rng = np.random.default_rng(np.random.SeedSequence(3).spawn(1)[0])
    drawn = {}
    for name in ("user", "item"):
        levels = np.sort(CROSSED[name].unique())
        drawn[name] = pd.DataFrame({name: levels[rng.integers(0, len(levels), len(levels))], f"new_{name}": range(len(levels))})
    data = CROSSED.merge(drawn["user"], on="user").merge(drawn["item"], on="item")
    fresh = sparsemixed.mixed("y x || _all: R.new_user || new_item:", data)
    assert sampler.replicates(0, 1).llf[0] == pytest.approx(fresh.llf, rel=1e-9)


def test_drawn_effects_and_errors_have_the_spread_of_the_model():
    fit = fitted("random, unstructured").fit
    model = reflated_model(fit)
    (_, pool), G = model.effects[0], term_covariances(fit)[0]
    np.testing.assert_allclose(pool.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(pool.T @ pool / len(pool), G, atol=1e-6 * np.abs(G).max())
    assert model.pool.mean() == pytest.approx(0, abs=1e-12)
    assert np.mean(model.pool**2) == pytest.approx(1)
    white = reflated_model(fitted("errors, ar").fit)
    y = fitted("errors, ar").fit.design.y - white.mean
    np.testing.assert_allclose(white.errors.times(white.errors.solve(y)), y, atol=1e-12)


def test_the_wild_bootstrap_turns_residuals_of_groups():
    fit = fitted("intercept")
    y = sampler_of(fit.fit, "wild", 1, None, None).response(0)
    turned = (y - fit.predict(what="xb")) / (LONG.y - fit.predict(what="xb"))
    assert set(np.round(turned, 8)) == {-1.0, 1.0}
    assert (turned.round(8).groupby(LONG.id).nunique() == 1).all()
    few = sparsemixed.mixed("y time || school:", LONG)
    y = sampler_of(few.fit, "wild", 1, None, None).response(0)
    turned = (y - few.predict(what="xb")) / (LONG.y - few.predict(what="xb"))
    assert set(np.round(turned**2, 8)) <= {0.5, 1.0, 1.5}


def test_clusters_and_strata():
    fit = fitted("intercept")
    sampler = sampler_of(fit.fit, "cluster", 1, None, LONG.arm.to_numpy())
    counts = sampler.counts(0)
    arm = LONG.groupby("id").arm.first().to_numpy()
    assert [counts[arm == level].sum() for level in (0, 1)] == [np.sum(arm == 0), np.sum(arm == 1)]
    found = fit.bootstrap(20, kind="cluster", seed=1, cluster="school")
    assert found.e["N_clust"] == LONG.school.nunique()
    with pytest.raises(OptionError, match="rows in several clusters"):
        fit.bootstrap(20, kind="cluster", cluster="time")
    with pytest.raises(OptionError, match="rows in several strata"):
        fit.bootstrap(20, kind="cluster", strata="time")


def test_limits_by_their_formulas():
    rng = np.random.default_rng(1)
    values, observed = rng.gamma(2.0, size=(999, 2)), np.array([1.5, 2.5])
    for j in range(2):
        own = np.sort(values[:, j])
        phi, low = NormalDist(), {}
        z0 = phi.inv_cdf(np.mean(own <= observed[j]))
        a = 0.1
        for p in (0.025, 0.975):
            z = phi.inv_cdf(p)
            low[p] = (
                quantile(own, p),
                quantile(own, phi.cdf(2 * z0 + z)),
                quantile(own, phi.cdf(z0 + (z0 + z) / (1 - a * (z0 + z)))),
            )
        found = {name: method(values, observed, 0.025) for name, method in METHODS.items()}
        bca = corrected(values, observed, 0.025, np.full(2, a))
        assert (found["percentile"][0][j], found["bc"][0][j], bca[0][j]) == pytest.approx(low[0.025])
        assert (found["percentile"][1][j], found["bc"][1][j], bca[1][j]) == pytest.approx(low[0.975])
        assert found["basic"][0][j] == pytest.approx(2 * observed[j] - low[0.975][0])
        half = phi.inv_cdf(0.975) * np.std(own, ddof=1)
        assert found["normal"][0][j] == pytest.approx(observed[j] - half)
        short = (found["shortest"][0][j], found["shortest"][1][j])
        assert np.mean((own >= short[0]) & (own <= short[1])) >= 0.95
        assert short[1] - short[0] <= low[0.975][0] - low[0.025][0]


def quantile(own: np.ndarray, p: float) -> float:
    """The smallest value whose share is above p, and the mean with the one before where the share is p."""
    share = np.arange(1, len(own) + 1) / len(own)
    equal = np.flatnonzero(np.abs(share - p) < 1e-12)
    return own[equal[0] : equal[0] + 2].mean() if equal.size else own[np.flatnonzero(share > p)[0]]


def test_quantiles_and_acceleration():
    assert quantiles(np.arange(1.0, 11.0)[:, None], np.array([0.25]))[0] == 3.0
    assert quantiles(np.arange(1.0, 11.0)[:, None], np.array([0.2]))[0] == 2.5
    values = np.array([[1.0], [2.0], [6.0]])
    deviation = 3.0 - values[:, 0]
    assert accelerations(values)[0] == pytest.approx(np.sum(deviation**3) / (6 * np.sum(deviation**2) ** 1.5))


def test_bca_takes_its_acceleration_from_the_jackknife():
    fit = fitted("intercept")
    found = fit.bootstrap(200, seed=1)
    np.testing.assert_allclose(found.acceleration, accelerations(fit.jackknife().values))
    assert (found.conf_int("bca") != found.conf_int("bc")).to_numpy().any()


def test_other_statistics():
    fit = fitted("intercept")
    named = fit.bootstrap(5, statistic=["var(Residual)", "time"], seed=1)
    whole = fit.bootstrap(5, seed=1)
    pd.testing.assert_frame_equal(named.replicates, whole.replicates[["var(Residual)", "time"]])
    own = fit.bootstrap(5, statistic=lambda f: {"slope": f.params["time"], "llf": f.llf}, seed=1, n_jobs=2)
    np.testing.assert_allclose(own.replicates["slope"], whole.replicates["time"], rtol=1e-6)
    assert list(fit.bootstrap(3, statistic=lambda f: [f.aic, f.bic], seed=1).names) == ["_bs_1", "_bs_2"]
    assert fit.jackknife(statistic=lambda f: f.params["time"]).replicates.shape == (24, 1)


def test_functions_of_fits_to_other_rows_need_errors_by_the_model():
    robust = sparsemixed.mixed("y time || id:", LONG, vce="robust")
    for call in (lambda f: robust.bootstrap(5, kind="cluster", statistic=f), lambda f: robust.jackknife(statistic=f)):
        with pytest.raises(OptionError, match=r"this fit has vce\(robust\)"):
            call(lambda fit: fit.llf)
    assert robust.bootstrap(5, kind="cluster", seed=1).reps == 5
    assert robust.bootstrap(5, statistic=lambda fit: fit.bse, seed=1).reps == 5


def test_a_bar_shows_how_far_a_run_is(monkeypatch):
    pytest.importorskip("tqdm")
    screen = io.StringIO()
    screen.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", screen)
    found = fitted("intercept").bootstrap(600, seed=1)
    assert "bootstrap" in screen.getvalue()
    assert found.reps == 600
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert fitted("intercept").bootstrap(5, seed=1).reps == 5


def test_failures_are_counted_and_left_out():
    calls = []

    def sometimes(fit):
        calls.append(1)
        if len(calls) == 3:
            raise DataError("no luck")
        return fit.llf

    with pytest.warns(NotEstimableWarning, match="1 of 6 replicates failed and are left out; replicate 2: no luck"):
        found = fitted("intercept").bootstrap(6, statistic=sometimes, seed=1)
    assert (found.reps, found.n_failed) == (5, 1)
    assert "replicates that failed and are left out: 1" in " ".join(str(found).split())
    assert found.e["N_misreps"] == 1


def test_breaking_off_keeps_what_is_done(tmp_path):
    calls = []

    def breaks(fit):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return fit.llf

    path = tmp_path / "run.npz"
    with pytest.warns(ConvergenceWarning, match="broken off after 3 of 8 replicates"):
        found = fitted("intercept").bootstrap(8, statistic=breaks, seed=1, saving=path)
    assert len(found.values) == 3
    rest = fitted("intercept").bootstrap(8, statistic=lambda f: f.llf, seed=1, saving=path)
    np.testing.assert_array_equal(rest.values, fitted("intercept").bootstrap(8, statistic=lambda f: f.llf, seed=1).values)


def test_files_of_replicates(tmp_path):
    fit, path = fitted("intercept"), tmp_path / "run.npz"
    first = fit.bootstrap(10, seed=1, saving=path)
    more = fit.bootstrap(25, seed=1, saving=path)
    np.testing.assert_array_equal(more.values, fit.bootstrap(25, seed=1).values)
    np.testing.assert_array_equal(more.values[:10], first.values)
    assert more.singular == fit.bootstrap(25, seed=1).singular
    with pytest.raises(DataError, match="seed differs"):
        fit.bootstrap(10, seed=2, saving=path)
    with pytest.raises(DataError, match="model differs"):
        fitted("reml").bootstrap(10, seed=1, saving=path)
    with pytest.raises(DataError, match="give the seed"):
        fit.bootstrap(10, saving=path)
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    with pytest.raises(DataError, match="no file of replicates"):
        fit.bootstrap(10, seed=1, saving=other)
    assert other.read_text() == "mine"
    with pytest.raises(DataError, match="cannot be saved"):
        fit.bootstrap(10, seed=1, saving=tmp_path / "nowhere" / "run.npz")


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("intercept", {"reps": 0}, "reps=0 is to be the number of replicates, at least 2"),
        ("intercept", {"reps": 10, "kind": "clusters"}, "did you mean.*cluster"),
        ("intercept", {"reps": 10, "n_jobs": 0}, "n_jobs=0"),
        ("intercept", {"reps": 10, "statistic": "tim"}, "'tim' is no estimate of this fit"),
        ("intercept", {"reps": 10, "statistic": lambda fit: "text"}, "is to return numbers"),
        ("intercept", {"reps": 10, "cluster": "school"}, "cluster= and strata= are for kind='cluster'"),
        ("intercept", {"reps": 10, "clusters": "school"}, "no option 'clusters'"),
        ("intercept", {"reps": 10, "kind": "pigeonhole"}, "for crossed random effects"),
        ("crossed", {"reps": 10, "kind": "cluster"}, "crossed random effects.*pigeonhole"),
        ("crossed", {"reps": 10, "kind": "wild"}, "crossed random effects"),
        ("intercept", {"reps": 10, "seed": 1.5}, "seed=1.5"),
    ],
)
def test_bad_settings(name, options, words):
    with pytest.raises(OptionError, match=words):
        fitted(name).bootstrap(**options)


def test_bad_limits():
    found = fitted("intercept").bootstrap(4, seed=1)
    with pytest.raises(OptionError, match="method='wald' is not one of"):
        found.conf_int("wald")
    with pytest.raises(OptionError, match="level in per cent"):
        found.conf_int(level=5)
    with pytest.raises(OptionError, match="reps=0"):
        found.extend(0)


def test_a_fit_without_rows_has_none(tmp_path):
    fitted("intercept").save(tmp_path / "fit")
    fit = sparsemixed.load(tmp_path / "fit")
    for call in (lambda: fit.bootstrap(10), fit.jackknife, lambda: fit.refit([1.0])):
        with pytest.raises(DataError, match="does not hold its rows"):
            call()


def test_tables_in_every_format():
    found = fitted("intercept").bootstrap(20, kind="cluster", seed=1)
    for shown in (found, fitted("intercept").jackknife()):
        for text in (str(shown), shown.to_html(), shown.to_latex(), shown.to_markdown()):
            assert "Observed" in text
            assert "time" in text
    text = found.show("normal", "percentile", "bc", "bca", "basic", "shortest")
    assert [line.rsplit("  ", 1)[1] for line in text.splitlines() if line.endswith(")")][:6] == [
        "(N)",
        "(P)",
        "(BC)",
        "(BCa)",
        "(B)",
        "(S)",
    ]
    assert found.frame.loc["time", "std_err"] == found.bse["time"]


def test_a_ratio_simulated_under_the_small_model():
    full, small = fitted("reml"), fitted("intercept", reml=True)
    found = sparsemixed.lrtest(full, small, bootstrap=60, seed=1)
    assert found.pvalue == sparsemixed.lrtest(small, full, bootstrap=60, seed=1, n_jobs=2).pvalue
    assert 1 / 61 <= found.pvalue <= 1
    assert "fitted again by maximum likelihood" in found.note
    with pytest.raises(OptionError, match="goes without exact"):
        sparsemixed.lrtest(full, small, bootstrap=60, exact=True)
    with pytest.raises(OptionError, match="reps=0"):
        sparsemixed.lrtest(full, small, bootstrap=0)


def test_the_ratio_counts_statistics_as_large():
    small, full = fitted("intercept"), sparsemixed.mixed("y time || id: time", LONG)
    found = sparsemixed.lrtest(small, full, bootstrap=25, seed=4)
    draws = small.simulate(25, seed=4)
    statistics = [2 * (full.refit(draws[r]).llf - small.refit(draws[r]).llf) for r in range(25)]
    observed = 2 * (full.llf - small.llf)
    assert found.statistic == pytest.approx(observed)
    assert found.pvalue == pytest.approx((1 + np.sum(np.array(statistics) >= observed - 1e-8)) / 26)
