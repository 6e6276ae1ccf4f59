"""Two thousand random small models against their likelihood from V alone (`tests.oracles.random_models`).

A converged fit must have the likelihood that its printed parameters imply, must not lie below the linear model that it nests, and
must have the standard errors that the likelihood's curvature implies; now and then a flat or many-peaked likelihood has a better
optimum elsewhere, which is counted.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np
import pytest

import sparsemixed
from sparsemixed.errors import SparseMixedError
from tests.oracles.random_models import RandomModel, random_model

LIKELIHOOD, NESTED, BETTER, STANDARD_ERROR = 1e-5, 1e-6, 1e-2, 1e-3


@dataclass
class Count:
    """What became of the models."""

    converged: int = 0
    refused: int = 0
    unconverged: int = 0
    faults: list[str] = field(default_factory=list)
    better: list[str] = field(default_factory=list)


def check(seed: int, count: Count, elsewhere: bool) -> None:
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
    printed, std_err = (fit.random_params[name].to_numpy() for name in ("estimate", "std_err"))
    llf = model.llf(printed)
    if not abs(llf - fit.llf) <= LIKELIHOOD:
        count.faults.append(f"{said}: log likelihood {fit.llf:.6f}, the printed parameters have {llf:.6f}")
    if fit.llf < model.linear_llf() - NESTED:
        count.faults.append(f"{said}: log likelihood {fit.llf:.6f}, the linear model has {model.linear_llf():.6f}")
    if not fit.fit.boundary_names and np.isfinite(std_err).all():
        count.faults += [f"{said}: {wrong}" for wrong in _wrong_std_errs(model, printed, std_err)]
    if elsewhere and (best := model.best_elsewhere(seed)) > fit.llf + BETTER:
        count.better.append(f"{said}: log likelihood {fit.llf:.6f}, elsewhere {best:.6f}")


def _wrong_std_errs(model: RandomModel, printed: np.ndarray, std_err: np.ndarray) -> list[str]:
    """Only where the curvature is known well enough: two steps of the differences agree."""
    numerical = model.numerical_std_errs(printed)
    return [
        f"standard error {found:.6g} of parameter {k}, by differences {right:.6g}"
        for k, (found, right) in enumerate(zip(std_err, numerical, strict=True))
        if np.isfinite(right) and abs(found - right) > STANDARD_ERROR * right
    ]


def test_random_models():
    count = Count()
    for seed in range(40):
        check(seed, count, elsewhere=False)
    assert not count.faults, "\n".join(count.faults)
    assert count.converged > 25


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(10))
def test_two_thousand_random_models(part: int):
    """At most one model of each two hundred may have a better optimum within reach of five random starts."""
    count = Count()
    for seed in range(1000 + 200 * part, 1200 + 200 * part):
        check(seed, count, elsewhere=True)
    assert not count.faults, "\n".join(count.faults)
    assert len(count.better) <= 1, "\n".join(count.better)
