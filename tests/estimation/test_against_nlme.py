"""The same residual structures by R's nlme, an independent implementation: `gls()` without and `lme()` with a random intercept.

nlme's log restricted likelihood has no term + 1/2 log|X'X|, as ours has none, so nothing is converted. nlme knows no by(): where
the fixed part is separate for every level, the fit is that of each level alone, and the figures are those of two fits put
together.
"""

from __future__ import annotations

import pytest

import sparsemixed
from tests.golden import golden, load

FIGURES = golden("nlme")

OVARY = "follicles s c || Mare:, {}residuals({}, t(t))"
GROWTH = "distance age i.Sex || Subject:, {}residuals({})"
RATS = "weight i.Diet##c.Time || Rat:, {}residuals({})"
WAVES = "y x i.arm##c.t || g:, {}residuals({})"
MOVING = WAVES.replace("y ", "z ", 1)
NONE = "noconstant "
MODELS = {
    "ovary ar 1": OVARY.format(NONE, "ar 1"),
    "ovary ar 2": OVARY.format(NONE, "ar 2"),
    "ovary ma 1": OVARY.format(NONE, "ma 1"),
    "ovary ma 2": OVARY.format(NONE, "ma 2"),
    "ovary ar 1, intercept": OVARY.format("", "ar 1"),
    "ovary ar 2, intercept": OVARY.format("", "ar 2"),
    "ovary ma 1, intercept": OVARY.format("", "ma 1"),
    "ovary ma 2, intercept": OVARY.format("", "ma 2"),
    "ovary exponential": OVARY.format(NONE, "exponential").replace("t(t)", "t(Time)"),
    "orthodont exchangeable": GROWTH.format(NONE, "exchangeable"),
    "orthodont ar 1": GROWTH.format(NONE, "ar 1, t(visit)"),
    "orthodont unstructured": GROWTH.format(NONE, "unstructured, t(age)"),
    "orthodont independent": GROWTH.format(NONE, "independent, by(Sex)"),
    "orthodont independent, intercept": GROWTH.format("", "independent, by(Sex)"),
    "rats exponential": RATS.format(NONE, "exponential, t(Time)"),
    "rats exponential, intercept": RATS.format("", "exponential, t(Time)"),
    "rats independent, intercept": RATS.format("", "independent, by(Diet)"),
    "waves ar 1": WAVES.format(NONE, "ar 1, t(t)"),
    "waves ar 2": WAVES.format(NONE, "ar 2, t(t)"),
    "waves ma 1": MOVING.format(NONE, "ma 1, t(t)"),
    "waves ma 2": MOVING.format(NONE, "ma 2, t(t)"),
    "waves exchangeable": WAVES.format(NONE, "exchangeable"),
    "waves exponential": WAVES.format(NONE, "exponential, t(t)"),
    "waves ar 1, intercept": WAVES.format("", "ar 1, t(t)"),
    "waves ma 1, intercept": MOVING.format("", "ma 1, t(t)"),
    "waves independent, intercept": WAVES.format("", "independent, by(arm)"),
    "fev unstructured": "fev1 i.race i.sex i.armcd##i.avisit || usubjid:, noconstant residuals(unstructured, t(avisit))",
    "orthodont ar 1, by": "distance ibn.Sex ibn.Sex#c.age, noconstant || Subject:, noconstant residuals(ar 1, t(visit) by(Sex))",
    "orthodont unstructured, by": "distance ibn.Sex ibn.Sex#c.age, noconstant "
    "|| Subject:, noconstant residuals(unstructured, t(age) by(Sex))",
    "waves ar 1, by": "y ibn.arm ibn.arm#c.x, noconstant || g:, noconstant residuals(ar 1, t(t) by(arm))",
    "waves ar 2, by": "y ibn.arm ibn.arm#c.x, noconstant || g:, noconstant residuals(ar 2, t(t) by(arm))",
    "waves exchangeable, by": "y ibn.arm ibn.arm#c.x, noconstant || g:, noconstant residuals(exchangeable, by(arm))",
    "waves exponential, by": "y ibn.arm ibn.arm#c.x, noconstant || g:, noconstant residuals(exponential, t(t) by(arm))",
}


def test_every_figure_is_used():
    assert {*MODELS, "oats between and within"} == set(FIGURES)


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("name", MODELS)
def test_figures(name, method):
    """nlme takes numerical derivatives: where the likelihood is flat to the last digit, parameters have half of its digits."""
    figures = FIGURES[name][method]
    fit = sparsemixed.mixed(MODELS[name], load(name.split()[0]), reml=method == "reml")
    assert fit.converged
    assert fit.llf == pytest.approx(figures["llf"], rel=1e-7)
    assert fit.llf > figures["llf"] - 1e-7  # nlme may stop earlier, never higher
    found = fit.random_params["estimate"].droplevel("equation").to_dict()
    # Small parameters are known as well as the large ones beside them.
    largest = max(1.0, *figures["variances"].values())
    assert found == pytest.approx(figures["variances"], rel=1e-4, abs=2e-5 * largest)
    if not name.endswith(", by"):
        largest = max(map(abs, figures["params"].values()))
        assert fit.params.to_dict() == pytest.approx(figures["params"], rel=1e-4, abs=2e-6 * largest)


def test_the_trial_of_mmrm():
    """Four visits of 200 patients, half of the visits missed: -2 log restricted likelihood as mmrm's documentation prints it."""
    figures = golden("mmrm")["fev unstructured"]
    fit = sparsemixed.mixed(MODELS["fev unstructured"], load("fev"), reml=True)
    assert fit.nobs == figures["nobs"]
    assert -2 * fit.llf == pytest.approx(figures["deviance"], abs=0.05)  # one printed decimal
