"""Names that batch jobs and other packages call: what each call returns, and the columns of its frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sparsemixed

DATA = sparsemixed.datasets.simulate_longitudinal(24, 5, seed=1).assign(g=lambda d: d.id % 3)
QUANTITIES = ["estimate", "std_err", "df", "statistic", "pvalue", "low", "high"]


class Fits:
    """Fits that are made once, when they are asked for."""

    def __init__(self) -> None:
        self.small = sparsemixed.mixed("y i.g##c.time || id: time, reml dfmethod(kroger)", DATA)
        self.full = sparsemixed.mixed("y ~ C(g) * time + (1 + time | id)", DATA, reml=False)
        self.lesser = sparsemixed.mixed("y ~ C(g) + time + (1 | id)", DATA, reml=False)
        self.posterior = self.lesser.bayes(draws=400, seed=1)


@pytest.fixture(scope="module")
def fits():
    return Fits()


TABLES = {
    "margins": lambda f: f.small.margins("g", at={"time": [1, 2]}, small=True).frame,
    "slopes": lambda f: f.small.margins("g", dydx="time").frame,
    "elasticities": lambda f: f.small.margins(eyex="time").frame,
    "contrasts of margins": lambda f: f.small.margins("g", contrast=True).frame,
    "pairs of margins": lambda f: f.small.margins("g", pwcompare=True, mcompare="sidak", level=90).frame,
    "means": lambda f: f.small.emmeans("g", by="time", at={"time": [1, 2]}, pairwise=True, adjust="holm").means,
    "contrasts of means": lambda f: f.small.emmeans("g", pairwise=True).contrasts,
    "trends": lambda f: f.small.emtrends("g", "time").means,
    "nlcom": lambda f: f.small.nlcom("_b[time] / _b[_cons]").frame,
    "lincom": lambda f: f.small.lincom("time - 2.g", small=True).frame,
    "contrast": lambda f: f.small.contrast("g", small=True).frame,
    "pwcompare": lambda f: f.small.pwcompare("g", small=True).frame,
}


@pytest.mark.parametrize("table", TABLES)
def test_tables_of_single_quantities(fits, table):
    frame = TABLES[table](fits)
    own = [name for name in frame.columns if name in QUANTITIES]
    assert own == [name for name in QUANTITIES if name in own]
    assert {"estimate", "std_err", "low", "high"} <= set(own)
    assert not isinstance(frame.index, pd.RangeIndex)


FRAMES = {
    "conf_int": (lambda f: f.small.conf_int(level=95), ["low", "high"]),
    "random_params": (lambda f: f.small.random_params, ["estimate", "std_err", "ci_low", "ci_high"]),
    "anova": (lambda f: f.small.anova(type=3).frame, ["F", "df", "ddf", "pvalue"]),
    "predict": (
        lambda f: f.small.predict(DATA, "fitted", level="id", se=True, interval="prediction"),
        ["predicted", "se", "low", "high"],
    ),
    "icc": (lambda f: f.small.estat.icc().frame, ["icc", "std_err", "low", "high"]),
    "influence": (lambda f: f.small.influence("id").iloc[:, :4], ["cooks", "mdffits", "covratio", "covtrace"]),
    "loo": (lambda f: f.small.loo("id")[["elpd", "mean", "sd"]], ["elpd", "mean", "sd"]),
    "profile": (lambda f: f.lesser.profile(["time"], level=90).limits, ["estimate", "low", "high"]),
    "profiles of variances": (lambda f: f.lesser.random_conf_int(method="profile"), ["low", "high"]),
    "simulate": (lambda f: f.small.simulate(2, seed=1).set_axis(["a", "b"], axis=1), ["a", "b"]),
    "summary of a posterior": (lambda f: f.posterior.summary, ["mean", "sd", "mcse", "median", "low", "high"]),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames(fits, name):
    call, columns = FRAMES[name]
    assert list(call(fits).columns) == columns


def test_tests(fits):
    for test in (fits.small.test("time = 0"), fits.small.testnl("_b[time]^2 = 1"), sparsemixed.lrtest(fits.full, fits.lesser)):
        assert test.statistic >= 0
        assert test.df >= 1
        assert test.ddf is None
        assert 0 <= test.pvalue <= 1
        assert isinstance(test.note, str)
    assert fits.small.testparm("i.g", small=True).ddf > 1
    assert sparsemixed.lrtest(fits.full, fits.lesser, bootstrap=20, seed=1).pvalue > 0


def test_margins(fits):
    found = fits.small.margins("g", post=True)
    assert list(found.frame.index) == ["0", "1", "2"]
    assert list(found.b.index) == list(found.V.index) == ["0.g", "1.g", "2.g"]
    np.testing.assert_allclose(found.jacobian @ fits.small.params, found.b)
    assert found.r["N"] == len(DATA)


def test_refits(fits):
    prepared = sparsemixed.prepare("y ~ time + (1 | id)", DATA)
    assert prepared.fit(response=DATA.y, weights=np.ones(24)).llf == pytest.approx(prepared.fit().llf, rel=1e-12)
    assert fits.small.refit(DATA.y).llf == pytest.approx(fits.small.llf, rel=1e-12)
    many = sparsemixed.mixed_many("y ~ time + (1 | id)", DATA, ["y", "time"])
    for rows in (many.params, many.bse, many.random_params, many.llf, many.converged):
        assert len(rows) == 2
    boot = fits.lesser.bootstrap(20, kind="parametric", statistic=["time"], seed=1, n_jobs=1)
    assert boot.replicates.shape[0] == 20
    assert list(boot.conf_int(method="percentile", level=90).columns) == ["low", "high"]
    assert len(boot.bse) == len(fits.lesser.jackknife().bse[["time"]]) == 1


def test_pooled_imputations_and_posteriors(fits):
    pooled = sparsemixed.mi("y ~ time + (1 | id)", [DATA, DATA.assign(y=DATA.y + np.sin(np.arange(len(DATA))))])
    for values in (pooled.params, pooled.bse, pooled.df, pooled.fmi):
        assert {"time", "_cons"} <= set(values.index.get_level_values(-1))
    for name in ("draws", "log_marginal", "log_marginal_se", "khat", "ess", "random_effects", "random_effects_sd"):
        assert getattr(fits.posterior, name) is not None
    assert set(fits.small.r2().index) >= {"marginal", "conditional"}
