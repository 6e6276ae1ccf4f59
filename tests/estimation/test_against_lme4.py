"""The same models by R's lme4, an independent implementation.

lme4's search uses no derivatives and stops where the deviance no longer tells points apart. Variances, which move by the square
root of what the deviance allows, are therefore compared to four digits and the log likelihood to seven.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import sparsemixed
from tests.golden import golden, load
from tests.oracles.fitted import fitted as fitted_once

FIGURES = golden("lme4")


class Case(NamedTuple):
    """A model of ours, the figures that are its, and which of our variance parameters is which of lme4's."""

    figures: str
    model: str
    places: dict[tuple[str, str], str]
    precision_weights: str | None = None


SLOPES = {
    ("Subject: Unstructured", "var(Days)"): "Subject Days",
    ("Subject: Unstructured", "var(_cons)"): "Subject _cons",
    ("Subject: Unstructured", "cov(Days,_cons)"): "Subject _cons Days",
}
CROSSED = {("plate: Identity", "var(_cons)"): "plate _cons", ("sample: Identity", "var(_cons)"): "sample _cons"}
BATCH = {("Batch: Identity", "var(_cons)"): "Batch _cons"}
CASES = [
    Case("sleepstudy", "Reaction ~ Days + (Days | Subject)", SLOPES),
    Case("sleepstudy", "Reaction Days || Subject: Days, covariance(unstructured)", SLOPES),
    Case("penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", CROSSED),
    Case(
        "penicillin",
        "diameter || _all: R.plate || sample:",
        {("_all: Identity", "var(R.plate)"): "plate _cons", ("sample: Identity", "var(_cons)"): "sample _cons"},
    ),
    Case(
        "pastes",
        "strength ~ 1 + (1 | batch/cask)",
        {("batch: Identity", "var(_cons)"): "batch _cons", ("batch:cask: Identity", "var(_cons)"): "cask:batch _cons"},
    ),
    Case(
        "pastes",
        "strength || batch: || cask:",
        {("batch: Identity", "var(_cons)"): "batch _cons", ("cask: Identity", "var(_cons)"): "cask:batch _cons"},
    ),
    Case("dyestuff2", "Yield ~ 1 + (1 | Batch)", BATCH),
    Case("dyestuff2", "Yield || Batch:", BATCH),
    Case(
        "insteval",
        "y service || _all: R.d || _all: R.dept || s:",
        {
            ("_all: Identity", "var(R.d)"): "d _cons",
            ("_all: Identity", "var(R.dept)"): "dept _cons",
            ("s: Identity", "var(_cons)"): "s _cons",
        },
    ),
    Case("sleepstudy, weighted", "Reaction ~ Days + (Days | Subject)", SLOPES, "1 + mod(Days, 3) / 2"),
    Case("penicillin, weighted", "diameter ~ 1 + (1 | plate) + (1 | sample)", CROSSED, "w"),
]


@pytest.fixture(params=["ml", "reml"])
def method(request):
    return request.param


@pytest.fixture(params=CASES, ids=lambda case: f"{case.figures}: {case.model}")
def fitted(request, method):
    """The fit, lme4's figures, and which of our variance parameters is which of lme4's."""
    case = request.param
    data = load(case.figures.removesuffix(", weighted"))
    fit = fitted_once(case.model, data, reml=method == "reml", precision_weights=case.precision_weights)
    return fit, FIGURES[case.figures][method], {**case.places, ("", "var(Residual)"): "Residual"}


def test_every_figure_is_used():
    assert {case.figures for case in CASES} == set(FIGURES)


def test_figures(fitted):
    fit, figures, places = fitted
    assert fit.converged
    assert fit.llf == pytest.approx(figures["llf"], rel=1e-7)
    assert fit.llf > figures["llf"] - 1e-6  # lme4 may stop earlier, never higher
    assert fit.params.to_dict() == pytest.approx(figures["params"], rel=1e-6)
    assert fit.bse.to_dict() == pytest.approx(figures["bse"], rel=1e-4)
    assert len(fit.random_params) == len(figures["variances"])
    found = {places[key]: row.estimate for key, row in fit.random_params.iterrows()}
    assert found == pytest.approx(figures["variances"], rel=1e-4)


def test_criteria(fitted):
    fit, figures, _ = fitted
    assert fit.glance().iloc[0][list(figures["criteria"])].to_dict() == pytest.approx(figures["criteria"], rel=1e-5)


def test_a_variance_of_exactly_zero(method):
    """R's Dyestuff2 (Box & Tiao 1973) has less variance between batches than within them."""
    fit = sparsemixed.mixed("Yield || Batch:", load("dyestuff2"), reml=method == "reml")
    batch = fit.random_params.loc[("Batch: Identity", "var(_cons)")]
    assert batch["estimate"] == 0.0 == FIGURES["dyestuff2"][method]["variances"]["Batch _cons"]
    assert batch[["std_err", "ci_low", "ci_high"]].isna().all()
    assert "var(_cons) of Batch is 0" in fit.status
    assert fit.converged
    assert np.isfinite(fit.bse["_cons"])


def test_insteval_deviance():
    """-2 log likelihood of three crossed factors to four decimals, from few factorizations."""
    fit = sparsemixed.mixed("y service || _all: R.d || _all: R.dept || s:", load("insteval"))
    assert -2 * fit.llf == pytest.approx(-2 * FIGURES["insteval"]["ml"]["llf"], abs=1e-4)
    assert fit.fit.factorizations <= 15
