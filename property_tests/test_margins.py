"""Margins of random models of every structure against their definition, row by row (`tests.postestimation.margins`)."""

from __future__ import annotations

import numpy as np
import pytest

from sparsemixed.errors import NotAvailableError, NumericalError
from tests.postestimation.margins.random_margins import (
    RandomCase,
    dense_margins,
    expected,
    random_case,
    stacked_covariance,
)

CLOSE, SLOPES, STACKED = 1e-10, 1e-7, 1e-8


def close(found: np.ndarray, wanted: np.ndarray, relative: float) -> None:
    np.testing.assert_allclose(found, wanted, rtol=relative, atol=relative * max(np.nanmax(np.abs(wanted), initial=0.0), 1e-3))


def check_definition(case: RandomCase) -> None:
    """K is the mean of rows, a margin K b, its variance K V K'."""
    V = case.fit.cov_params().to_numpy()
    for text, margins in expected(case).items():
        found = case.fit.margins(text)
        if not found.estimable.all():
            continue
        estimate, J = dense_margins(case, margins)
        close(found.jacobian, J, SLOPES if "dx" in text or "ex" in text else CLOSE)
        close(found.estimate, estimate, SLOPES if "dx" in text or "ex" in text else CLOSE)
        close(found.covariance, found.jacobian @ V @ found.jacobian.T, CLOSE)


def check_contrasts(case: RandomCase) -> None:
    """Balanced margins are what `contrast` compares; so are all margins of factors without interactions."""
    fit, small = case.fit, case.fit.fit.spec.small_sample is not None
    if case.interacts == "covariates":
        return  # contrast has covariates at zero, margins as they are
    means, theirs = fit.margins("a, asbalanced"), fit.contrast("r.a", small=small)
    if means.estimable.all():
        close(means.estimate[1:] - means.estimate[0], theirs.effects["estimate"].to_numpy(), CLOSE)
    for text in ("r.a, asbalanced", *(["r.a,"] if case.interacts == "additive" else [])):
        mine = fit.margins(text + (" small" if small else ""))
        close(mine.effects.to_numpy(), theirs.effects.to_numpy(), 1e-8)
        close(mine.tests.to_numpy(), theirs.tests.to_numpy(), 1e-8)


def check_unconditional(case: RandomCase) -> None:
    """Variances that account for the sampling of rows are those of stacked estimating equations."""
    for text, margins in expected(case).items():
        fixed = case.fit.margins(text)
        if not fixed.estimable.all():
            continue
        found = case.fit.margins(text + (" " if "," in text else ", ") + "vce(unconditional)")
        close(found.covariance, stacked_covariance(case, margins), STACKED)
        np.testing.assert_array_equal(found.jacobian, fixed.jacobian)


def check(seeds: range) -> int:
    done = 0
    for seed in seeds:
        case = random_case(seed)
        if case is not None:
            check_definition(case)
            check_contrasts(case)
            done += 1
    return done


def check_sampling(seeds: range) -> int:
    done = 0
    for seed in seeds:
        case = random_case(seed, ml=True)
        if case is None or "at its limit" in case.fit.status:
            continue  # nothing to fit, or errors that are nearly determined: inverses on either side lose their digits
        try:
            case.fit.margins(", vce(unconditional)")
        except (NotAvailableError, NumericalError):
            continue  # no scores at a singular fit
        check_unconditional(case)
        done += 1
    return done


def test_margins_by_their_definition():
    assert check(range(0, 84, 9)) >= 7


def test_unconditional_variances_are_those_of_stacked_equations():
    assert check_sampling(range(4, 84, 13)) >= 5


@pytest.mark.nightly
def test_two_hundred_random_models():
    assert check(range(1000, 1200)) >= 180


@pytest.mark.nightly
def test_unconditional_variances_of_two_hundred_random_models():
    assert check_sampling(range(1000, 1200)) >= 180
