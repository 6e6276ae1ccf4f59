"""Where the Hessian of the quadratic model comes from: computed, or learnt from the gradients (option `technique()`).

Every source of curvature is an object with one method, `model(derivatives)`, called once at each point that the search comes
to. All of them use exact gradients and share one trust region, so that they differ in curvature alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from sparsemixed.estimation.interface import Derivatives
from sparsemixed.estimation.search.trust_region import QuadraticModel

SMALLEST_CURVATURE = 1e-3
"""Least eigenvalue, in parameters scaled to unit curvature, of the matrix that a quasi-Newton technique starts from."""


class Source(Protocol):
    """A source of curvature."""

    def model(self, derivatives: Derivatives) -> QuadraticModel:
        """The quadratic model at `derivatives.at`."""
        ...


def newton_model(derivatives: Derivatives, exact: bool) -> QuadraticModel:
    """Gradient with the exact Hessian, or with the average information in its place."""
    curvature = derivatives.observed_information if exact else derivatives.average_information
    return QuadraticModel(derivatives.gradient, curvature.profiled)


class ExactNewton:
    """`nr` where the exact Hessian is affordable, or asked for with `difficult`."""

    def model(self, derivatives: Derivatives) -> QuadraticModel:
        return newton_model(derivatives, exact=True)


class SecantNewton:
    """`nr` with the average information, and what the exact gradients have shown of the true Hessian beyond it.

    After each step s with gradient change y the correction E moves so that (H + E) s = y, H the mean of the curvatures at
    both ends: the least change of E in the metric of H (Dennis, Gay & Welsch 1981). A symmetric update of rank one would do with
    one vector less, and blow up where y - (H + E) s is nearly orthogonal to s. At a singular covariance, where the average
    information is not known, it stays that of the place before.
    """

    def __init__(self) -> None:
        self.last: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        self.correction = np.zeros(0)

    def model(self, derivatives: Derivatives) -> QuadraticModel:
        theta, gradient = derivatives.at.theta, derivatives.gradient
        if self.last is None or derivatives.knows_average:
            profiled = derivatives.average_information.profiled
        else:
            profiled = self.last[2]
        if self.last is None:
            self.correction = np.zeros_like(profiled)
        else:
            before, old_gradient, old_profiled = self.last
            mean = 0.5 * (profiled + old_profiled)
            self.correction = least_change(self.correction, mean, theta - before, gradient - old_gradient)
        self.last = (theta, gradient, profiled)
        return QuadraticModel(gradient, profiled + self.correction)


def least_change(E: np.ndarray, H: np.ndarray, s: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The symmetric matrix nearest to E, in the metric of H, of those with (H + E) s = y; E where H is not positive along s.

    Examples
    --------
    >>> E = least_change(np.zeros((2, 2)), np.diag([2.0, 1.0]), np.array([1.0, 0.0]), np.array([3.0, 1.0]))
    >>> E
    array([[1., 1.],
           [1., 0.]])
    """
    Hs = H @ s
    curvature = s @ Hs
    if not curvature > 0.0:
        return E
    missing = y - Hs - E @ s
    cross = np.outer(missing, Hs) / curvature
    return E + cross + cross.T - (missing @ s) * np.outer(Hs, Hs) / curvature**2


Update = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From the approximation B, a step s and the change y of the gradient with s'y > 0 to the new B, with B s = y."""


def bfgs_update(B: np.ndarray, s: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Broyden, Fletcher, Goldfarb and Shanno (Nocedal & Wright 2006, equation 6.19).

    Examples
    --------
    >>> bfgs_update(np.eye(2), np.array([1.0, 0.0]), np.array([3.0, 1.0])) @ [1.0, 0.0]
    array([3., 1.])
    """
    Bs = B @ s
    return B - np.outer(Bs, Bs) / (s @ Bs) + np.outer(y, y) / (s @ y)


def dfp_update(B: np.ndarray, s: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Davidon, Fletcher and Powell (Nocedal & Wright 2006, equation 6.13).

    Examples
    --------
    >>> dfp_update(np.eye(2), np.array([1.0, 0.0]), np.array([3.0, 1.0])) @ [1.0, 0.0]
    array([3., 1.])
    """
    shear = np.eye(s.size) - np.outer(s, y) / (s @ y)
    return shear.T @ B @ shear + np.outer(y, y) / (s @ y)


class QuasiNewton:
    """`bfgs` and `dfp`: no Hessian after the first point.

    The approximation starts from what Newton would use there, made positive definite, and stays positive definite: a trust
    region does not ensure s'y > 0 as a line search would, so the change of the gradient is damped where it must be (Powell;
    Nocedal & Wright 2006, procedure 18.2).
    """

    def __init__(self, update: Update, exact: bool):
        self.update, self.exact = update, exact
        self.hessian = np.zeros((0, 0))
        self.last: tuple[np.ndarray, np.ndarray] | None = None

    def model(self, derivatives: Derivatives) -> QuadraticModel:
        theta, gradient = derivatives.at.theta, derivatives.gradient
        if self.last is None:
            return self.restart(theta, newton_model(derivatives, self.exact))
        step, change = theta - self.last[0], gradient - self.last[1]
        if step.any():
            self.hessian = self.update(self.hessian, step, damped(self.hessian, step, change))
        self.last = (theta, gradient)
        return QuadraticModel(gradient, self.hessian)

    def restart(self, theta: np.ndarray, model: QuadraticModel) -> QuadraticModel:
        """Forget what was learnt and start from a Hessian that has been computed."""
        self.hessian, self.last = positive_definite(model.hessian), (theta, model.gradient)
        return QuadraticModel(model.gradient, self.hessian)


def damped(B: np.ndarray, s: np.ndarray, y: np.ndarray) -> np.ndarray:
    """y, or the point on the way from Bs to y at which the curvature along s is a fifth of that of B.

    Examples
    --------
    >>> damped(np.eye(1), np.array([1.0]), np.array([3.0])), damped(np.eye(1), np.array([1.0]), np.array([-3.0]))
    (array([3.]), array([0.2]))
    """
    Bs = B @ s
    curvature = s @ Bs
    if s @ y >= 0.2 * curvature:
        return y
    share = 0.8 * curvature / (curvature - s @ y)
    return share * y + (1 - share) * Bs


def positive_definite(hessian: np.ndarray) -> np.ndarray:
    """The matrix with its eigenvalues, scaled to a unit diagonal, made positive (Nocedal & Wright 2006, section 3.4).

    Examples
    --------
    >>> positive_definite(np.diag([4.0, -1.0]))
    array([[4., 0.],
           [0., 1.]])
    """
    diagonal = np.abs(np.diag(hessian))
    scale = np.sqrt(np.maximum(diagonal, 1e-10 * diagonal.max(initial=1e-300)))
    values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
    half = vectors * np.sqrt(np.maximum(np.abs(values), SMALLEST_CURVATURE)) * scale[:, None]
    return half @ half.T


UPDATES: dict[str, Update] = {"bfgs": bfgs_update, "dfp": dfp_update}
"""The quasi-Newton techniques."""


def source(name: str, exact: bool) -> Source:
    """The source of curvature by its name in `technique()`.

    Parameters
    ----------
    exact : bool
        Compute exact Hessians; else average informations.
    """
    if name in UPDATES:
        return QuasiNewton(UPDATES[name], exact)
    return ExactNewton() if exact else SecantNewton()


def name_at(turns: tuple[tuple[str, int], ...], iteration: int) -> str:
    """Whose turn it is: the techniques take turns of as many iterations as are written beside them, over and over.

    Examples
    --------
    >>> [name_at((("bfgs", 2), ("nr", 1)), i) for i in range(5)]
    ['bfgs', 'bfgs', 'nr', 'bfgs', 'bfgs']
    """
    place = iteration % sum(count for _, count in turns)
    for name, count in turns:
        if place < count:
            return name
        place -= count
    raise AssertionError("turns have at least one iteration")


class Turns:
    """The sources of curvature of a search, taking turns; each begins anew when its turn comes.

    Parameters
    ----------
    turns : tuple of (name, iterations)
    exact : bool
        Compute exact Hessians; else average informations.
    patience : int, optional
        Iteration from which Hessians are exact all the same.
    """

    def __init__(self, turns: tuple[tuple[str, int], ...], exact: bool, patience: int | None = None):
        self.turns, self.exact, self.patience = turns, exact, patience
        self.name, self.computed = "", True
        self.source: Source = ExactNewton()

    def model(self, derivatives: Derivatives, iteration: int) -> QuadraticModel:
        """The model at a new place, by the source whose turn it is."""
        name = name_at(self.turns, iteration)
        if iteration == self.patience:
            self.exact, self.name = True, ""
        if name != self.name:
            self.name, self.source = name, source(name, self.exact)
        self.computed = not isinstance(self.source, QuasiNewton)
        return self.source.model(derivatives)

    def compute(self, derivatives: Derivatives) -> QuadraticModel:
        """The model with a computed Hessian, from which a quasi-Newton source starts anew."""
        model = newton_model(derivatives, self.exact)
        if isinstance(self.source, QuasiNewton):
            self.source.restart(derivatives.at.theta, model)
        return model
