"""Limits where errors of order two are at the border of their family, or near it, against grids over the whole triangle."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import sparsemixed
from sparsemixed.inference.hypotheses.distributions import z_critical
from sparsemixed.inference.profile.border import Border
from sparsemixed.structures.residual_errors.by_level import ByLevel
from sparsemixed.structures.residual_errors.moving_average import MovingAverage

Q = z_critical(95.0) ** 2
FINE, NESTED = 41, 5
GROUPS, TIMES = 6, 8


def moving_average(theta: np.ndarray) -> np.ndarray:
    """Correlations (8, 8) of theta (..., 2): those of e_t + theta_1 e_(t-1) + theta_2 e_(t-2)."""
    first, second = theta[..., 0], theta[..., 1]
    variance = 1.0 + first**2 + second**2
    lag = np.abs(np.subtract.outer(np.arange(TIMES), np.arange(TIMES)))
    by_lag = np.stack([np.ones_like(first), first * (1.0 + second) / variance, second / variance, np.zeros_like(first)], axis=-1)
    return by_lag[..., np.minimum(lag, 3)]


def autoregression(phi: np.ndarray) -> np.ndarray:
    """The same of e_t = phi_1 e_(t-1) + phi_2 e_(t-2) + a shock, just inside of where they are singular."""
    first, second = np.moveaxis(phi * (1.0 - 1e-9), -1, 0)
    by_lag = [np.ones_like(first), first / (1.0 - second)]
    for _ in range(TIMES - 2):
        by_lag.append(first * by_lag[-1] + second * by_lag[-2])
    return np.stack(by_lag, axis=-1)[..., np.abs(np.subtract.outer(np.arange(TIMES), np.arange(TIMES)))] + 1e-12 * np.eye(TIMES)


CORRELATIONS = {"ma": moving_average, "ar": autoregression}


def sample(seed: int, kind: str, truth: tuple[float, float]) -> pd.DataFrame:
    """Six groups; autoregressions begin at zero, long before."""
    rng = np.random.default_rng(seed)
    e = rng.normal(size=(GROUPS, TIMES + 50))
    if kind == "ma":
        y = e[:, 2:] + truth[0] * e[:, 1:-1] + truth[1] * e[:, :-2]
    else:
        y = e.copy()
        for t in range(2, y.shape[1]):
            y[:, t] += truth[0] * y[:, t - 1] + truth[1] * y[:, t - 2]
    y = y[:, -TIMES:]
    return pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(GROUPS), TIMES), "t": np.tile(np.arange(TIMES), GROUPS)})


def deviances(data: pd.DataFrame, theta: np.ndarray, kind: str = "ma") -> np.ndarray:
    """-2 log likelihood at theta (..., 2), the mean and the variance at their best."""
    y, n = data.y.to_numpy().reshape(GROUPS, TIMES), GROUPS * TIMES
    R = CORRELATIONS[kind](theta)
    Ry = np.linalg.solve(R, np.broadcast_to(y.T, (*R.shape[:-1], GROUPS)))
    R1 = np.linalg.solve(R, np.ones((*R.shape[:-1], 1)))
    mean = (Ry.sum(axis=-2).sum(axis=-1)) / (GROUPS * R1[..., 0].sum(axis=-1))
    square = np.einsum("gt,...tg->...", y, Ry) - mean**2 * GROUPS * R1[..., 0].sum(axis=-1)
    sign, logdet = np.linalg.slogdet(R)
    definite = (sign > 0) & (square > 0)
    return np.where(definite, GROUPS * logdet + n * (np.log(2 * np.pi * np.where(definite, square, 1.0) / n) + 1.0), np.inf)


def triangle(place: int, value: float) -> np.ndarray:
    """theta (161, 2) of the closed triangle with one coefficient at a value: two of them are on its border."""
    if place == 1:
        return np.column_stack([np.linspace(-1.0 - value, 1.0 + value, FINE), np.full(FINE, value)])
    return np.column_stack([np.full(FINE, value), np.linspace(abs(value) - 1.0, 1.0, FINE)])


def profile_at(data: pd.DataFrame, kind: str, place: int, value: float) -> float:
    """By grids within each other."""
    sign = 1.0 if kind == "ma" else -1.0  # what is a root outside of the unit circle of the one is so of the other with -phi
    grid = sign * triangle(place, sign * value)
    for _ in range(NESTED):
        found = deviances(data, grid, kind)
        i = int(np.argmin(found))
        grid = np.linspace(grid[max(i - 1, 0)], grid[min(i + 1, FINE - 1)], FINE)
    return float(found.min())


def silently(data: pd.DataFrame, kind: str = "ma"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sparsemixed.mixed(f"y || g:, noconstant residuals({kind} 2, t(t))", data)


CASES = {
    "ma": [(0.6, 0.3), (-1.1, 0.9), (0.2, -0.8), (1.6, 0.95), (-0.3, -0.65)],
    "ar": [(0.5, 0.4), (-1.2, -0.8)],
}
NAMES = {"ma": "theta", "ar": "phi"}


@pytest.mark.parametrize(("kind", "seed"), [(kind, seed) for kind, cases in CASES.items() for seed in range(len(cases))])
def test_limits_of_coefficients_are_the_ends_of_what_the_triangle_allows(kind, seed):
    """At a limit the lowest deviance of the triangle has risen by q, beyond it there is none as low."""
    data = sample(seed, kind, CASES[kind][seed])
    fit, names = silently(data, kind), [f"{NAMES[kind]}{k}" for k in (1, 2)]
    found, bottom = fit.profile(names), -2.0 * fit.llf
    everywhere = [*np.linspace(-2.0, 2.0, 21), found.limits.loc[names[0], "estimate"]]
    assert min(profile_at(data, kind, 0, value) for value in everywhere) - bottom == pytest.approx(0.0, abs=1e-6)
    for place, (name, most) in enumerate(zip(names, (2.0, 1.0), strict=True)):
        for side, sign in (("low", -1.0), ("high", 1.0)):
            limit = found.limits.loc[name, side]
            if abs(limit) == most:
                assert profile_at(data, kind, place, limit) - bottom < Q, (name, side)
                continue
            assert profile_at(data, kind, place, limit) - bottom == pytest.approx(Q, abs=1e-6), (name, side)
            beyond = [profile_at(data, kind, place, value) for value in np.linspace(limit, sign * most, 12)[1:]]
            assert min(beyond) - bottom > Q, (name, side)


def test_of_other_parameters_too():
    """Limits of a standard deviation, by grids over the triangle within each other."""
    data = sample(1, "ma", CASES["ma"][1])
    fit = silently(data)
    found, n = fit.profile(["sd(e)"]).limits, GROUPS * TIMES
    for side in ("low", "high"):
        variance = found.loc["sd(e)", side] ** 2
        grid, step = np.concatenate([triangle(1, value) for value in np.linspace(-1.0, 1.0, FINE)]), 2.0 / FINE
        for _ in range(4):
            logs = GROUPS * np.linalg.slogdet(moving_average(grid))[1]
            square = n * np.exp((deviances(data, grid) - logs) / n - 1.0) / (2 * np.pi)
            profiled = logs + n * np.log(2 * np.pi * variance) + square / variance
            near = np.linspace(-2.0 * step, 2.0 * step, 33)
            grid = grid[np.argmin(profiled)] + np.array(np.meshgrid(near, near)).reshape(2, -1).T
            # Back to the triangle: |theta_1| - 1 <= theta_2 <= 1.
            grid[:, 1] = np.minimum(grid[:, 1], 1.0)
            grid[:, 0] = np.clip(grid[:, 0], -1.0 - grid[:, 1], 1.0 + grid[:, 1])
            step /= 8.0
        assert profiled.min() + 2.0 * fit.llf == pytest.approx(Q, abs=1e-5), side


def test_coordinates_that_reach_the_border():
    rho = np.array([0.4, -1.2])
    closed, angles = MovingAverage(2).closed(rho)
    t = np.arange(5)
    np.testing.assert_allclose(closed.covariance(angles, t), MovingAverage(2).covariance(rho, t), atol=1e-15)
    for one, two in zip(closed.display(angles), MovingAverage(2).display(rho), strict=True):
        assert one.value == pytest.approx(two.value, abs=1e-15)
    # Even about the border, with derivatives of a complex step.
    there = np.array([0.3, 0.5 * np.pi])
    moved = np.array([0.0, 0.2])
    np.testing.assert_allclose(closed.covariance(there + moved, t), closed.covariance(there - moved, t), atol=1e-15)
    for k in range(2):
        step = angles.astype(complex)
        step[k] += 1e-30j
        np.testing.assert_allclose(closed.covariance(step, t).imag / 1e-30, closed.dcovariance(angles, t)[k], atol=1e-14)
    by = ByLevel((MovingAverage(1), MovingAverage(1)), ("a", "b"))
    both, own = by.closed(np.array([0.5, 0.1, 15.0]))
    assert both.angles.tolist() == [True, False, True]
    assert own.tolist() == pytest.approx([np.arcsin(np.tanh(0.5)), 0.1, 0.5 * np.pi])
    assert MovingAverage(2).angles.tolist() == [False, False]


def test_pieces_of_the_border():
    border, x = Border(np.array([1, 2])), np.array([7.0, 0.2, 1.52])
    assert border.reached(x).tolist() == [7.0, 0.2, 0.5 * np.pi]
    assert border.reached(-x).tolist() == [-7.0, -0.2, -0.5 * np.pi]
    assert border.on(border.reached(x)).tolist() == [2]
    faces = list(border.faces(x))
    assert len(faces) == 8
    assert [border.on(face).size for face in faces] == [1] * 4 + [2] * 4
    assert len(list(Border(np.arange(4)).faces(np.zeros(5)))) == 8
