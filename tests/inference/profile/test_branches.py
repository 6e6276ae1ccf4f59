"""Limits where the branch of a profile that leads away from the peak is not the lowest, against searches of V alone."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pytest

import sparsemixed
from sparsemixed.errors import NumericalError
from sparsemixed.inference.hypotheses.distributions import z_critical
from sparsemixed.inference.profile.branches import lower_branch
from sparsemixed.inference.profile.constrained import Augmented, Edges
from sparsemixed.inference.profile.criteria import criteria
from sparsemixed.inference.profile.limits import _first, limit
from sparsemixed.inference.profile.targets import variance_targets
from sparsemixed.structures.residual_errors.banded import BandedErrors
from sparsemixed.structures.residual_errors.by_level import ByLevel
from sparsemixed.structures.residual_errors.moving_average import ClosedMovingAverage, MovingAverage
from sparsemixed.structures.residual_errors.unstructured import UnstructuredErrors
from tests.oracles.dense_profile import DenseProfile
from tests.oracles.random_models import random_model

Q = z_critical(95.0) ** 2
STARTS = 4


@cache
def fitted(seed: int):
    model = random_model(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model, sparsemixed.mixed(model.command, model.data, **model.options)


def lowest_of_all(model, place: int, printed: np.ndarray, seed: int) -> float:
    """The lowest deviance with one printed parameter as it is, from there and from random starts."""
    dense, rng = DenseProfile(model), np.random.default_rng(seed)
    found = [dense.lowest(printed, 0.0, place)]
    for _ in range(STARTS):
        start = model.printed(0.7 * rng.normal(size=model.size))
        start[place] = printed[place]
        if np.isfinite(model.llf(start)):
            found.append(dense.lowest(start, 0.0, place))
    return min(found)


@pytest.mark.parametrize(
    ("seed", "name", "side"), [(26, "theta1", 0), (50, "theta2", 1), (187, "var(e)", 1), (36, "var(_cons)", 0)]
)
def test_a_limit_is_on_the_lowest_branch(seed, name, side):
    """Moving averages whose profile leaves the border, and one that crosses another branch; banded errors on 36 rows."""
    model, fit = fitted(seed)
    profile = fit.profile([name])
    target, end = profile.targets[0], profile.ends[0][side]
    own = profile.sources.of(target).fit
    every = variance_targets(own, False)
    printed = np.array([one.psi(end.place.x).value for one in every])
    bottom = -2.0 * model.llf(np.array([one.estimate for one in own.variances]))
    assert -2.0 * model.llf(printed) - bottom == pytest.approx(Q, abs=1e-6)
    place = [one.name for one in every].index(name)
    assert lowest_of_all(model, place, printed, seed) - bottom > Q - 1e-4


@pytest.mark.parametrize(("seed", "name", "side"), [(187, "var(_cons)", -1), (64, "[b]var(_cons)", -1)])
def test_a_lower_branch_is_followed_to_a_variance_of_zero(seed, name, side):
    """On the branch of the peak the deviance rises by q before; on another one it does not."""
    model, fit = fitted(seed)
    profile = fit.profile([name])
    target = profile.targets[0]
    peak = profile.sources.peak(target)
    above = _first(peak, target, side, Q, Edges(), None)
    assert above.how == "root"
    below = lower_branch(peak, target.psi, above.place)
    assert below.deviance < Q - 0.5
    assert limit(peak, target, side, Q, Edges()).how == "boundary"
    own = profile.sources.of(target).fit
    every = variance_targets(own, False)
    printed = np.array([one.psi(below.x).value for one in every])
    bottom = -2.0 * model.llf(np.array([one.estimate for one in own.variances]))
    assert -2.0 * model.llf(printed) - bottom == pytest.approx(below.deviance, abs=1e-6)
    printed[[one.name for one in every].index(name)] = 0.0
    assert DenseProfile(model).lowest(printed, 0.0, [one.name for one in every].index(name)) - bottom < Q


def test_what_the_deviance_does_not_depend_on_moves_in_its_own_unit():
    """Rounding in eigenvectors gave an angle on the border a scale of 1e-17, and no step moved it."""
    for seed in (26, 187):
        _, fit = fitted(seed)
        peak = criteria(fit.fit, None, False, True).variances.peak()
        border = peak.surface.border.on(peak.x)
        assert border.size
        assert peak.flat[border].all()
        np.testing.assert_array_equal(peak.scale[border], 1.0)


def test_a_place_whose_square_is_no_number_is_refused():
    """Searches try places as far away; they take another step then."""
    _, fit = fitted(64)
    peak, psi = criteria(fit.fit, None, False, True).variances.peak(), variance_targets(fit.fit, False)[1].psi
    x = peak.x.copy()
    x[peak.surface.n_theta] = 400.0
    assert peak.surface.tried(x) is not None
    with pytest.raises(NumericalError):
        Augmented(peak.surface, psi, 1.0, 0.0, 1.0).evaluate(x)


def test_other_places_of_a_family():
    moving = ClosedMovingAverage(2).branches(np.array([0.3, 1.0]))
    assert len(moving) == 5
    assert not moving[0].any()
    assert MovingAverage(2).branches(np.zeros(2)) == []
    assert len(ClosedMovingAverage(4).branches(np.zeros(4))) == 9
    for errors in (UnstructuredErrors(("0", "1", "2")), BandedErrors(("0", "1", "2", "3"), 1), BandedErrors(tuple("012345"), 2)):
        rho = 0.3 * np.arange(errors.n_rho) - 0.5
        t = np.arange(errors.p)
        variances, signs = np.diag(errors.covariance(rho, t)), []
        for place in errors.branches(rho):
            other = errors.covariance(place, t)
            np.testing.assert_allclose(np.diag(other) / other[0, 0], variances / variances[0])
            assert np.linalg.eigvalsh(other)[0] > 0
            signs.append(tuple(np.sign(other[i, j]) for i, j in errors.below))
        assert len(set(signs)) == len(signs) == (2 ** (errors.p - 1) if errors.p <= 4 else errors.p + 2)
    by = ByLevel((ClosedMovingAverage(1), ClosedMovingAverage(1)), ("a", "b"))
    found = by.branches(np.array([0.1, 0.7, 0.2]))
    assert len(found) == 9
    assert all(place[1] == 0.7 for place in found)
