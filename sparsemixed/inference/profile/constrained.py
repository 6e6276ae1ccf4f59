"""The lowest deviance at a value of psi, and on a subspace of theta: what the profile is where Newton's method finds no limit.

min d(x) subject to psi(x) = c, by augmented Lagrangians: the minima of d - m (psi - c) + w (psi - c)^2 / 2, with m moved by
-w (psi - c) until psi is there (Nocedal & Wright 2006, section 17.3). Each is found by the search that fits models.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sparsemixed.errors import NumericalError
from sparsemixed.estimation.objectives.logarithms import Profiled
from sparsemixed.estimation.search.minimum import minimize
from sparsemixed.estimation.search.values import Plan
from sparsemixed.inference.profile.jets import Jet, Psi, Quadratic
from sparsemixed.inference.profile.local import Local
from sparsemixed.inference.profile.peak import Peak
from sparsemixed.inference.profile.roots import Place
from sparsemixed.inference.profile.surface import Surface
from sparsemixed.spec import EstimationOptions

MOST_ROUNDS = 10
CLOSE, NEARLY = 1e-9, 1e-7
"""Distance of psi from where it is to be, in units of its spread at the peak, that counts as none, and that does so where little
of the deviance is left."""
LEFT, LITTLE_LEFT, MOST_LEFT = 1e-8, 1e-7, 1e-4
"""Of the deviance, by that distance: well left, little, and most, where the unit of psi says little of its slope."""
WEIGHT, HEAVIER = 10.0, 10.0
"""Of the square of that distance, at first and from round to round that brings psi no closer by a factor of four."""
MOST_PLAIN_STEPS, FLAT = 10, 1e-6
"""Of Newton's method without safeguards; curvature, of Hessians with ones on the diagonal, that counts as none."""
DECREMENT, ROUNDING = 1e-13, 1e-12
"""Half of the squared Newton step at which a deviance is the lowest; share of a deviance that is rounding."""
OPTIONS = EstimationOptions(iterate=30, nrtolerance=1e-13)
ROUGHLY = EstimationOptions(iterate=20, nrtolerance=2e-6)
"""To tell whether a minimum is below another: beside a standard deviation that runs to zero twice the decrement is left."""


@dataclass(frozen=True)
class Evaluation:
    """A point of the search, as `search.minimum` needs it."""

    theta: np.ndarray
    deviance: float
    at: Local
    jet: Jet | None = None


class Differentiated:
    """Gradient and Hessian there."""

    def __init__(self, at: Evaluation, gradient: np.ndarray, hessian: np.ndarray):
        self.at, self.gradient, self.observed_information = at, gradient, Profiled(hessian)
        self.average_information, self.knows_average = self.observed_information, False


class _Searched:
    """What the two objectives below share."""

    n_theta: int

    def __init__(self, surface: Surface):
        self.surface, self.df = surface, surface.objective.df

    def singular_faces(self, theta: np.ndarray) -> Iterable[tuple[np.ndarray, np.ndarray, str]]:
        """None: a boundary is where the profile leads, not where it is put."""
        return ()


class Augmented(_Searched):
    """d(x) - m (psi(x) - c) + w (psi(x) - c)^2 / 2."""

    def __init__(self, surface: Surface, psi: Psi, value: float, multiplier: float, weight: float):
        super().__init__(surface)
        self.n_theta = surface.size
        self.psi, self.value, self.multiplier, self.weight = psi, value, multiplier, weight

    def evaluate(self, x: np.ndarray) -> Evaluation:
        """At x (size,)."""
        at, jet = self.surface.at(x), self.psi(x)
        if not jet.defined:
            raise NumericalError("the function that is profiled has no value")
        gap = jet.value - self.value
        deviance = at.deviance - self.multiplier * gap + 0.5 * self.weight * gap * gap
        if not np.isfinite(deviance):
            raise NumericalError("the function that is profiled is beyond the range of floating point, squared")
        return Evaluation(x, deviance, at, jet)

    def derivatives(self, at: Evaluation) -> Differentiated:
        """There."""
        assert at.jet is not None
        push = self.weight * (at.jet.value - self.value) - self.multiplier
        hessian = at.at.hessian + push * at.jet.hessian + self.weight * np.outer(at.jet.gradient, at.jet.gradient)
        return Differentiated(at, at.at.gradient + push * at.jet.gradient, hessian)


class Restricted(_Searched):
    """d(o + Bz): the deviance on a subspace of x."""

    def __init__(self, surface: Surface, basis: np.ndarray, origin: np.ndarray | float = 0.0):
        super().__init__(surface)
        self.basis, self.n_theta, self.origin = basis, basis.shape[1], origin

    def evaluate(self, z: np.ndarray) -> Evaluation:
        """At o + Bz."""
        at = self.surface.at(self.origin + self.basis @ z)
        return Evaluation(z, at.deviance, at)

    def derivatives(self, at: Evaluation) -> Differentiated:
        """There."""
        return Differentiated(at, self.basis.T @ at.at.gradient, self.basis.T @ at.at.hessian @ self.basis)


class _Unlogged:
    """No log is kept."""

    def __call__(self, deviance: float) -> float:
        return -0.5 * deviance


class Ended(NamedTuple):
    """Where a search ended, and whether it converged."""

    at: Evaluation
    converged: bool


def _minimum(objective: Augmented | Restricted, x: np.ndarray, options: EstimationOptions = OPTIONS) -> Ended | None:
    try:
        found = minimize(objective, objective.evaluate(x), Plan(options, exact=True), _Unlogged())  # type: ignore[arg-type]
    except (NumericalError, np.linalg.LinAlgError):
        return None
    return Ended(found.evaluation, found.converged)  # type: ignore[arg-type]


def optimum_at(peak: Peak, psi: Psi, value: float, start: Place, below: float = np.inf) -> Place | None:
    """The lowest deviance where psi has a value, from a place of the profile nearby; None where none is found.

    Nor is it where a first minimum, with the multiplier of the start, is not `below` a rise: where psi has its value the deviance
    is no lower than that.
    """
    surface = peak.surface
    spread = peak.spread(peak.jet(psi))
    if not spread > 0:
        # Of a parameter that has run off: its own unit.
        spread = float(np.sum((peak.scale * psi(start.x).gradient) ** 2))
    unit = 1.0 / max(spread, np.finfo(float).tiny)
    x, multiplier, weight, gap, found = start.x, start.slope, WEIGHT * unit, np.inf, None
    for k in range(MOST_ROUNDS):
        first = k == 0 and below < np.inf
        ended = _minimum(Augmented(surface, psi, value, multiplier, weight), x, ROUGHLY if first else OPTIONS)
        if ended is None:
            return found
        assert ended.at.jet is not None
        if ended.at.deviance - peak.deviance >= below:
            return found
        x, left = ended.at.theta, ended.at.jet.value - value
        multiplier -= weight * left
        distance = abs(left) * np.sqrt(unit)
        if distance <= NEARLY and abs(multiplier * left) <= (MOST_LEFT if distance <= CLOSE else LITTLE_LEFT):
            # psi is there but for rounding, which the slope of the profile turns into one of the deviance.
            found = Place(x, value, ended.at.at.deviance - multiplier * left - peak.deviance, multiplier)
            if abs(multiplier * left) <= LEFT:
                return found
        if abs(left) > 0.25 * gap:
            weight *= HEAVIER
        gap = abs(left)
    return found


class Edges:
    """Lowest deviances, above that of the peak, where variances of random effects are zero, or errors on their border.

    Each is found once.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, bytes], tuple[float, np.ndarray]] = {}

    def rise(self, peak: Peak, form: Quadratic) -> float:
        """The lowest deviance, above that of the peak, where a variance is zero; NaN where it is not found."""
        return self.lowest(peak, form)[0]

    def lowest(self, peak: Peak, form: Quadratic, start: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        """The same, and where that is (size,); from the peak or another start."""
        basis, key = _basis(peak, form), form.Q.tobytes() + bytes(f"{form.where}", "ascii")
        if start is None:
            return self._lowest(peak, key, basis, basis.T @ peak.x)
        return self._lowest(peak, key + start.tobytes(), basis, basis.T @ start)

    def on_border(self, peak: Peak, place: np.ndarray) -> tuple[float, np.ndarray]:
        """The same where the coordinates that are on the border at `place` (size,) are as they are there."""
        fixed = peak.surface.border.on(place)
        basis = np.delete(np.eye(place.size), fixed, axis=1)
        origin = np.where(np.isin(np.arange(place.size), fixed), place, 0.0)
        return self._lowest(peak, fixed.tobytes() + origin.tobytes(), basis, basis.T @ peak.x, origin)

    def _lowest(
        self, peak: Peak, name: bytes, basis: np.ndarray, z: np.ndarray, origin: np.ndarray | float = 0.0
    ) -> tuple[float, np.ndarray]:
        """From o + Bz."""
        key = (id(peak.surface.objective), name)
        if key not in self._known:
            found = _plain_minimum(peak.surface, basis, z, origin)
            if found is None:
                ended = _minimum(Restricted(peak.surface, basis, origin), z)
                found = ended.at.at if ended is not None and ended.converged else None
            self._known[key] = (np.nan, peak.x) if found is None else (found.deviance - peak.deviance, found.x)
        return self._known[key]


def _plain_minimum(surface: Surface, basis: np.ndarray, z: np.ndarray, origin: np.ndarray | float = 0.0) -> Local | None:
    """The lowest deviance at o + Bz, where Newton's method goes straight down to it; None where there is more to do."""
    before = np.inf
    for _ in range(MOST_PLAIN_STEPS):
        at = surface.tried(origin + basis @ z)
        if at is None or not at.deviance <= before + ROUNDING * abs(at.deviance):
            return None
        gradient, hessian = basis.T @ at.gradient, basis.T @ at.hessian @ basis
        size = np.abs(hessian.diagonal())
        unit = 1.0 / np.sqrt(np.where(size > 0.0, size, 1.0))
        values, vectors = np.linalg.eigh(hessian * (unit[:, None] * unit))
        # Some directions are flat beside a variance of zero; there the gradient is rounding.
        turned, bends = vectors.T @ (unit * gradient), np.maximum(np.abs(values), FLAT)
        if 0.5 * float(turned @ (turned / bends)) <= DECREMENT:
            return at if values.min(initial=0.0) > -FLAT else None
        step = vectors @ (turned / bends)
        z, before = z - unit * step, at.deviance
    return None


def predicted_rise(peak: Peak, form: Quadratic) -> float:
    """What the quadratic of the deviance at the peak says of it."""
    basis, H = _basis(peak, form), peak.hessian
    half = basis.T @ H @ peak.x
    inner = np.linalg.lstsq(basis.T @ H @ basis, half, rcond=1e-12)[0]
    return 0.5 * float(peak.x @ H @ peak.x - half @ inner)


def _basis(peak: Peak, form: Quadratic) -> np.ndarray:
    """Of the x (size, k) at which theta'Q theta is zero: Q theta is, Q being semidefinite."""
    values, vectors = np.linalg.eigh(form.Q)
    null = vectors[:, values <= 1e-10 * max(values[-1], 0.0)]
    outside = np.ones(peak.x.size, bool)
    outside[form.where] = False
    others = np.flatnonzero(outside)
    basis = np.zeros((peak.x.size, others.size + null.shape[1]))
    basis[others, np.arange(others.size)] = 1.0
    basis[form.where, others.size :] = null
    return basis
