"""Equal variances and one common covariance: `alpha * I + beta * 11'`, a symmetric root."""

from __future__ import annotations

import numpy as np

from sparsemixed.structures.base import Displayed
from sparsemixed.structures.random.base import RandomStructure


class Exchangeable(RandomStructure):
    """Common variance and covariance (manual, `covariance(exchangeable)`).

    With theta = (alpha, beta) the root has eigenvalues alpha (m - 1 times) and alpha + m beta, hence
    cov = 2 alpha beta + m beta^2 and var = alpha^2 + cov.

    Where there are more effects than columns, n in all, the last of the m stands for those that no column holds: it is their sum,
    divided by the root of their number, and with w = (1, ..., 1, sqrt(n - m + 1)) the root is alpha I + beta ww'. The matrix of
    all n effects is then positive semidefinite, the correlation at least -1/(n - 1).

    Parameters
    ----------
    m : int
        Dimension.
    n_effects : int, optional
        At least m, and m by default.

    Examples
    --------
    >>> root = Exchangeable(2).factor(np.array([1.0, 0.5]))
    >>> root @ root.T
    array([[2.5, 1.5],
           [1.5, 2.5]])
    >>> root = Exchangeable(3, 6).factor(np.array([1.0, -1 / 6]))  # the smallest correlation that six effects can share
    >>> (root @ root.T)[:2, :2].round(3)
    array([[ 0.833, -0.167],
           [-0.167,  0.833]])
    """

    word, title, factor_levels = "EXchangeable", "Exchangeable", "columns"

    def __init__(self, m: int, n_effects: int | None = None):
        if m < 2:
            raise ValueError("an exchangeable covariance needs at least two effects: one has no covariance to share")
        super().__init__(m)
        self._n_effects = m if n_effects is None else n_effects
        self._shares = np.append(np.ones(m - 1), np.sqrt(self._n_effects - m + 1.0))

    def __repr__(self) -> str:
        return f"Exchangeable({self.m}, {self.n_effects})" if self.n_effects != self.m else super().__repr__()

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) and self.n_effects == getattr(other, "n_effects", None)

    def __hash__(self) -> int:
        return hash((Exchangeable, self.m, self.n_effects))

    @classmethod
    def of_levels(cls, most: int, n_levels: int) -> Exchangeable:
        return cls(min(most + 1, n_levels), n_levels)

    @property
    def n_effects(self) -> int:
        return self._n_effects

    def dfactor(self) -> np.ndarray:
        return np.stack([np.eye(self.m), np.outer(self._shares, self._shares)])

    def nearest(self, covariance: np.ndarray) -> np.ndarray:
        along = float(self._shares @ covariance @ self._shares) / self.n_effects
        return self._of_eigenvalues(along, (np.trace(covariance) - along) / (self.m - 1))

    def from_root(self, root: np.ndarray) -> np.ndarray:
        along = self._shares @ root / np.sqrt(self.n_effects)
        rest = root - np.outer(self._shares, along) / np.sqrt(self.n_effects)
        return self._of_eigenvalues(float(along @ along), float(np.sum(rest**2)) / (self.m - 1))

    def _of_eigenvalues(self, along: float, across: float) -> np.ndarray:
        """theta of the matrix with these eigenvalues along w and across it."""
        alpha = np.sqrt(max(across, 0.0))
        return np.array([alpha, (np.sqrt(max(along, 0.0)) - alpha) / self.n_effects])

    def singular_faces(self) -> np.ndarray:
        return np.array([[1.0, 0.0], [1.0, self.n_effects]])

    def face_names(self, names: tuple[str, ...], label: str) -> list[str]:
        effects = ", ".join(names)
        return [f"the effects {effects} of {label} are perfectly correlated", f"the sum of the effects {effects} of {label} is 0"]

    def display(self, theta: np.ndarray, names: tuple[str, ...]) -> list[Displayed]:
        alpha, beta = theta
        inside = names[0] if len(names) == 1 else " ".join(names)
        pair = inside if len(names) == 1 else ",".join(names) if len(names) == 2 else inside
        common = 2 * alpha * beta + self.n_effects * beta**2
        dcommon = np.array([2 * beta, 2 * alpha + 2 * self.n_effects * beta])
        return [
            Displayed(("var",), inside, float(alpha**2 + common), "variance", dcommon + np.array([2 * alpha, 0.0])),
            Displayed(("cov",), pair, float(common), "covariance", dcommon),
        ]
