"""Likelihood-ratio tests with force, criteria, and composite models."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

import sparsemixed
from sparsemixed.datasets import simulate_longitudinal
from sparsemixed.errors import OptionError


@pytest.fixture(scope="module")
def data():
    data = simulate_longitudinal(40, 5, seed=3)
    data["arm"] = data.id % 2
    return data


def test_composite_models_add_up(data):
    """Whether two arms have one model: the fits to each of them against that to both."""
    parts = [sparsemixed.mixed("y time || id:", data[data.arm == arm]) for arm in (0, 1)]
    whole = sparsemixed.mixed("y time || id:", data)
    found = sparsemixed.lrtest(parts, whole)
    statistic = 2 * (parts[0].llf + parts[1].llf - whole.llf)
    np.testing.assert_allclose([found.statistic, found.df, found.pvalue], [statistic, 4, chi2.sf(statistic, 4)], rtol=1e-12)
    assert sparsemixed.lrtest(whole, tuple(parts)).statistic == found.statistic
    assert "y time || id: nested within (y time || id:; y time || id:)" in " ".join(str(found).split())
    with pytest.raises(OptionError, match="the fits have 100 and 200 observations; fit both models on the same rows"):
        sparsemixed.lrtest(
            parts[:1],
            [
                whole,
            ],
        )
    with pytest.raises(OptionError, match="the models have 100 and 200 observations; their parts must make up the same data"):
        sparsemixed.lrtest([parts[0]], parts)
    by_reml = [sparsemixed.mixed("y time || id:, reml", data[data.arm == arm]) for arm in (0, 1)]
    with pytest.raises(OptionError, match="restricted likelihoods of parts of the data do not add up"):
        sparsemixed.lrtest(by_reml, sparsemixed.mixed("y time || id:, reml", data))
    with pytest.raises(OptionError, match="both models have 8 parameters"):
        sparsemixed.lrtest(parts, parts)


def test_forced_tests_say_why_they_were_not_allowed(data):
    large, small = sparsemixed.mixed("y time || id:, reml", data), sparsemixed.mixed("y || id:, reml", data)
    with pytest.raises(OptionError, match="REML likelihoods with different fixed parts"):
        sparsemixed.lrtest(large, small)
    found = sparsemixed.lrtest(large, small, force=True)
    assert found.statistic == 2 * (large.llf - small.llf)
    assert "force: REML likelihoods with different fixed parts or constraints cannot be compared" in found.note
    same = sparsemixed.mixed("y time || id: time, reml", data)
    assert str(sparsemixed.lrtest(large, same, force=True)) == str(sparsemixed.lrtest(large, same))


def test_criteria_beside_the_test(data):
    large, small = sparsemixed.mixed("y time || id: time", data), sparsemixed.mixed("y time || id:", data)
    found = sparsemixed.lrtest(large, small, stats=True)
    assert found.statistic == sparsemixed.lrtest(large, small).statistic
    np.testing.assert_allclose(found.criteria["AIC"], [large.aic, small.aic], rtol=1e-12)
    np.testing.assert_allclose(found.criteria["BIC"], [large.bic, small.bic], rtol=1e-12)
    assert "Akaike's information criterion and Bayesian information criterion" in str(found)
    assert "ll(model)" in found.to_markdown()
