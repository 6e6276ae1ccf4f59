"""Two thousand random small models against their likelihood from V alone (`tests.oracles.random_models`).

A converged fit must have the likelihood that its printed parameters imply, must not lie below the linear model that it nests, and
must have the standard errors that the likelihood's curvature implies, or say which are undefined; now and then a flat or
many-peaked likelihood has a better optimum elsewhere, which is counted.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np
import pytest

import sparsemixed
from sparsemixed.errors import SparseMixedError
from tests.oracles.covariance_parts import residual_part
from tests.oracles.random_models import RandomModel, random_model

LIKELIHOOD, NESTED, BETTER, STANDARD_ERROR = 1e-5, 1e-6, 1e-2, 1e-3


@dataclass
class Count:
    """What became of the models."""

    converged: int = 0
    refused: int = 0
    unconverged: int = 0
    std_errs: int = 0
    faults: list[str] = field(default_factory=list)
    better: list[str] = field(default_factory=list)


def check(seed: int, count: Count, elsewhere: bool) -> None:
    """Fit one model and count what was found; `std_errs` counts the standard errors of variance parameters that were compared."""
    model = random_model(seed)
    said = f"seed {seed}: {model.command} {model.options}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = sparsemixed.mixed(model.command, model.data, **model.options)
        except SparseMixedError:
            count.refused += 1
            return
    if not fit.converged:
        count.unconverged += 1
        return
    count.converged += 1
    printed = fit.random_params["estimate"].to_numpy()
    llf = model.llf(printed)
    if not abs(llf - fit.llf) <= LIKELIHOOD:
        count.faults.append(f"{said}: log likelihood {fit.llf:.6f}, the printed parameters have {llf:.6f}")
    if fit.llf < model.linear_llf() - NESTED:
        count.faults.append(f"{said}: log likelihood {fit.llf:.6f}, the linear model has {model.linear_llf():.6f}")
    compared, wrong = _std_errs(model, fit, printed)
    count.std_errs += compared
    count.faults += [f"{said}: {fault}" for fault in wrong]
    if elsewhere and (best := model.best_elsewhere(seed, fit.llf + BETTER)) > fit.llf + BETTER:
        count.better.append(f"{said}: log likelihood {fit.llf:.6f}, elsewhere {best:.6f}")


def _std_errs(model: RandomModel, fit: sparsemixed.Results, printed: np.ndarray) -> tuple[int, list[str]]:
    """How many of the variance parameters' were compared, and what is wrong with those and the coefficients'.

    Variances of zero are held there; where correlations are at their limits, the curvature inside says nothing. Compared is only
    where the curvature is known well enough: two steps of the differences agree.
    """
    std_err = fit.random_params["std_err"].to_numpy()
    missing = ~np.isfinite(std_err)
    wrong = [
        f"no standard error of {parameter.label}, which is neither on a boundary nor unidentified"
        for parameter, none in zip(fit.fit.variances, missing, strict=True)
        if none and not parameter.boundary and parameter.identified
    ]
    right = model.fixed_std_errs(printed)
    if not np.allclose(fit.bse, right, rtol=STANDARD_ERROR, atol=0.0):
        wrong.append(f"standard errors of coefficients {np.asarray(fit.bse)}, from V {right}")
    if np.any(printed[missing] != 0.0) or any("limit" in name for name in fit.fit.boundary_names):
        return 0, wrong
    numerical = model.numerical_std_errs(printed, ~missing)
    known = np.isfinite(numerical) & ~missing
    wrong += [
        f"standard error {std_err[k]:.6g} of {fit.fit.variances[k].label}, by differences {numerical[k]:.6g}"
        for k in np.flatnonzero(known)
        if abs(std_err[k] - numerical[k]) > STANDARD_ERROR * numerical[k]
    ]
    return int(known.sum()), wrong


def test_random_models():
    count = Count()
    for seed in range(40):
        check(seed, count, elsewhere=False)
    assert not count.faults, "\n".join(count.faults)
    assert count.converged > 25
    assert count.std_errs > 60


@pytest.mark.parametrize("seed", range(12))
def test_slopes_of_the_likelihood_are_those_of_its_values(seed: int):
    """The searches and standard errors by differences rest on them."""
    model = random_model(seed)
    free = np.random.default_rng(seed).uniform(-0.5, 0.5, model.size)
    value, score = model.score(free)
    assert value == pytest.approx(model.llf(model.printed(free)), abs=1e-9)
    for k, move in enumerate(1e-5 * np.eye(model.size)):
        change = model.llf(model.printed(free + move)) - model.llf(model.printed(free - move))
        assert score[k] == pytest.approx(change / 2e-5, rel=1e-5, abs=1e-6)


def test_draws_of_narrow_matrices_are_positive_definite():
    """Whatever the numbers are; searches would stand still elsewhere."""
    group, t = np.repeat(np.arange(3), 4), np.tile(np.arange(4.0), 3)
    for word, order in (("toeplitz", 1), ("toeplitz", 2), ("banded", 1), ("ma", 2), ("ar", 2)):
        part = residual_part(word, order, group, t, None, np.ones(12))
        for seed in range(20):
            free = 2.0 * np.random.default_rng(seed).normal(size=part.size)
            assert np.linalg.eigvalsh(part.share(part.family.draw(free)))[0] > 0.0


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(10))
def test_two_thousand_random_models(part: int):
    """At most one model of each two hundred may have a better optimum within reach of five random starts."""
    count = Count()
    for seed in range(1000 + 200 * part, 1200 + 200 * part):
        check(seed, count, elsewhere=True)
    assert not count.faults, "\n".join(count.faults)
    assert len(count.better) <= 1, "\n".join(count.better)
