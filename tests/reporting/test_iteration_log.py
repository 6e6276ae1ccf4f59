"""trace, gradient, hessian, showstep, showtolerance: what the log keeps and shows."""

from __future__ import annotations

import re

import numpy as np
import pytest

import sparsemixed
from property_tests.test_fits import frame
from property_tests.test_residual_fits import longitudinal
from sparsemixed.estimation.estimate import refactor_at_optimum
from sparsemixed.reporting.iteration_log import parameter_names
from sparsemixed.reporting.number_format import general

MODEL = "y x || g: x, cov(un) || h:, "


@pytest.fixture(scope="module")
def fit():
    return sparsemixed.mixed(MODEL, frame(1))


def blocks(text):
    """The part of every iteration."""
    log = text.partition("optimization: \n")[2].partition("\n\nComputing")[0]
    return re.split(r"^(?=Iteration )", log, flags=re.MULTILINE)[1:]


def test_entries_hold_score_and_information_in_units_of_the_log_likelihood(fit):
    objective, _, _ = refactor_at_optimum(fit.fit)
    for entry in fit.fit.log:
        derivatives = objective.derivatives(objective.evaluate(entry.theta))
        np.testing.assert_allclose(entry.score, -0.5 * derivatives.gradient, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(entry.information, 0.5 * derivatives.observed_information.profiled, rtol=1e-8, atol=1e-8)
    # Half the deviance's decrement, the predicted distance of the log likelihood.
    for entry, after in zip(fit.fit.log[-3:], fit.fit.log[-2:], strict=False):
        assert 0.5 * entry.decrement == pytest.approx(after.llf - entry.llf, rel=0.05, abs=1e-9)
    np.testing.assert_allclose(fit.fit.log[-1].theta, fit.fit.theta, rtol=1e-12)


def test_names_of_parameters(fit):
    assert parameter_names(fit.fit) == ["g:1", "g:2", "g:3", "h:1"]
    longitudinal_fit = sparsemixed.mixed("y x || g: x || g:, residuals(ar 2, t(t))", longitudinal(1))
    assert parameter_names(longitudinal_fit.fit) == ["g:1", "g:2", "Residual:1", "Residual:2"]


@pytest.mark.parametrize(("option", "label"), [("trace", "parameters"), ("gradient", "gradient"), ("hessian", "-H g:2")])
def test_vectors_and_matrices(fit, option, label):
    shown = blocks(fit.summary(**{option: True}))
    assert len(shown) == len(fit.fit.log)
    for entry, text in zip(fit.fit.log, shown, strict=True):
        values = {"trace": entry.theta, "gradient": entry.score, "hessian": entry.information[1]}[option]
        (row,) = (line for line in text.splitlines() if line.strip().startswith(label))
        assert row.partition("|")[2].split() == [general(value) for value in values]
        assert "g:1         g:2" in text
        assert text.count("|") == (5 if option == "hessian" else 2)


def test_wide_matrices_continue_below():
    fit = sparsemixed.mixed("y x || g: x z, cov(un) iterate(1)", frame(1))
    first = blocks(fit.summary(trace=True))[0].splitlines()
    assert [line.split("|")[1].split() for line in first if "g:" in line] == [["g:1", "g:2", "g:3", "g:4", "g:5"], ["g:6"]]
    assert max(map(len, first)) <= 80


def test_steps(fit):
    refused = [entry for entry in fit.fit.log if entry.backed_up]
    assert refused, "the example needs a step that is refused"
    for entry, text in zip(fit.fit.log, blocks(fit.summary(showstep=True)), strict=True):
        assert entry.backed_up == bool(entry.refused) == ("refused" in text)
        assert ("taken" in text) == (entry.iteration > 0)
        assert all(size > entry.step for size in entry.refused)
    assert "Scaled step: 1, .25 refused, .0625 taken" in fit.summary(showstep=True)


def test_tolerances(fit):
    shown = blocks(fit.summary(showtolerance=True))
    assert "nrtolerance:" in shown[0]
    assert "tolerance:          .  (limit 1e-06)" in shown[0]
    last = fit.fit.log[-1]
    assert f"nrtolerance: {last.decrement:.2e}  (limit 1e-11)" in shown[-1]
    assert f"tolerance:   {last.step:.2e}  (limit 1e-06)" in shown[-1]
    assert f"ltolerance:  {last.change:.2e}  (limit 1e-09)" in shown[-1]
    assert last.decrement <= 1e-11
    assert "(off)" in sparsemixed.mixed(MODEL + "nonrtolerance showtolerance", frame(1)).summary()


def test_techniques_are_announced():
    text = sparsemixed.mixed(MODEL + "technique(bfgs 2 nr 2) log", frame(1)).summary()
    assert "(setting technique to bfgs)\nIteration 0:" in text
    assert "(switching technique to nr)\nIteration 2:" in text
    assert "technique" not in sparsemixed.mixed(MODEL + "log", frame(1)).summary()


def test_any_of_them_asks_for_the_log_and_nolog_hides_it(fit):
    for option in ("trace", "gradient", "hessian", "showstep", "showtolerance", "emlog", "emdots"):
        assert "Iteration 0:" in fit.summary(**{option: True})
        assert fit.summary(**{option: True}, log=False) == str(fit)
        typed = sparsemixed.mixed(f"{MODEL} {option}", frame(1))
        assert str(typed) == fit.summary(**{option: True})
        assert str(sparsemixed.mixed(f"{MODEL} {option} nolog", frame(1))) == str(fit)
    assert "Iteration" not in str(fit)


def test_fits_in_closed_form_have_one_line():
    text = sparsemixed.mixed("y x, trace gradient hessian showstep showtolerance", frame(1)).summary()
    assert text.count("Iteration 0:") == 1
    assert "tolerance" not in text
