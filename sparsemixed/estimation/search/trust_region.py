"""The quadratic model of the deviance and its minimiser within a radius of trust."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FLAT_CURVATURE = 1e-7
"""Scaled curvature below which a direction counts as flat: rounding in its gradient must not look like distance."""


class QuadraticModel(NamedTuple):
    """The quadratic model of the profiled deviance.

    gradient : (n_theta,)
    hessian : (n_theta, n_theta)
    held : (n_theta,) bool, or None for no parameter
        Parameters that stay as they are: gradient zero, Hessian that of the identity.
    """

    gradient: np.ndarray
    hessian: np.ndarray
    held: np.ndarray | None = None


class ScaledQuadratic:
    """The quadratic model in parameters scaled to unit curvature, diagonalised once, solved for any radius."""

    def __init__(self, model: QuadraticModel, theta: np.ndarray):
        hessian = model.hessian
        # What nothing depends on stays: rounding must not turn its zeros into a negative curvature to walk along.
        self.still = (model.gradient == 0.0) & ~hessian.any(axis=1)
        if model.held is not None:
            self.still = self.still | model.held
        diagonal = np.abs(np.diag(hessian))
        floor = 1e-10 * diagonal.max(initial=0.0) or 1.0  # nothing curved: all parameters are held
        self.scale = 1.0 / np.sqrt(np.maximum(diagonal, floor))
        self.gradient = model.gradient * self.scale
        self.steepest = float(np.abs(self.gradient).max(initial=0.0))
        self.values, self.vectors = np.linalg.eigh(hessian * np.outer(self.scale, self.scale))
        self.rotated = self.vectors.T @ self.gradient
        self.reference = max(float(np.linalg.norm(theta / self.scale)), 1.0)
        self.convex = bool(np.all(self.values > -FLAT_CURVATURE))
        curved = self.values > -FLAT_CURVATURE
        self.decrement = float(0.5 * np.sum(self.rotated[curved] ** 2 / np.maximum(self.values[curved], FLAT_CURVATURE)))

    def size(self, step: np.ndarray) -> float:
        """Scaled length of a step, relative to that of theta."""
        return float(np.linalg.norm(step / self.scale)) / self.reference

    def step(self, radius: float) -> tuple[np.ndarray, float]:
        """Minimiser of the model within `radius`, and the reduction it predicts (Nocedal & Wright 2006, section 4.3)."""
        rotated = step_within(self.values, self.rotated, radius * self.reference)
        predicted = -(self.rotated @ rotated + 0.5 * rotated @ (self.values * rotated))
        step = self.scale * (self.vectors @ rotated)
        step[self.still] = 0.0
        return step, float(predicted)


def step_within(values: np.ndarray, gradient: np.ndarray, limit: float) -> np.ndarray:
    """Minimiser (n,) of a quadratic model within the distance `limit`, in coordinates in which its Hessian is diag(values)."""
    rotated = -gradient / (values + _shift(values, gradient, limit))
    if values[0] < 0 and np.linalg.norm(rotated) < limit * (1 - 1e-6):
        # Hard case: no gradient along the direction of negative curvature; walk to the boundary along it.
        rotated[0] += np.sqrt(limit**2 - rotated @ rotated) * (1.0 if rotated[0] >= 0 else -1.0)
    return rotated


def _shift(values: np.ndarray, gradient: np.ndarray, limit: float) -> float:
    """Smallest shift that makes the Hessian positive definite and the step no longer than `limit`."""
    lowest = max(0.0, -values[0])
    floor = lowest + max(1e-12, 4.0 * float(np.spacing(lowest)))
    if np.linalg.norm(gradient / (values + floor)) <= limit:
        return floor if values[0] <= 0 else 0.0
    low, high = floor, floor + float(np.linalg.norm(gradient)) / limit + 1e-12
    for _ in range(200):
        middle = 0.5 * (low + high)
        if np.linalg.norm(gradient / (values + middle)) > limit:
            low = middle
        else:
            high = middle
        if high - low <= 1e-10 * high:
            break
    return high
