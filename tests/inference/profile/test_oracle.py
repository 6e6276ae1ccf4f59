"""Limits of random models of every structure against deviances from V alone, which know nothing of the engine."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import sparsemixed
from sparsemixed.errors import SparseMixedError
from sparsemixed.inference.hypotheses.distributions import z_critical
from sparsemixed.inference.profile.targets import variance_targets
from tests.oracles.dense_profile import DenseProfile
from tests.oracles.random_models import RandomModel, random_model

Q = z_critical(95.0) ** 2
TOLERANCE = 1e-6
"""Of deviances; limits are as exact as their square by the slope of the profile."""


def profile_of(seed: int):
    """The model, its fit and the limits; None where the fit has no profile."""
    model = random_model(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = sparsemixed.mixed(model.command, model.data, **model.options)
            return model, fit, fit.profile(stddeviations=seed % 2 == 0)
        except SparseMixedError:
            return None


def check(seed: int) -> int:
    """Every limit that Newton's method found; how many there were."""
    found = profile_of(seed)
    if found is None:
        return 0
    model, _, profile = found
    checked = 0
    for target, pair in zip(profile.targets, profile.ends, strict=True):
        column = target.coefficients[0] if target.coefficients else None
        for end in pair:
            if end.how in ("root", "bracket"):
                _check_limit(model, DenseProfile(model, column), profile.sources.of(target).fit, target, end)
                checked += 1
    return checked


def _check_limit(model: RandomModel, dense: DenseProfile, fit, target, end) -> None:
    every = variance_targets(fit, False)
    printed = np.array([one.psi(end.place.x).value for one in every])
    best = np.array([one.estimate for one in fit.variances])
    bottom = -2.0 * fit.llf if dense.column is not None else dense.deviance(best)
    if dense.column is not None:
        assert end.place.x[-1] == pytest.approx(end.value)
        assert dense.deviance(best, fit.beta[dense.column]) == pytest.approx(bottom, abs=1e-7)
    rise = dense.deviance(printed, end.value) - bottom
    assert rise == pytest.approx(Q, abs=TOLERANCE), target.name
    # Nothing lower has this value: all other parameters at their best. (A correlation is no printed parameter of the oracle.)
    if target.kind != "correlation" or target.equation.startswith("Residual: Toeplitz"):
        names = [one.name for one in variance_targets(fit, True)] + [one.name for one in every]
        place = None if dense.column is not None else names.index(target.name) % len(every)
        assert dense.lowest(printed, end.value, place) - bottom > Q - 1e-4, target.name


@pytest.mark.parametrize("seed", [0, 2, 3, 45])
def test_limits_are_where_the_dense_deviance_has_risen(seed):
    assert check(seed) > 0


@pytest.mark.parametrize(("seed", "name", "sides"), [(45, "rho", (0,)), (82, "theta1", (0, 1))])
def test_where_the_deviance_goes_level_the_limit_is_the_end_of_the_range(seed, name, sides):
    """An exponential correlation of 0 and a moving average of 1 cost less than a limit does; steps end on the way there."""
    _, _, profile = profile_of(seed)
    place = [target.name for target in profile.targets].index(name)
    target = profile.targets[place]
    for side in sides:
        assert profile.ends[place][side].how == "boundary"
        assert (profile.low, profile.high)[side][place] == target.range[side]
    assert "boundary" in profile.note


@pytest.mark.parametrize(("seed", "name", "side"), [(121, "rho", 1), (126, "theta1", 0)])
def test_an_estimate_at_the_end_of_its_range_has_a_limit_inside(seed, name, side):
    found = profile_of(seed)
    assert found is not None
    model, _, profile = found
    place = [target.name for target in profile.targets].index(name)
    target, pair = profile.targets[place], profile.ends[place]
    assert pair[1 - side].how == "boundary"
    _check_limit(model, DenseProfile(model), profile.sources.of(target).fit, target, pair[side])


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(300))
def test_limits_of_three_hundred_models(seed):
    check(seed)
