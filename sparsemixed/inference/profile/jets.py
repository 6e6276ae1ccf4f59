"""Functions of x = (theta, log sigma2, b) with two derivatives each: what is profiled.

Variances and covariances of random effects are quadratic in theta, times sigma2. Parameters of the errors have exact first
derivatives; their second ones, and those of functions that a user writes, come from differences of these: they decide how fast
Newton's method converges, not where it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, isfinite
from typing import NamedTuple

import numpy as np

from sparsemixed.nonlinear_form import NonlinearForm, UndefinedValueError, evaluated
from sparsemixed.structures.base import Displayed

DIFFERENCE = 1e-4
"""Step of central differences, relative to the size of the argument where that is above one."""


class Jet(NamedTuple):
    """A value with its gradient (size,) and Hessian (size, size)."""

    value: float
    gradient: np.ndarray
    hessian: np.ndarray

    @property
    def defined(self) -> bool:
        """Whether all of it is finite."""
        return isfinite(self.value) and bool(np.isfinite(self.gradient).all() and np.isfinite(self.hessian).all())


Psi = Callable[[np.ndarray], Jet]
"""A function of x (size,)."""


def undefined(size: int) -> Jet:
    """Where a function has no value."""
    return Jet(float("nan"), np.full(size, np.nan), np.full((size, size), np.nan))


@dataclass(frozen=True)
class Entry:
    """x_i: a coefficient."""

    place: int

    def __call__(self, x: np.ndarray) -> Jet:
        gradient = np.zeros(x.size)
        gradient[self.place] = 1.0
        return Jet(float(x[self.place]), gradient, np.zeros((x.size, x.size)))


@dataclass(frozen=True)
class Quadratic:
    """sigma2 theta'Q theta of one block's theta: a variance or covariance of random effects.

    Attributes
    ----------
    Q : (q, q) float64
        Symmetric; positive semidefinite for a variance, which is zero where Q theta is.
    where : slice
        The block's parameters.
    n_theta : int
        Place of log sigma2.
    """

    Q: np.ndarray
    where: slice
    n_theta: int

    def __call__(self, x: np.ndarray) -> Jet:
        s, own = exp(x[self.n_theta]), x[self.where]
        half, gradient, hessian = self.Q @ own, np.zeros(x.size), np.zeros((x.size, x.size))
        value = s * float(own @ half)
        gradient[self.where], gradient[self.n_theta] = 2.0 * s * half, value
        hessian[self.where, self.where] = 2.0 * s * self.Q
        hessian[self.where, self.n_theta] = hessian[self.n_theta, self.where] = 2.0 * s * half
        hessian[self.n_theta, self.n_theta] = value
        return Jet(value, gradient, hessian)


@dataclass(frozen=True)
class Scale:
    """sigma2: the variance of independent errors."""

    n_theta: int

    def __call__(self, x: np.ndarray) -> Jet:
        value, gradient, hessian = exp(x[self.n_theta]), np.zeros(x.size), np.zeros((x.size, x.size))
        gradient[self.n_theta] = hessian[self.n_theta, self.n_theta] = value
        return Jet(value, gradient, hessian)


@dataclass(frozen=True)
class Correlation:
    """Of the covariance and the two variances of one block's theta: sigma2 is in none of it.

    Attributes
    ----------
    forms : (3, q, q) float64
        Q of the covariance and of the variances, as of `Quadratic`.
    where : slice
    """

    forms: np.ndarray
    where: slice

    def __call__(self, x: np.ndarray) -> Jet:
        own = x[self.where]
        half = self.forms @ own
        values, size = half @ own, x.size
        value, slope = correlation_of(values)
        if not isfinite(value):
            return undefined(size)
        J, gradient, hessian = 2.0 * half, np.zeros(size), np.zeros((size, size))
        gradient[self.where] = slope @ J
        bend = 2.0 * (slope @ self.forms.reshape(3, -1)).reshape(own.size, own.size)
        hessian[self.where, self.where] = J.T @ correlation_bend(values, value) @ J + bend
        return Jet(value, gradient, hessian)


@dataclass(frozen=True)
class OfErrors:
    """A parameter of the errors: its value at rho times a power of sigma2.

    Attributes
    ----------
    shown : callable
        From rho (n_rho,) to the parameter as displayed.
    where : slice
        Of rho in x.
    n_theta : int
        Place of log sigma2.
    power : float
    """

    shown: Callable[[np.ndarray], Displayed]
    where: slice
    n_theta: int
    power: float

    def __call__(self, x: np.ndarray) -> Jet:
        rho, n, scale = x[self.where], self.n_theta, np.exp(self.power * x[self.n_theta])
        row = self.shown(rho)
        second = differences(lambda r: self.shown(r).gradient, rho)
        gradient, hessian = np.zeros(x.size), np.zeros((x.size, x.size))
        gradient[self.where], gradient[n] = scale * row.gradient, self.power * scale * row.value
        hessian[self.where, self.where] = scale * second
        hessian[self.where, n] = hessian[n, self.where] = self.power * scale * row.gradient
        hessian[n, n] = self.power**2 * scale * row.value
        return Jet(scale * row.value, gradient, hessian)


@dataclass(frozen=True)
class Composed:
    """f(psi_1, psi_2, ...) of other functions.

    Attributes
    ----------
    parts : tuple of Psi
    outer : callable
        From the values (k,) to f and its gradient (k,).
    """

    parts: tuple[Psi, ...]
    outer: Callable[[np.ndarray], tuple[float, np.ndarray]]

    def __call__(self, x: np.ndarray) -> Jet:
        jets = [part(x) for part in self.parts]
        values, J = np.array([jet.value for jet in jets]), np.array([jet.gradient for jet in jets])
        value, slope = self.outer(values)
        if not np.all(np.isfinite(slope)):
            return Jet(value, *undefined(x.size)[1:])
        bend = differences(lambda v: self.outer(v)[1], values)
        hessian = J.T @ bend @ J + sum(w * jet.hessian for w, jet in zip(slope, jets, strict=True))
        return Jet(value, slope @ J, hessian)


def differences(gradient: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    """The symmetric Jacobian (k, k) of a gradient (k,), by central differences."""
    out = np.zeros((at.size, at.size))
    for j, value in enumerate(at):
        step = np.zeros(at.size)
        step[j] = DIFFERENCE * (max(abs(value), 1e-3) if value else 1.0)
        out[j] = (gradient(at + step) - gradient(at - step)) / (2.0 * step[j])
    return (out + out.T) / 2


def correlation_of(values: np.ndarray) -> tuple[float, np.ndarray]:
    """A correlation, and its gradient by its covariance and two variances."""
    cov, first, second = values
    if not (first > 0 and second > 0):
        return float("nan"), np.full(3, np.nan)
    scale = 1.0 / np.sqrt(first * second)
    value = float(cov * scale)
    return value, np.array([scale, -0.5 * value / first, -0.5 * value / second])


def correlation_bend(values: np.ndarray, value: float) -> np.ndarray:
    """The Hessian (3, 3) of a correlation by its covariance and two variances."""
    first, second = values[1:]
    by_cov, both = -0.5 / np.sqrt(first * second), 0.25 * value / (first * second)
    return np.array(
        [
            [0.0, by_cov / first, by_cov / second],
            [by_cov / first, 0.75 * value / first**2, both],
            [by_cov / second, both, 0.75 * value / second**2],
        ]
    )


def root_of(values: np.ndarray) -> tuple[float, np.ndarray]:
    """The root of a variance, and its derivative; none at zero."""
    sd = float(np.sqrt(max(values[0], 0.0)))
    return sd, np.array([0.5 / sd if sd > 0 else np.nan])


@dataclass(frozen=True)
class OfForm:
    """A function of named estimates as a user writes it, for `Composed`: values in the order of `names`."""

    form: NonlinearForm
    names: tuple[str, ...]

    def __call__(self, values: np.ndarray) -> tuple[float, np.ndarray]:
        try:
            found = evaluated(self.form, dict(zip(self.names, map(float, values), strict=True)))
        except UndefinedValueError:
            return float("nan"), np.full(values.size, np.nan)
        return found.value, np.array([found.partials.get(name, 0.0) for name in self.names])


def quadratic_forms(rows: Callable[[np.ndarray], Sequence[Displayed]], q: int) -> list[np.ndarray]:
    """Q (q, q) of every displayed variance and covariance theta'Q theta, from their gradients 2Q theta at the q unit vectors."""
    columns = [rows(unit) for unit in np.eye(q)]
    forms = [0.5 * np.array([column[i].gradient for column in columns]) for i in range(len(columns[0]))] if q else []
    return [(form + form.T) / 2 for form in forms]
