"""Formulas as public tutorials have them: 49 that lme4 fits, and others that are no linear mixed models, with what is said."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from sparsemixed.design.fixed.coefficient_names import CoefficientNames
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
