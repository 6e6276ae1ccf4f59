"""emonly, emiterate, emtolerance, emlog, emdots."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import sparsemixed
from property_tests.test_fits import COMMANDS, frame
from property_tests.test_residual_fits import longitudinal
from sparsemixed.errors import OptionError


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("model", COMMANDS)
def test_em_alone_climbs_to_the_maximum(model, reml):
    """EM stops where a step moves the log likelihood by 1e-12 of itself. Its pace is linear: what is left is at most a hundred
    such steps where each leaves 0.99 of the distance, as the slowest here do."""
    data = frame(0)
    newton = sparsemixed.mixed(model, data, reml=reml)
    fit = sparsemixed.mixed(model, data, reml=reml, emonly=True, emiterate=5000, emtolerance=1e-12)
    assert fit.converged
    assert "emtolerance" in fit.fit.message
    assert newton.llf - 1e-6 < fit.llf <= newton.llf + 1e-9
    path = [entry.llf for entry in fit.fit.em_log]
    assert all(after >= before - 1e-10 for before, after in itertools.pairwise(path))
    assert path[-1] == pytest.approx(fit.llf, abs=1e-7)  # but for what settling on the boundary may cost
    np.testing.assert_allclose(fit.params, newton.params, atol=1e-3)
    # The predicted distance from the maximum is what it says.
    assert fit.fit.gradient_norm == pytest.approx(newton.llf - fit.llf, rel=0.2, abs=1e-9)


def test_no_standard_errors_of_variance_parameters():
    fit = sparsemixed.mixed("y x || g: x, cov(un) emonly", frame(0))
    assert fit.fit.information is None
    assert fit.random_params[["std_err", "ci_low", "ci_high"]].isna().all(axis=None)
    assert np.isfinite(fit.bse).all()
    assert fit.fit.log == ()
    assert (fit.e["emonly"], fit.e["opt"]) == ("emonly", "EM")
    assert "Maximized by EM alone (option emonly)" in str(fit).replace("\n      ", " ")


def test_twenty_iterations_unless_asked_otherwise():
    data = frame(1)
    fit = sparsemixed.mixed("y x || g: x, cov(un) emonly", data)
    assert fit.fit.iterations == fit.e["ic"] == len(fit.fit.em_log) - 1 == 20
    assert (fit.converged, fit.e["converged"], fit.e["rc"]) == (False, 0, 430)
    assert "emiterate(20) reached" in fit.status
    assert "raise emiterate()" in fit.status
    assert sparsemixed.mixed("y x || g: x, cov(un) emonly emiterate(7)", data).fit.iterations == 7
    assert sparsemixed.mixed("y x || g: x, cov(un) emonly emiterate(0)", data).fit.iterations == 0
    assert len(sparsemixed.mixed("y x || g: x, cov(un)", data).fit.em_log) == 1
    loose = sparsemixed.mixed("y x || g: x, cov(un) emonly emtolerance(1e-3)", data)
    assert loose.converged
    assert loose.fit.iterations < 5


def test_em_before_newton():
    data = frame(1)
    newton, both = (sparsemixed.mixed("y x || g: x, cov(un)", data, emiterate=n) for n in (0, 10))
    assert len(both.fit.em_log) == 11
    assert both.fit.em_log[-1].llf > both.fit.em_log[0].llf
    assert both.fit.log[0].llf == both.fit.em_log[-1].llf
    assert both.llf == pytest.approx(newton.llf, rel=1e-10)


@pytest.mark.parametrize("reml", [False, True])
def test_em_starts_fits_with_residual_structures_too(reml):
    """It runs as if the errors were independent (manual: `EM is used to obtain starting values`)."""
    data = longitudinal(1)
    plain, fit = (sparsemixed.mixed("y x || g: x, residuals(ar 1, t(t))", data, reml=reml, emiterate=n) for n in (0, 5))
    independent = sparsemixed.mixed("y x || g: x, emonly emiterate(5)", data, reml=reml)
    assert [entry.llf for entry in fit.fit.em_log] == pytest.approx([entry.llf for entry in independent.fit.em_log], rel=1e-12)
    assert fit.fit.log[0].llf != plain.fit.log[0].llf
    assert fit.llf == pytest.approx(plain.llf, rel=1e-10)


@pytest.mark.parametrize(
    ("model", "keywords", "both"),
    [
        ("y x [fweight=w] || g:, emonly", {}, r"emonly .* not with \[fweight=w\]"),
        ("y x [pweight=w] || g:, emonly", {}, r"emonly .* not with \[pweight=w\]"),
        ("y x || g:, emonly", {"precision_weights": "w"}, "emonly .* not with precision_weights='w'"),
        ("y ~ x + (1 | g)", {"emonly": True, "fweights": "w"}, r"emonly=True .* not with \[fweight=w\]"),
        ("y x || g:, emonly residuals(ar 1, t(t))", {}, r"emonly .* residuals\(ar 1, t\(t\)\)"),
        ("y x || g:, emonly residuals(independent, by(w))", {}, r"emonly .* residuals\(independent, by\(w\)\)"),
        ("y x || g:, emonly", {"residuals": "exchangeable"}, "emonly .* residuals='exchangeable'"),
    ],
)
def test_refused(model, keywords, both):
    data = frame(0).assign(w=1.0, t=range(80))
    with pytest.raises(OptionError, match=both):
        sparsemixed.mixed(model, data, **keywords)


def test_independent_residuals_may_be_written_out():
    data = frame(0)
    one, other = (sparsemixed.mixed(f"y x || g:, emonly {option}", data) for option in ("", "residuals(independent)"))
    assert one.llf == other.llf


def test_the_log_of_em():
    fit = sparsemixed.mixed("y x || g: x, cov(un) emonly emiterate(120)", frame(1))
    assert "EM optimization" not in str(fit)
    shown = fit.summary(log=True)
    assert shown.startswith("Performing EM optimization ...\nIteration 0:  Log likelihood = ")
    assert shown.count("\nIteration ") == 121
    assert "gradient-based" not in shown
    dots = fit.summary(emdots=True)
    assert f"EM optimization ...\n{'.' * 50}    50\n{'.' * 50}   100\n{'.' * 20}\n" in dots
    assert "Iteration" not in dots


def test_em_log_before_newton_is_shown_on_request():
    fit = sparsemixed.mixed("y x || g: x, cov(un) emiterate(3)", frame(1))
    plain, lines, dots = (fit.summary(**options) for options in ({"log": True}, {"emlog": True}, {"log": True, "emdots": True}))
    assert [text.count("EM optimization ...\nIteration 0:") for text in (plain, lines, dots)] == [0, 1, 0]
    assert "EM optimization ...\n...\n\nPerforming gradient" in dots
    assert lines.count("Iteration 0:") == 2
    assert fit.summary(emlog=True, log=False) == str(fit)
    typed = sparsemixed.mixed("y x || g: x, cov(un) emiterate(3) emlog", frame(1))
    assert str(typed).startswith(lines[:200])


def test_without_em_nothing_is_said_of_it():
    assert "EM" not in sparsemixed.mixed("y x || g:", frame(1)).summary(log=True)


def test_progress_of_em_alone():
    seen = []
    fit = sparsemixed.mixed("y x || g:, emonly", frame(0), progress=seen.append)
    assert seen == list(fit.fit.em_log[1:])


def test_models_without_random_effects_need_no_em():
    fit = sparsemixed.mixed("y x, emonly", frame(0))
    assert fit.converged
    assert "EM" not in fit.summary(log=True)
