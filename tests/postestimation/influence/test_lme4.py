"""Hat values, Cook's distances and deleted groups against lme4 (`tests/golden/influence.R`)."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from tests.golden import golden, load

FIGURES = golden("influence")
MODELS = {
    "sleepstudy": ("Reaction ~ Days + (Days | Subject)", "sleepstudy", {"reml": True}),
    "sleepstudy, ML": ("Reaction ~ Days + (Days | Subject)", "sleepstudy", {}),
    "sleepstudy, weighted": ("Reaction ~ Days + (Days | Subject)", "sleepstudy", {"reml": True, "precision_weights": "w"}),
    "penicillin": ("diameter ~ 1 + (1 | plate) + (1 | sample)", "penicillin", {"reml": True}),
    "pastes": ("strength ~ 1 + (1 | batch/cask)", "pastes", {"reml": True}),
}


def fitted(name):
    model, sample, options = MODELS[name]
    data = load(sample)
    if name.endswith("weighted"):
        data = data.assign(w=1 + (data.Days % 3) / 2)
    return sparsemixed.mixed(model, data, **options)


@pytest.mark.parametrize("name", MODELS)
def test_hat_values_and_distances_of_fitted_values(name):
    rows, figures = fitted(name).augment(), FIGURES[name]
    assert rows[".hat"].to_numpy() == pytest.approx(np.array(figures["hat"]), rel=1e-5)
    assert rows[".cooksd"].to_numpy() == pytest.approx(np.array(figures["cooksd"]), rel=1e-4, abs=1e-9)


def test_the_sum_of_leverages_of_sleepstudy():
    """The effective number of parameters: MixedModels.jl's tests have 28.611653, at an optimum with fewer digits than here."""
    found = fitted("sleepstudy, ML").leverage().sum()
    assert found == pytest.approx(28.611653, abs=1e-4)
    assert found == pytest.approx(sum(FIGURES["sleepstudy, ML"]["hat"]), rel=1e-7)


@pytest.mark.parametrize("name", MODELS)
def test_groups_left_out_are_refits_without_them(name):
    fit, figures = fitted(name), FIGURES[name]
    found = fit.influence(figures["by"], exact=True, what=["cooks", "dfbeta", "dfbetas", "rvc"])
    found.index = found.index.astype(str)
    names = list(fit.params.index)
    for label, rest in figures["left_out"].items():
        row = found.loc[label]
        delta = np.array([fit.params[x] - rest["beta"][x] for x in names])
        scale = np.abs(fit.bse.to_numpy())
        assert row[[f"dfbeta[{x}]" for x in names]].to_numpy() == pytest.approx(delta, abs=1e-5 * scale.min())
        order = [list(rest["beta"]).index(x) for x in names]
        spread = np.sqrt(np.diag(np.reshape(rest["vcov"], (len(names),) * 2)))[order]
        assert row[[f"dfbetas[{x}]" for x in names]].to_numpy() == pytest.approx(delta / spread, rel=1e-4, abs=1e-5)
        assert row["cooks"] == pytest.approx(rest["cooks"], rel=1e-4, abs=1e-7)
        residual = fit.random_params["estimate"].iloc[-1]
        assert row["rvc[var(Residual)]"] == pytest.approx(rest["variances"]["Residual NA NA"] / residual - 1, abs=2e-5)
