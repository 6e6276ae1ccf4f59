"""Variances and covariance of two observations that share some of their groups, with their derivatives by the parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsemixed.design.data.frame import read_frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.groups.grouping import Groups
from sparsemixed.design.new_errors import new_errors
from sparsemixed.design.new_rows import block_columns
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Component, Fit
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES

Points = tuple[Mapping[str, Any], Mapping[str, Any]]
"""Values of covariates, times and levels at two observations."""


@dataclass(frozen=True)
class Moments:
    """Symmetric (2, 2) covariance of two observations, and its derivatives (n_theta + 1, 2, 2) by (theta, log sigma2)."""

    value: np.ndarray
    gradient: np.ndarray

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.value + other.value, self.gradient + other.gradient)

    def shared(self, together: bool) -> Moments:
        """The same where the two share what is behind it, else without the covariance."""
        keep = np.ones((2, 2)) if together else np.eye(2)
        return Moments(self.value * keep, self.gradient * keep)

    @property
    def correlation(self) -> tuple[float, np.ndarray]:
        """The correlation and its gradient (n_theta + 1,)."""
        (a, c), (_, b) = self.value
        if not a * b > 0:
            return float("nan"), np.full(len(self.gradient), np.nan)
        rho = c / np.sqrt(a * b)
        slopes = self.gradient[:, 0, 1] / np.sqrt(a * b)
        return float(rho), slopes - 0.5 * rho * (self.gradient[:, 0, 0] / a + self.gradient[:, 1, 1] / b)


def points(at: Any) -> Points | None:
    """The covariates of the two observations: of both the same, or a pair; None where nothing is said.

    Raises
    ------
    OptionError
        Neither a mapping nor a pair of them.
    """
    if at is None:
        return None
    if isinstance(at, Mapping):
        return at, at
    if isinstance(at, Sequence) and len(at) == 2 and all(isinstance(one, Mapping) for one in at):
        return at[0], at[1]
    raise OptionError(f"estat.icc: at={at!r} is neither a mapping of covariates to values nor a pair of them")


def effect_moments(fit: Fit, component: Component, where: Points | None) -> Moments:
    """Of what an equation's effects of one group add to two observations; without `where` at covariates of zero."""
    block = component.block
    assert block is not None
    z = _columns(fit, component, where)
    if z.shape[1] < block.structure.m:
        z = np.column_stack([z, np.zeros((2, block.structure.m - z.shape[1]))])  # the level of R.varname that both share
    theta, moves = fit.theta[component.theta], block.structure.dfactor()
    half = z @ block.structure.factor(theta)
    value, gradient = fit.sigma2 * half @ half.T, np.zeros((len(fit.theta) + 1, 2, 2))
    for k, move in zip(range(component.start, component.stop), moves, strict=True):
        one = fit.sigma2 * (z @ move) @ half.T
        gradient[k] = one + one.T
    gradient[-1] = value
    return Moments(value, gradient)


def _columns(fit: Fit, component: Component, where: Points | None) -> np.ndarray:
    """z (2, columns) of an equation."""
    block = component.block
    assert block is not None
    if where is None:
        names = ["_cons"] if block.factor is not None else block.names
        return np.tile([float(name == "_cons") for name in names], (2, 1))
    if block.factor is not None:
        return np.ones((2, 1))
    equation = fit.spec.random[block.position]
    wanted = list(dict.fromkeys(factor.variable for term in equation.terms for factor in term.factors))
    _check(wanted, where)
    frame = read_frame({name: [point[name] for point in where] for name in wanted} or {"_": [0, 0]})
    return block_columns(block, fit.design, fit.spec, Rows(frame, np.arange(2)))


def _check(wanted: list[str], where: Points) -> None:
    missing = [name for name in wanted if any(name not in point for point in where)]
    if missing:
        raise OptionError(f"estat.icc: at= needs values of {', '.join(missing)}")


def error_moments(fit: Fit, where: Points | None) -> Moments:
    """Of the errors of two observations of one group.

    Raises
    ------
    OptionError
        Errors that depend on times or levels, and two different ones are not given.
    """
    part, asked = fit.design.residual, fit.spec.residual
    gradient = np.zeros((len(fit.theta) + 1, 2, 2))
    if part is None:
        value = fit.sigma2 * np.eye(2)
        gradient[-1] = value
        return Moments(value, gradient)
    timed = RESIDUAL_STRUCTURES[asked.name].needs_time() and asked.t is not None
    wanted = [name for name in (asked.by, asked.t if timed else None) if name is not None]
    if wanted and where is None:
        raise OptionError(
            f"estat.icc: correlations depend on {' and '.join(wanted)} with residuals({asked.name}); name two observations, "
            f"at=({{{wanted[-1]!r}: 1}}, {{{wanted[-1]!r}: 2}})"
        )
    frame = {}
    if where is not None:
        _check(wanted, where)
        if timed and where[0][str(asked.t)] == where[1][str(asked.t)]:
            raise OptionError(f"estat.icc: two observations of a group differ in {asked.t}; at= must be a pair of them")
        frame = {name: [point[name] for point in where] for name in wanted}
    groups = fit.spec.random[-1].grouping if asked.group is None else asked.group
    rows = Rows(read_frame({**frame, **{name: [0, 0] for name in groups if name not in frame}, "_": [0, 0]}), np.arange(2))
    t = new_errors(part, fit.spec, rows, Groups(rows)).t
    rho = fit.theta[len(fit.theta) - part.structure.n_rho :]
    value = fit.sigma2 * part.structure.covariance(rho, t)
    gradient[len(fit.theta) - len(rho) : -1] = fit.sigma2 * part.structure.dcovariance(rho, t)
    gradient[-1] = value
    return Moments(value, gradient)
