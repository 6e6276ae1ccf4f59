"""The profile of one printed parameter or coefficient from V alone: the lowest deviance of the others, by a search of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from tests.oracles.random_models import RandomModel

WALL = 1e10
"""Deviance where there is no likelihood."""

INDEFINITE = 1e-9
"""Negative eigenvalue of a part of V, over the largest parameter, that is rounding; V may be definite where a part is not."""

OUTSIDE = 1e-7
"""How far inside the unit circle a root may be that is on it but for rounding, which the root of a double one magnifies."""


@dataclass(frozen=True)
class DenseProfile:
    """Deviances of a `RandomModel` at printed parameters: by its own method, or by ML with one coefficient held.

    Attributes
    ----------
    model : RandomModel
    column : int or None
        Of X, whose coefficient is held.
    """

    model: RandomModel
    column: int | None = None

    def _held(self, value: float) -> RandomModel:
        if self.column is None:
            return self.model
        X, others = self.model.X, np.delete(self.model.X, self.column, axis=1)
        return replace(self.model, y=self.model.y - value * X[:, self.column], X=others, options={"reml": False})

    def deviance(self, printed: np.ndarray, value: float = 0.0) -> float:
        """At printed parameters, the coefficient held at `value`."""
        return -2.0 * self._held(value).llf(printed)

    def _invertible(self, printed: np.ndarray) -> bool:
        """Whether moving averages are; others are those of the same V with other coefficients."""
        kind, order, *_ = f"{self.model.options.get('residuals', '')} - -".replace(",", " ").split()
        if kind != "ma":
            return True
        levels = self.model.parts_of(printed)[-1][1].reshape(-1, int(order) + 1)[:, :-1]
        return all(np.abs(np.roots([*own[::-1], 1.0])).min(initial=1.0) > 1.0 - OUTSIDE for own in levels)

    def lowest(self, printed: np.ndarray, value: float, place: int | None = None) -> float:
        """The lowest deviance that a search from these parameters finds: the parameter at `place` stays, or the coefficient."""
        model, free = self._held(value), np.arange(printed.size) != (-1 if place is None else place)
        if not free.any():
            return -2.0 * model.llf(printed)
        scale = np.maximum(np.abs(printed[free]), 0.02 * np.abs(printed).max())

        def loss(z: np.ndarray) -> tuple[float, np.ndarray]:
            at = printed.copy()
            at[free] = printed[free] + scale * z
            if not self._invertible(at):
                return WALL, np.zeros(z.size)
            if any(np.linalg.eigvalsh(part.share(own))[0] < -INDEFINITE * np.abs(at).max() for part, own in model.parts_of(at)):
                return WALL, np.zeros(z.size)
            llf, score = model.score(at, free=False, step=1e-6 * np.maximum(np.abs(at), 1e-3))
            if not np.isfinite(llf):
                return WALL, np.zeros(z.size)
            return -2.0 * llf, -2.0 * scale * score[free]

        found = minimize(loss, np.zeros(free.sum()), jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 200})
        return float(min(found.fun, loss(np.zeros(free.sum()))[0]))
