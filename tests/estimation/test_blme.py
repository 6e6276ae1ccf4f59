"""Penalised likelihoods beside blme: the power prior of standard deviations themselves, normal priors of coefficients."""

from __future__ import annotations

import pytest

import sparsemixed
from sparsemixed.priors import BoundaryAvoiding, Normal
from tests.golden import golden, load

MODELS = {
    "dyestuff2": ("dyestuff2", "Yield ~ 1 + (1 | Batch)", "boundary"),
    "dyestuff2_more": ("dyestuff2", "Yield ~ 1 + (1 | Batch)", BoundaryAvoiding(2.5)),
    "sleepstudy_normal": ("sleepstudy", "Reaction ~ Days + (1 | Subject)", {"_cons": Normal(0, 200), "Days": Normal(0, 2)}),
    "penicillin": ("penicillin_unbalanced", "diameter ~ 1 + (1 | plate) + (1 | sample)", "boundary"),
}


@pytest.mark.parametrize("name", MODELS)
def test_figures_of_blme(name):
    sample, formula, prior = MODELS[name]
    figures = golden("blme")[name]
    fit = sparsemixed.mixed(formula, load(sample), prior=prior, reml=name != "sleepstudy_normal")
    groups = {v.equation.partition(":")[0]: v.estimate for v in fit.fit.variances}
    found = {f"{group} (Intercept)" if group else "Residual": value for group, value in groups.items()}
    assert found == pytest.approx(figures["variances"], rel=2e-5)
    for theirs, value in figures["fixef"].items():
        own = "_cons" if theirs == "(Intercept)" else theirs
        assert fit.params[own] == pytest.approx(value, rel=1e-6)
        assert fit.bse[own] == pytest.approx(figures["se"][theirs], rel=1e-5)
