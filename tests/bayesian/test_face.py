"""What users meet: the prefix, tables, seeds, files, statistics, and one clear message for every mistake."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest

import sparsemixed
from sparsemixed.bayesian import compute
from sparsemixed.errors import (
    CommandError,
    DataError,
    NotAvailableError,
    OptionError,
    SlowSamplingWarning,
    SparseMixedError,
)
from sparsemixed.fitting.bayes_text import read_bayes
from sparsemixed.priors import LKJ, Beta, BoundaryAvoiding, Fixed, Flat, Gamma, HalfT, HuangWand, InverseWishart, Normal, pc

MODEL = "y time || id:"


@pytest.fixture(scope="module")
def rows():
    return sparsemixed.datasets.simulate_longitudinal(40, 5, seed=1)


@pytest.fixture(scope="module")
def found(rows):
    return sparsemixed.bayes(MODEL, rows, seed=3, draws=1000)


def test_seeds_and_workers(rows, found):
    again = sparsemixed.bayes(MODEL, rows, seed=3, draws=1000, n_jobs=2)
    np.testing.assert_array_equal(again.draws, found.draws)
    other = sparsemixed.bayes(MODEL, rows, seed=4, draws=1000)
    assert not np.array_equal(other.draws, found.draws)
    crossed = rows.assign(g=np.arange(len(rows)) % 40)
    long = "y time || _all: R.g || id: time, cov(un)"
    one, two = (sparsemixed.bayes(long, crossed, seed=3, draws=300, n_jobs=n, method="sampling") for n in (1, 2))
    np.testing.assert_array_equal(one.draws, two.draws)


def test_the_three_ways_in_agree(rows, found):
    by_method = sparsemixed.mixed(MODEL, rows).bayes(seed=3, draws=1000)
    by_text = sparsemixed.bayes(f"bayes, rseed(3) mcmcsize(1000): mixed {MODEL}", rows)
    formula = sparsemixed.bayes("y ~ time + (1 | id)", rows, seed=3, draws=1000)
    for other in (by_method, by_text):
        np.testing.assert_allclose(other.summary, found.summary, rtol=1e-6)
    assert formula.summary["mean"].sort_values().to_numpy() == pytest.approx(
        found.summary["mean"].sort_values().to_numpy(), rel=1e-5
    )


def test_tables(found):
    text = str(found)
    assert "Bayesian multilevel regression" in text
    assert "[95% cred. interval]" in text
    assert text.count("cred. interval]") == 2
    assert "Log marginal-likelihood" in text
    assert "var(_cons)" in text
    shown = found.table(level=90, hpd=True, stddeviations=True)
    assert "[90% HPD interval]" in str(shown)
    assert "sd(_cons)" in str(shown)
    widths = (found.summary["high"] - found.summary["low"]).to_numpy()
    narrow = (shown.summary["high"] - shown.summary["low"]).to_numpy()
    assert np.all(narrow[:2] < widths[:2])
    for render in (found.to_html, found.to_latex, found.to_markdown):
        assert "Mean" in render()
    assert list(found.summary.columns) == ["mean", "sd", "mcse", "median", "low", "high"]
    assert list(found.draws.columns) == list(found.summary.index) == ["time", "_cons", "var(_cons)", "var(Residual)"]


def test_showreffects(rows):
    text = str(sparsemixed.bayes("bayes, rseed(1) mcmcsize(300) showreffects noheader: mixed y time || id:", rows))
    assert "Random effects" in text
    assert "_cons[" in text
    assert "Priors" not in text


def test_close_to_restricted_likelihood(rows, found):
    fit = sparsemixed.mixed(f"{MODEL}, reml", rows)
    assert found.summary.loc["time", "mean"] == pytest.approx(fit.params["time"], abs=0.02 * fit.bse["time"])
    assert found.summary.loc["time", "sd"] == pytest.approx(fit.bse["time"], rel=0.03)
    effects = found.random_effects["id"]["_cons"]
    assert np.corrcoef(effects, fit.random_effects["id"]["_cons"])[0, 1] > 0.9999
    sds = found.random_effects_sd["id"]["_cons"]
    assert sds.mean() == pytest.approx(fit.random_effects_se["id"]["_cons"].mean(), rel=0.05)


def test_files(found, tmp_path):
    found.save(tmp_path / "posterior.smx", data=True)
    loaded = sparsemixed.load(tmp_path / "posterior.smx")
    assert str(loaded) == str(found)
    np.testing.assert_array_equal(loaded.draws, found.draws)
    np.testing.assert_array_equal(loaded.random_effects["id"]["_cons"], found.random_effects["id"]["_cons"])
    found.save(tmp_path / "small.smx")
    small = sparsemixed.load(tmp_path / "small.smx")
    np.testing.assert_array_equal(small.random_effects_sd["id"]["_cons"], found.random_effects_sd["id"]["_cons"])
    with pytest.raises(DataError, match="data=True"):
        small.predictive()
    sparsemixed.mixed(MODEL, sparsemixed.datasets.simulate_longitudinal(40, 5, seed=1)).save(tmp_path / "fit.smx")
    fit = sparsemixed.load(tmp_path / "fit.smx")
    with pytest.raises(DataError, match="data=True"):
        fit.bayes()


def test_statistics(rows, found):
    ess = found.bayesstats("ess")
    assert np.all(ess["ess"] > 100)
    assert found.bayesstats("summary").equals(found.summary)
    priors = {"b": Normal(0, 10)}
    one = sparsemixed.bayes(MODEL, rows, priors, seed=1, draws=500)
    two = sparsemixed.bayes("y time || id: time, cov(un)", rows, priors, seed=1, draws=2000)
    table = one.bayesstats("ic", two)
    assert 3 < table["pd"].iloc[0] < 5
    factor = two.bayes_factor(one)
    assert table["log_bf"].iloc[1] == pytest.approx(factor["log_bf"])
    for other in (3, None):
        with pytest.raises(OptionError, match="takes posteriors"):
            one.bayes_factor(other)
    for limits in ({"low": "a"}, {"low": 2, "high": 1}, {}):
        with pytest.raises(OptionError, match="bayestest"):
            found.bayestest("time", **limits)
    inside = found.bayestest("time", low=0)
    assert inside["mean"] == pytest.approx((found.draws["time"] > 0).mean())


def test_marginal_likelihood_by_quadrature_of_everything():
    """The linear model with conjugate pieces: the integral over beta and sigma by brute force."""
    rng = np.random.default_rng(0)
    import pandas as pd
    from scipy.integrate import dblquad

    y = rng.normal(1.0, 1.0, 12)
    found = sparsemixed.bayes("y", pd.DataFrame({"y": y}), {"_cons": Normal(0, 2), "sigma": pc(3, 0.1)}, seed=1, draws=300)
    rate = -np.log(0.1) / 3

    def joint(mu, s):
        value = -0.5 * ((y - mu) ** 2).sum() / s**2 - 12 * np.log(s) - 6 * np.log(2 * np.pi)
        return np.exp(value - 0.125 * mu**2 - np.log(2) - 0.5 * np.log(2 * np.pi) + np.log(rate) - rate * s)

    total = dblquad(joint, 0.2, 6, -4, 6, epsabs=0, epsrel=1e-9)[0]
    assert found.log_marginal == pytest.approx(np.log(total), abs=1e-5)


def test_arviz(found):
    pytest.importorskip("arviz_base")
    tree = found.to_arviz()
    assert tree["posterior"]["time"].shape == (1, 1000)
    assert tree["observed_data"]["y"].size == 200


@pytest.mark.slow
def test_nuts_agrees(rows):
    pytest.importorskip("nutpie")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chain = sparsemixed.bayes(MODEL, rows, seed=2, draws=1000, method="nuts")
    exact = sparsemixed.bayes(MODEL, rows, seed=2, draws=300, method="quadrature")
    off = (chain.summary["mean"] - exact.summary["mean"]).abs() / exact.summary["sd"]
    assert off.max() < 0.25
    assert abs(chain.log_marginal - exact.log_marginal) < 4 * chain.log_marginal_se
    assert 0 < chain.log_marginal_se < 0.1


WRONG = [
    ({"priors": {"sd(foo)": HalfT(3, 1)}}, OptionError, "no parameter 'sd\\(foo\\)'"),
    ({"priors": "stat"}, OptionError, "did you mean stata"),
    ({"priors": {"sd": 3}}, OptionError, "is no prior"),
    ({"priors": 3}, OptionError, "must be None"),
    ({"priors": {"sd": Normal(0, 1)}}, OptionError, "could be negative"),
    ({"priors": {"time": HalfT(3, 1)}}, OptionError, "normal or flat priors"),
    ({"priors": {"sd(_cons)": HalfT(3, 1), "var(_cons)": HalfT(3, 1)}}, OptionError, "leave one out"),
    ({"priors": {"sd": LKJ(1)}}, OptionError, "prior of matrices"),
    ({"priors": {"Sigma": InverseWishart(3)}}, OptionError, "no parameter 'Sigma'"),
    ({"priors": {"sd(_cons)": Fixed(0)}}, OptionError, "must be positive"),
    ({"priors": {"sd": Fixed(1)}}, OptionError, "every variance parameter is fixed"),
    ({"draws": 10}, OptionError, "at least 200"),
    ({"seed": -1}, OptionError, "seed=-1"),
    ({"n_jobs": 0}, OptionError, "n_jobs=0"),
    ({"method": "gibbs"}, OptionError, "must be one of"),
    ({"draws": 10**30}, OptionError, "kept in memory"),
    ({"progress": 3}, OptionError, "must be a function"),
    ({"priors": {"Sigma": BoundaryAvoiding()}}, OptionError, "has no integral"),
]


@pytest.mark.parametrize(("arguments", "kind", "message"), WRONG)
def test_messages(rows, arguments, kind, message):
    with pytest.raises(kind, match=message):
        sparsemixed.bayes(MODEL, rows, **arguments)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bayes, normalprior: mixed y x", "wants its argument"),
        ("bayes, normalprior(a): mixed y x", "wants 1 number"),
        ("bayes, burnin(100): mixed y x", "draws are independent"),
        ("bayes, nonsense: mixed y x", "no option nonsense"),
        ("bayes, rseed(1.5): mixed y x", "whole number"),
        ("bayes, prior({b}, foo(1)): mixed y x", "no prior foo"),
        ("bayes, prior(b, normal(1)): mixed y x", "of the form"),
        ("bayes, prior({b}, normal(1, 2, 3)): mixed y x", "wrong numbers"),
        ("bayes, hpd(3): mixed y x", "no argument"),
        ("bayes, rseed(inf): mixed y x", "whole number"),
        ("bayes, prior({x}, normal(0, -1)): mixed y x", "wrong numbers"),
        ("bayes, prior({x}, flat) prior({x}, flat): mixed y x", "given twice"),
        ("bayes, clevel(95: mixed y x", "colon"),
        ("bayes, rseed(3) mixed y x", "colon"),
    ],
)
def test_messages_of_the_prefix(text, message):
    with pytest.raises(CommandError, match=message):
        read_bayes(text)


def test_the_prefix_is_read():
    options = "normalprior(10) igammaprior(1 2) iwishartprior(4) prior({y:x}, normal(0, 4)) prior({e.y:sigma2}, gamma(2, 1))"
    read = read_bayes(f"bayes, {options} hpd clevel(90) melabel remargl: y x || id:")
    assert read.model == "y x || id:"
    assert read.priors["b"] == Normal(0, 10)
    assert read.priors["x"] == Normal(0, 2)
    assert read.priors["var(Residual)"] == Gamma(2, 1)
    assert read.display == {"hpd": True, "level": 90.0}


@pytest.mark.parametrize(
    "make",
    [
        lambda: pc("a", 0.5),
        lambda: pc(np.inf, 0.5),
        lambda: Normal(0, 1e300),
        lambda: HalfT(3, 1e-200),
        lambda: InverseWishart(4, "a").check(2),
        lambda: InverseWishart(4, ((1, 2), (3,))).check(2),
        lambda: HuangWand(2, "a").check(2),
    ],
)
def test_numbers_that_priors_cannot_take(make):
    with pytest.raises(OptionError):
        make()


def test_improper_posteriors_are_named_before_sampling(rows):
    few = rows[rows.id.isin(rows.id.unique()[:2])]
    with pytest.raises(OptionError, match=r"flat prior of id: sd\(_cons\) makes the posterior improper"):
        sparsemixed.bayes("y || id:", few, {"sd(_cons)": Flat()})
    three = rows[rows.id.isin(rows.id.unique()[:3])]
    with pytest.raises(OptionError, match="improper"):
        sparsemixed.bayes("y || id:", three, {"var(_cons)": Flat()})
    sparsemixed.bayes("y || id:", rows, {"sd(_cons)": Flat()}, seed=1, draws=300)


def test_what_has_no_posterior(rows):
    with pytest.raises(NotAvailableError, match="vce"):
        sparsemixed.bayes(f"{MODEL}, vce(robust)", rows)
    weighted = rows.assign(w=1.5)
    with pytest.raises(NotAvailableError, match="sampling weights"):
        sparsemixed.bayes("y time [pweight=w] || id:", weighted)
    with pytest.raises(OptionError, match="exchangeable"):
        sparsemixed.bayes("y time || id: time, cov(exch)", rows, "stata")
    with pytest.raises(OptionError, match="residuals"):
        sparsemixed.bayes("y time || id:, residuals(ar 1, t(time))", rows, "stata")
    with pytest.raises(OptionError, match=r"take LKJ, Uniform or Beta"):
        sparsemixed.bayes("y time || id: time, cov(un)", rows, {"corr": HalfT(3, 1)})
    sparsemixed.bayes("y time || id: time, cov(un)", rows, {"corr": Beta(2, 2)}, seed=1, draws=300)
    with pytest.raises(SparseMixedError, match=r"sparsemixed\.bayes"):
        sparsemixed.mixed("bayes: mixed y time || id:", rows)


class Panic(BaseException):
    """As panics of compiled code arrive in Python."""


def test_a_density_that_breaks_down_turns_the_sampler_back(rows, monkeypatch):
    """Where the likelihood has no number nutpie hears minus infinity; what ends it nevertheless is one message."""
    nutpie = pytest.importorskip("nutpie")
    compiled = pytest.importorskip("nutpie.compiled_pyfunc")
    heard = []

    def watched(n, make_logp, *rest, **options):
        heard.append(make_logp()(np.full(n, 1e200)))
        return

    def panics(*_, **__):
        raise Panic("called `Result::unwrap()` on an `Err` value\nand more")

    monkeypatch.setattr(compiled, "from_pyfunc", watched)
    monkeypatch.setattr(nutpie, "sample", panics)
    with pytest.raises(NotAvailableError, match=r"No-U-turn sampling broke off: called `Result::unwrap\(\)` on an `Err` value$"):
        sparsemixed.bayes(MODEL, rows, seed=2, draws=1000, method="nuts")
    value, slope = heard[0]
    assert value == -np.inf
    assert not slope.any()


def test_a_sampler_that_takes_over_says_so_first_and_shows_progress(rows, monkeypatch):
    nutpie = pytest.importorskip("nutpie")
    compiled = pytest.importorskip("nutpie.compiled_pyfunc")
    own, counts, before = compute.sample, [], []

    def untrusted(*arguments):
        return dataclasses.replace(own(*arguments), khat=0.9)

    def watched(n, make_logp, *rest, **options):
        before.append(counts[-1])
        make_logp()(np.zeros(n))

    def panics(*_, **__):
        raise Panic("enough")

    monkeypatch.setattr(compute, "sample", untrusted)
    monkeypatch.setattr(compute, "MOST_PARAMETERS", 0)
    monkeypatch.setattr(compiled, "from_pyfunc", watched)
    monkeypatch.setattr(nutpie, "sample", panics)
    expected = r"k-hat 0\.90.*No-U-turn sampler takes over: some [\d,]+ evaluations"
    with pytest.warns(SlowSamplingWarning, match=expected), pytest.raises(NotAvailableError, match="broke off: enough"):
        sparsemixed.bayes(MODEL, rows, seed=2, draws=1000, progress=counts.append)
    assert counts[-1] == before[0] + 1
