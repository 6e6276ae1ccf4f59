"""Exact posteriors of Dyestuff and sleepstudy, by quadrature and by sampling.

The figures are of tensor quadrature over the dense marginal likelihood, two grids of which agree; those of Stata's defaults were
confirmed by plain Gibbs sampling.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.priors import Fixed, HalfCauchy, HalfT, InverseGamma, Normal, PriorDataWarning, pc
from tests.golden.samples import rdata

DYESTUFF = {
    "half-t": {"sd": HalfT(3, 100)},
    "pc": {"sd": pc(150, 0.05)},
    "inverse gamma": {"var": InverseGamma(0.01, 0.01)},
}
EXACT = {
    "half-t": ((51.373499, 25.360578), (52.452600, 8.187377), 25.318166, -163.161988),
    "pc": ((44.828985, 21.214178), (52.012784, 8.087624), 22.412151, -162.813120),
    "inverse gamma": ((39.487648, 27.275400), (53.808383, 9.283226), 21.983046, -168.615132),
}
"""Mean and sd of the standard deviations of batches and errors, sd of the mean, log marginal likelihood."""
SLEEPSTUDY = {
    59.3: ([26.8812, 6.57486, 0.08767, 25.91516], [6.8573, 1.52759, 0.30000, 1.55900], [7.46273, 1.727752], -880.96543),
    137.5: ([27.2706, 6.58482, 0.08408, 25.92505], [7.0609, 1.53371, 0.30128, 1.56070], [7.55192, 1.73026], -883.26696),
}


def dyestuff(priors, **options):
    return sparsemixed.bayes("Yield || Batch:, stddeviations", rdata("lme4", "Dyestuff"), priors, **options)


@pytest.mark.parametrize("name", DYESTUFF)
def test_dyestuff_by_quadrature(name):
    between, within, sd_mean, log_marginal = EXACT[name]
    priors = DYESTUFF[name]
    found = dyestuff(priors, seed=1, method="quadrature")
    s = found.summary
    assert tuple(s.loc["sd(_cons)", ["mean", "sd"]]) == pytest.approx(between, rel=1e-5)
    assert tuple(s.loc["sd(Residual)", ["mean", "sd"]]) == pytest.approx(within, rel=1e-5)
    assert s.loc["_cons", "sd"] == pytest.approx(sd_mean, rel=1e-5)
    assert s.loc["_cons", "mean"] == pytest.approx(1527.5)

    def log_prior(x):
        return priors["sd"].log_density(x) if "sd" in priors else priors["var"].log_density(x**2) + np.log(2 * x)

    quantiles = one_way_quantiles(log_prior, (0.025, 0.5, 0.975))
    assert tuple(s.loc["sd(_cons)", ["low", "median", "high"]]) == pytest.approx(quantiles, rel=2e-3)
    assert found.log_marginal == pytest.approx(log_marginal, abs=1e-5)
    assert found.log_marginal_se == 0.0
    # The draws beside it: of the half-t and the inverse gamma prior, whose second mode lies at zero, alike.
    draws = found.draws["sd(_cons)"]
    assert abs(draws.mean() - between[0]) < 4 * between[1] / np.sqrt(found.ess) + 0.1
    assert abs((draws < 10).mean() - float(np.interp(10, *_cdf(found)))) < 0.03


def one_way_quantiles(log_prior, probabilities):
    """Quantiles of the sd between six groups of five, by a fine grid of the likelihood in sums of squares."""
    y = rdata("lme4", "Dyestuff").Yield.to_numpy(float).reshape(6, 5)
    within, between = ((y - y.mean(1, keepdims=True)) ** 2).sum(), 5 * ((y.mean(1) - y.mean()) ** 2).sum()
    b, e = np.exp(np.linspace(-6, 9, 6001)), np.exp(np.linspace(3, 5.5, 401))[:, None]
    total = e**2 + 5 * b**2
    value = -0.5 * (24 * np.log(e**2) + within / e**2 + 5 * np.log(total) + between / total)
    value = value + log_prior(b) + log_prior(e) + np.log(b) + np.log(e)
    mass = np.exp(value - value.max()).sum(axis=0)
    edges = (np.cumsum(mass) - 0.5 * mass) / mass.sum()
    return tuple(np.interp(probabilities, edges, b))


def _cdf(found):
    own = found.posterior.deviations.nodes[:, 0]
    order = np.argsort(own)
    return own[order], np.cumsum(found.posterior.weights[order])


@pytest.mark.parametrize("name", DYESTUFF)
def test_dyestuff_by_sampling(name):
    between, within, sd_mean, log_marginal = EXACT[name]
    found = dyestuff(DYESTUFF[name], seed=2, method="sampling", draws=8000)
    s = found.summary
    for label, expected in (("sd(_cons)", between), ("sd(Residual)", within)):
        assert abs(s.loc[label, "mean"] - expected[0]) < 4 * s.loc[label, "mcse"]
        assert s.loc[label, "sd"] == pytest.approx(expected[1], rel=0.05)
    assert s.loc["_cons", "sd"] == pytest.approx(sd_mean, rel=0.03)
    assert abs(found.log_marginal - log_marginal) < 4 * found.log_marginal_se
    assert found.khat < 0.7


def test_defaults_of_stata_destroy_the_answer_and_warn():
    with pytest.warns(PriorDataWarning, match=r"_cons is estimated as 1527.5, 15.3 standard deviations"):
        found = dyestuff("stata", seed=1)
    s = found.summary
    assert s.loc["_cons", "mean"] == pytest.approx(40.65, abs=0.005)
    assert s.loc["_cons", "sd"] == pytest.approx(101.4, abs=0.05)
    assert s.loc["sd(_cons)", "mean"] == pytest.approx(1708, abs=0.5)
    assert found.log_marginal == pytest.approx(-194.38, abs=0.005)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dyestuff(None, seed=1)


ORDER = ["sd(_cons)", "sd(Days)", "corr(Days,_cons)", "sd(Residual)"]


def sleepstudy(scale, **options):
    model = "Reaction Days || Subject: Days, cov(unstructured) stddeviations"
    return sparsemixed.bayes(model, rdata("lme4", "sleepstudy"), {"sd": HalfT(3, scale)}, **options)


@pytest.mark.parametrize("scale", SLEEPSTUDY)
def test_sleepstudy_by_sampling(scale):
    mean, sd, of_beta, log_marginal = SLEEPSTUDY[scale]
    found = sleepstudy(scale, seed=3, draws=20_000)
    s = found.summary
    assert np.all(np.abs(s.loc[ORDER, "mean"] - mean) < 4 * s.loc[ORDER, "mcse"])
    np.testing.assert_allclose(s.loc[ORDER, "sd"], sd, rtol=0.03)
    np.testing.assert_allclose(s.loc[["_cons", "Days"], "mean"], [251.405105, 10.467286], rtol=1e-7)
    np.testing.assert_allclose(s.loc[["_cons", "Days"], "sd"], of_beta, rtol=0.01)
    assert abs(found.log_marginal - log_marginal) < 4 * found.log_marginal_se + 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("scale", SLEEPSTUDY)
def test_sleepstudy_by_quadrature(scale):
    mean, sd, of_beta, log_marginal = SLEEPSTUDY[scale]
    found = sleepstudy(scale, seed=3, method="quadrature", draws=500)
    s = found.summary
    np.testing.assert_allclose(s.loc[ORDER, "mean"], mean, rtol=1e-4)
    np.testing.assert_allclose(s.loc[ORDER, "sd"], sd, rtol=1e-4)
    np.testing.assert_allclose(s.loc[["_cons", "Days"], "sd"], of_beta, rtol=1e-4)
    assert found.log_marginal == pytest.approx(log_marginal, abs=1e-4)


SCHOOLS = {"y": [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0], "se": [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]}
"""Coaching effects and their known standard errors (Rubin 1981)."""
OF_SCHOOLS = {"_cons": (4.3968207138, 3.3177044631), "sd(_cons)": (3.5977054841, 3.2199584147)}
"""Exact: mu ~ N(0, 5), tau ~ half-Cauchy(0, 5), by one-dimensional quadrature; log marginal likelihood -31.31134735."""


def eight_schools(**options):
    data = pd.DataFrame(SCHOOLS).assign(school=range(8))
    priors = {"sigma": Fixed(1), "_cons": Normal(0, 5), "sd(_cons)": HalfCauchy(5)}
    return sparsemixed.bayes("y || school:, stddeviations", data, priors, precision_weights="1/se^2", **options)


def test_eight_schools_with_known_variances():
    """Precision weights 1 / se^2 beside a residual standard deviation that is known to be one."""
    found = eight_schools(seed=1, method="quadrature")
    for name, exact in OF_SCHOOLS.items():
        assert tuple(found.summary.loc[name, ["mean", "sd"]]) == pytest.approx(exact, rel=1e-6)
    assert found.log_marginal == pytest.approx(-31.31134735, abs=1e-7)
    assert tuple(found.summary.loc["sd(Residual)"]) == pytest.approx((1.0, 0.0, 0.0, 1.0, 1.0, 1.0), abs=1e-12)
    drawn = eight_schools(seed=1, method="sampling", draws=8000)
    for name, exact in OF_SCHOOLS.items():
        assert abs(drawn.summary.loc[name, "mean"] - exact[0]) < 4 * drawn.summary.loc[name, "mcse"]
        assert drawn.summary.loc[name, "sd"] == pytest.approx(exact[1], rel=0.05)
    assert abs(drawn.log_marginal + 31.31134735) < 4 * drawn.log_marginal_se
    # A weighted mean of ones is one but for rounding.
    assert tuple(drawn.summary.loc["sd(Residual)", ["sd", "mcse"]]) == pytest.approx((0.0, 0.0), abs=1e-12)
