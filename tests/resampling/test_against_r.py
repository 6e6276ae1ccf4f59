"""lme4's parametric bootstrap and pbkrtest's bootstrap of a likelihood ratio, within the Monte Carlo errors of both."""

from __future__ import annotations

import numpy as np
import pytest

import sparsemixed
from tests.golden import golden
from tests.golden.samples import sample

REPS = 20_000


@pytest.mark.slow
def test_quantiles_of_bootmer():
    figures = golden("resampling")["sleepstudy"]
    fit = sparsemixed.mixed("Reaction ~ Days + (Days | Subject)", sample("sleepstudy"))
    found = fit.bootstrap(REPS, seed=1)
    for name, quantiles in figures["quantiles"].items():
        own = np.sort(found.replicates[name])
        # Each of their quantiles is one of nsim draws: the share of ours below it is p up to its binomial error.
        share = np.searchsorted(own, quantiles) / REPS
        p = np.array(figures["probabilities"])
        error = np.sqrt(p * (1 - p) * (1 / figures["nsim"] + 1 / REPS))
        assert np.all(np.abs(share - p) < 4 * error), name
    errors = figures["std_err"]
    for name in errors:
        assert found.bse[name] == pytest.approx(errors[name], rel=4 / np.sqrt(figures["nsim"]))


@pytest.mark.slow
def test_the_pvalue_of_pbmodcomp():
    figures = golden("resampling")["sleepstudy, quadratic"]
    models = ("Reaction ~ Days + I(Days^2) + (Days | Subject)", "Reaction ~ Days + (Days | Subject)")
    found = sparsemixed.lrtest(*(sparsemixed.mixed(model, sample("sleepstudy")) for model in models), bootstrap=REPS, seed=1)
    assert found.statistic == pytest.approx(figures["statistic"], abs=1e-4)
    p = found.pvalue
    assert abs(p - figures["pvalue"]) < 4 * np.sqrt(p * (1 - p) * (1 / REPS + 1 / figures["nsim"]))
