"""The profiled deviance at a residual variance of zero: V = sigma2 Z Lambda Lambda' Z', block by independent block.

Where Z has full row rank in every block, V stays positive definite without errors and the likelihood is finite there: zero is a
boundary like that of any other variance. The deviance does not change when theta grows by a factor that sigma2 takes back. So
sigma2 is made the mean diagonal entry of V: with g = log(theta'W theta), theta'W theta = tr(Z Lambda Lambda'Z') / n, df g^2 / 2
is added, which is zero at the optimum. Functions of sigma2 Lambda Lambda' do not depend on that choice, nor do their standard
errors: their gradients are orthogonal to (theta, -2), the one direction in which the deviance itself is flat.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.estimation.interface import Curvature
from sparsemixed.estimation.lazy import lazy_property
from sparsemixed.estimation.objectives.patterns import PatternDerivatives, PatternEvaluation, PatternObjective
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.solver.linalg import bordered
from sparsemixed.solver.residual.patterns import PatternBatch
from sparsemixed.structures.residual_errors.independent import IndependentErrors

SINGULAR = 1e-10
"""Smallest eigenvalue of a block of V, with its diagonal scaled to ones, at which it counts as definite."""


class Scale(NamedTuple):
    """df g^2 / 2 with its gradient (n_theta,) and Hessian (n_theta, n_theta)."""

    value: float
    gradient: np.ndarray
    hessian: np.ndarray


class ErrorFreeObjective(PatternObjective):
    """The deviance of one data set without errors.

    Parameters
    ----------
    batches, parameters, n, p, reml
        As of `PatternObjective`.
    """

    def __init__(self, batches: list[PatternBatch], parameters: ThetaMap, n: float, p: int, reml: bool):
        super().__init__(batches, parameters, IndependentErrors(("e",)), n, p, reml)
        self.mean_variance = _mean_variance(batches, parameters, n)

    def covariance(self, batch: PatternBatch, theta: np.ndarray) -> np.ndarray:
        """V_g / sigma2 (G, m, m).

        Raises
        ------
        NumericalError
            One of them is singular: the random effects leave directions of the response without any variance.
        """
        V = self._with_effects(np.zeros(batch.linked.shape), batch, theta)
        scale = np.sqrt(np.einsum("gaa->ga", V))
        if not (np.all(np.isfinite(V)) and np.all(scale > 0)):
            raise NumericalError("the covariance matrix of a group's observations is not positive definite without errors")
        if np.linalg.eigvalsh(V / (scale[:, :, None] * scale[:, None, :]))[:, 0].min() < SINGULAR:
            raise NumericalError("the covariance matrix of a group's observations is singular without errors")
        return V

    def _matrices(self, theta: np.ndarray) -> list[np.ndarray]:
        return [self._with_effects(np.zeros(batch.linked.shape), batch, theta) for batch in self.batches]

    def scale(self, theta: np.ndarray) -> Scale:
        """What holds theta'W theta at one."""
        Wt = self.mean_variance @ theta
        size = float(theta @ Wt)
        g, slope = np.log(size), 2.0 * Wt / size
        bend = 2.0 * self.mean_variance / size - np.outer(slope, slope)
        return Scale(0.5 * self.df * g**2, self.df * g * slope, self.df * (np.outer(slope, slope) + g * bend))

    def scaled(self, theta: np.ndarray) -> np.ndarray:
        """theta times what makes theta'W theta one."""
        return theta / np.sqrt(float(theta @ self.mean_variance @ theta))

    def evaluate(self, theta: np.ndarray) -> PatternEvaluation:
        at = super().evaluate(theta)
        return replace(at, deviance=at.deviance + self.scale(theta).value)

    def derivatives(self, at: PatternEvaluation) -> ErrorFreeDerivatives:
        return ErrorFreeDerivatives(self, at)


class ErrorFreeDerivatives(PatternDerivatives):
    """Exact derivatives; their parts in V are those of `PatternDerivatives`, which never look at the errors' own share."""

    def __init__(self, objective: ErrorFreeObjective, at: PatternEvaluation):
        super().__init__(objective, at)
        self.scale = objective.scale(at.theta)

    @lazy_property
    def gradient(self) -> np.ndarray:
        return super().gradient + self.scale.gradient

    @lazy_property
    def observed_information(self) -> Curvature:
        inner = super().observed_information
        return Curvature(self.gradient, inner.hessian + bordered(self.scale.hessian, np.zeros(len(self.gradient)), 0.0))

    @lazy_property
    def slope_of_errors(self) -> float:
        """Derivative of the deviance by a residual variance at zero, over tr(inv(V)): errors enter where it is negative.

        tr(n inv(V0) - inv(V0) S inv(V0)) summed over patterns, S the sums of squares and products of residuals there.
        """
        batches = zip(self.objective.batches, self.at.inverses, strict=True)
        size = sum(float(np.einsum("gaa->g", Q) @ batch.counts) for batch, Q in batches)
        return sum(float(np.einsum("gaa->", kernel)) for _, _, _, kernel, _, _ in self._pieces) / size


def _mean_variance(batches: list[PatternBatch], parameters: ThetaMap, n: float) -> np.ndarray:
    """W (n_theta, n_theta): theta'W theta is the mean diagonal entry of Z Lambda Lambda'Z'."""
    directions = parameters.directions()
    out = np.zeros((len(directions), len(directions)))
    for batch in batches:
        for t, z in enumerate(batch.columns):
            gram = np.einsum("g,gak,gal->kl", batch.counts, z, z)
            moved = [d[t] for d in directions]
            out += np.array([[np.sum(a * (gram @ b)) for b in moved] for a in moved])
    return out / n
