"""Functions in formulas against lme4: likelihoods, coefficients under R's names, predictions on other rows, saved fits."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import sparsemixed
from sparsemixed.design.fixed.coefficient_names import CoefficientNames
from tests.golden import golden, load

FIGURES = golden("formulas")
DIFFERENT = {
    'log(y) ~ I(u == "left") + as.numeric(w) + (1 | g)': {'I(u == "left")TRUE': 'I(u == "left")'},
}
"""Names of R that are others here."""


pytestmark = pytest.mark.filterwarnings("ignore")
"""Of boundaries and of what is collinear, which R drops as well."""


@cache
def fitted(formula):
    return sparsemixed.mixed(formula, load(FIGURES[formula]["data"]))


@pytest.mark.parametrize("formula", FIGURES)
def test_figures_of_lme4(formula):
    expected, data = FIGURES[formula], load(FIGURES[formula]["data"])
    ml, reml = fitted(formula), sparsemixed.mixed(formula, data, reml=True)
    assert ml.nobs == expected["nobs"]
    assert ml.llf == pytest.approx(expected["ml"], abs=1e-6)
    assert reml.llf == pytest.approx(expected["reml"], abs=1e-6)
    names = CoefficientNames(ml.fit.design.columns, ml.fit.spec)
    estimates = np.append(ml.fit.beta, 0.0)
    renamed = DIFFERENT.get(formula, {})
    found = {name: estimates[-1 if (at := names.place(renamed.get(name, name))) is None else at] for name in expected["params"]}
    assert found == pytest.approx(expected["params"], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("formula", FIGURES)
def test_predictions_of_other_rows_remember_the_data(formula, tmp_path):
    """One row alone, which has no mean and no levels to learn from, by the fit and by the fit saved and loaded."""
    data = load(FIGURES[formula]["data"])
    fit = fitted(formula)
    fit.save(tmp_path / "fit")
    own = fit.predict(what="fitted")
    rows = data.loc[own.index[[3, 50, 200]]]
    for one in (fit, sparsemixed.load(tmp_path / "fit")):
        for row in rows.index:
            found = one.predict(rows.loc[[row]], what="fitted")
            assert found.loc[row] == pytest.approx(own.loc[row], rel=1e-9, abs=1e-9)
