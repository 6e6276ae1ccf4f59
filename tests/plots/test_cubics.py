"""Cubic curves against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import Akima1DInterpolator, CubicHermiteSpline, CubicSpline

from sparsemixed.plots.cubics import akima, hermite, periodic


@pytest.fixture(params=[3, 4, 5, 13])
def points(request):
    rng = np.random.default_rng(request.param)
    x = np.cumsum(rng.uniform(0.1, 2.0, request.param))
    inside = rng.uniform(x[0], x[-1], 30)
    return x, rng.normal(size=len(x)), np.sort(np.concatenate([x, inside]))


def agree(found, other, at):
    np.testing.assert_allclose(found[0], other(at), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found[1], other(at, 1), rtol=1e-8, atol=1e-8)


def test_hermite(points):
    x, y, at = points
    agree(hermite(x, y, np.sin(x), at), CubicHermiteSpline(x, y, np.sin(x)), at)


@pytest.mark.parametrize("shape", ["any", "kink", "line"])
def test_akima(points, shape):
    x, y, at = points
    y = {"any": y, "kink": np.abs(x - x[1]), "line": 2.0 * x}[shape]
    agree(hermite(x, y, akima(x, y), at), Akima1DInterpolator(x, y), at)


def test_periodic(points):
    x, y, at = points
    y[-1] = y[0]
    agree(hermite(x, y, periodic(x, y), at), CubicSpline(x, y, bc_type="periodic"), at)
