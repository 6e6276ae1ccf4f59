"""Formulas as public tutorials have them: 49 that lme4 fits, and others that are no linear mixed models, with what is said."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from sparsemixed.design.fixed.coefficient_names import CoefficientNames
from sparsemixed.errors import SparseMixedError
from tests.golden import golden, load

TUTORIALS = golden("tutorials")


def test_there_are_forty_nine_with_their_sources():
    assert len(TUTORIALS) == 49
    assert all(figures["source"] for figures in TUTORIALS.values())


@pytest.mark.filterwarnings("ignore")  # of boundaries, on which lme4 ends as well
@pytest.mark.parametrize("formula", TUTORIALS)
def test_figures_of_lme4(formula):
    expected, data = TUTORIALS[formula], load(TUTORIALS[formula]["data"])
    ml, reml = sparsemixed.mixed(formula, data), sparsemixed.mixed(formula, data, reml=True)
    assert ml.llf == pytest.approx(expected["ml"], abs=1e-6)
    assert reml.llf == pytest.approx(expected["reml"], abs=1e-6)
    names = CoefficientNames(ml.fit.design.columns, ml.fit.spec)
    estimates = np.append(ml.fit.beta, 0.0)
    found = {name: estimates[-1 if (at := names.place(name)) is None else at] for name in expected["params"]}
    assert found == pytest.approx(expected["params"], rel=1e-6, abs=1e-6)


OTHERS = {
    "cbind(incidence, size - incidence) ~ period + (1 | herd)": ({}, "one response, with Gaussian errors"),  # lme4, ?glmer
    "use ~ urban + poly(age, 2):urban + (poly(age, 2) | district)": ({"family": "binomial"}, "the models here are linear"),
    "circumference ~ SSlogis(age, Asym, xmid, scal) ~ Asym | Tree": ({}, "belongs inside"),  # lme4, ?nlmer
    "Reaction ~ s(Days, k = 4) + (1 | Subject)": ({}, "smooths of gamm4"),  # gamm4
    "Reaction ~ Days + cs(1 + Days | Subject)": (
        {},
        "with two effects us\\(\\) is the same model",
    ),  # lme4 2
    "Reaction ~ 1 + ar1(0 + Daysf | Subject)": ({}, "an option, residuals="),  # lme4 2, glmmTMB
    "affect ~ group + day + I(day^2) + (day||ID) + (I(day^2)||ID)": ({}, "a random effect by ID twice"),  # stackexchange 396144
}
"""Formulas of tutorials that are no linear mixed models, or have no estimate: options besides, and what the message says."""


@pytest.mark.parametrize("formula", OTHERS)
def test_other_models_get_one_message(formula):
    options, message = OTHERS[formula]
    with pytest.raises(SparseMixedError, match=message) as caught:
        sparsemixed.mixed(formula, load("sleepstudy"), **options)
    assert len(str(caught.value).splitlines()[0]) < 400
