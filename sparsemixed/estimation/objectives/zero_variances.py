"""Variances that vanish under the iterative solver: held at zero, and set free where the deviance falls beside zero.

Without a deviance to compare, a variance tau of zero is judged by the one-sided derivative of the deviance there,

    dd/dtau = tr(W) - |Z'e|^2 / sigma2 - tr(inv(X'inv(V0)X) (Z'E)'(Z'E)),    W = Z'inv(V0)Z,

with Z the columns of the effect, e the residuals of y, E those of X, the last term under REML only (Stram & Lee 1994 for
what the sign means; derived on the documentation page on derivatives). The trace of W is exact for few groups, else a mean
over random signs s of s'W s; |W s|^2 gives tr(W W), and with it the standard error of the derivative, sqrt(2 tr(W W)).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sparsemixed.estimation.objectives.iterative import SINGULAR, StochasticDerivatives, StochasticObjective
from sparsemixed.solver.crossproducts.block_products import times_lambda
from sparsemixed.solver.iterative.probe_traces import PROBES_PER_BLOCK, random_signs

MAX_EXACT_COLUMNS = 256
"""Columns up to which the trace is exact."""
MAX_RANDOM_SIGNS = 1024
"""Random signs after which a derivative that cannot be told from zero is left undecided."""
ERRORS_TO_TELL_SIGN = 3.0
"""Monte Carlo errors between a derivative and zero that tell its sign."""


def held_at_zero(objective: StochasticObjective, theta: np.ndarray, freed: np.ndarray) -> np.ndarray:
    """theta with the variances that are all but zero at exactly zero, but for those that have been `freed` (n_theta,)."""
    small = theta**2 * _sizes(objective) < SINGULAR
    return np.where(small & objective.may_vanish & ~freed, 0.0, theta)


def beside_zero(objective: StochasticObjective, theta: np.ndarray, which: np.ndarray) -> np.ndarray:
    """theta with the zeros among `which` (n_theta,) moved to where their variances just count."""
    return np.where((theta == 0.0) & which & ~objective.parameters.held, np.sqrt(2.0 * SINGULAR / _sizes(objective)), theta)


def _sizes(objective: StochasticObjective) -> np.ndarray:
    """(n_theta,) of `objective.sizes`, by parameter."""
    out = np.empty(objective.n_theta)
    for place in objective.parameters.places:
        out[place.theta] = objective.sizes[place.term]
    return out


class Slope(NamedTuple):
    """Derivative of the deviance by a variance at zero and its Monte Carlo error, both in its own standard errors."""

    value: float
    error: float

    @property
    def falls(self) -> bool:
        """Whether the deviance is lower beside zero."""
        return self.value < -ERRORS_TO_TELL_SIGN * self.error

    @property
    def undecided(self) -> bool:
        """Whether the sign is not known."""
        return self.error > 0 and abs(self.value) <= ERRORS_TO_TELL_SIGN * self.error


def slope_at_zero(derivatives: StochasticDerivatives, k: int) -> Slope:
    """The one-sided derivative by the variance of which theta_k, which is zero, is the root."""
    objective, at = derivatives.objective, derivatives.at
    direction = derivatives.directions[k]
    columns = _columns(objective, direction)
    quadratic = float((derivatives.Zte[columns] ** 2).sum()) / at.sigma2
    if objective.reml:
        part = derivatives.ZtE[columns]
        quadratic += float(np.vdot(part @ at.XVX_inverse, part))
    if len(columns) <= MAX_EXACT_COLUMNS:
        W = _through_inverse(derivatives, columns, np.eye(len(columns)))
        return Slope(float(np.trace(W) - quadratic) / float(np.sqrt(2.0 * np.vdot(W, W))), 0.0)
    random = np.random.default_rng(objective.seed + 2 + k)
    forms, squares = np.empty(0), np.empty(0)
    while True:
        signs = random_signs(random, len(columns))
        moved = _through_inverse(derivatives, columns, signs)
        forms = np.append(forms, np.einsum("ic,ic->c", signs, moved))
        squares = np.append(squares, np.einsum("ic,ic->c", moved, moved))
        unit = float(np.sqrt(2.0 * squares.mean()))
        error = float(forms.std(ddof=1) / np.sqrt(forms.size))
        found = Slope((float(forms.mean()) - quadratic) / unit, error / unit)
        if not found.undecided or forms.size >= MAX_RANDOM_SIGNS:
            return found


def _columns(objective: StochasticObjective, direction: list[np.ndarray]) -> np.ndarray:
    """The random effects that a direction of Lambda moves."""
    cp, found = objective.cp, []
    for derivative, where, k in zip(direction, cp.slices, cp.k, strict=True):
        place = np.arange(where.start, where.stop).reshape(-1, k)
        found.append(place[:, derivative.any(axis=0)].ravel())
    return np.concatenate(found)


def _through_inverse(derivatives: StochasticDerivatives, columns: np.ndarray, s: np.ndarray) -> np.ndarray:
    """W s (len(columns), m) for the columns of s, with Z'inv(V0)Z = A - A Lambda inv(M) Lambda'A and A = Z'Z."""
    system, cp, factors, out = derivatives.at.system, derivatives.at.cp, derivatives.factors, []
    for start in range(0, s.shape[1], PROBES_PER_BLOCK):
        part = s[:, start : start + PROBES_PER_BLOCK]
        full = np.zeros((cp.q, part.shape[1]))
        full[columns] = part
        through = system.times_ZtZ(full)
        inner = system.solve(times_lambda(cp, factors, through, transpose=True))
        out.append((through - system.times_ZtZ(times_lambda(cp, factors, inner)))[columns])
    return np.concatenate(out, axis=1)
