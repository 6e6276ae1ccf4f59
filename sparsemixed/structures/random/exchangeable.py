"""Equal variances and one common covariance: `alpha * I + beta * 11'`, a symmetric root."""

from __future__ import annotations

import numpy as np

from sparsemixed.structures.base import Parameter
from sparsemixed.structures.random.base import RandomStructure


class Exchangeable(RandomStructure):
    """Common variance and covariance (manual, `covariance(exchangeable)`).

    With theta = (alpha, beta) the root has eigenvalues alpha (m - 1 times) and alpha + m beta, hence
    cov = 2 alpha beta + m beta^2 and var = alpha^2 + cov.

    Examples
    --------
    >>> root = Exchangeable(2).factor(np.array([1.0, 0.5]))
    >>> root @ root.T
    array([[2.5, 1.5],
           [1.5, 2.5]])
    """

    word, title, factor_levels = "EXchangeable", "Exchangeable", "columns"

    def __init__(self, m: int):
        if m < 2:
            raise ValueError("an exchangeable covariance needs at least two effects: one has no covariance to share")
        super().__init__(m)

    def dfactor(self) -> np.ndarray:
        return np.stack([np.eye(self.m), np.ones((self.m, self.m))])

    def nearest(self, covariance: np.ndarray) -> np.ndarray:
        m = self.m
        variance = np.trace(covariance) / m
        common = (covariance.sum() - m * variance) / max(m * (m - 1), 1)
        alpha = np.sqrt(max(variance - common, 0.0))
        return np.array([alpha, (np.sqrt(max(variance + (m - 1) * common, 0.0)) - alpha) / m])

    def from_root(self, root: np.ndarray) -> np.ndarray:
        m, mean = self.m, root.mean(axis=0)
        alpha = np.linalg.norm(root - mean) / np.sqrt(m - 1)
        return np.array([alpha, (np.sqrt(m) * np.linalg.norm(mean) - alpha) / m])

    def edges(self) -> np.ndarray:
        return np.array([[1.0, 0.0], [1.0, self.m]])

    def edge_names(self, names: tuple[str, ...], label: str) -> list[str]:
        effects = ", ".join(names)
        return [f"the effects {effects} of {label} are perfectly correlated", f"the sum of the effects {effects} of {label} is 0"]

    def display(self, theta: np.ndarray, names: tuple[str, ...]) -> list[Parameter]:
        alpha, beta = theta
        inside = names[0] if len(names) == 1 else " ".join(names)
        pair = inside if len(names) == 1 else ",".join(names) if len(names) == 2 else inside
        common = 2 * alpha * beta + self.m * beta**2
        dcommon = np.array([2 * beta, 2 * alpha + 2 * self.m * beta])
        return [
            Parameter(("var",), inside, float(alpha**2 + common), "variance", dcommon + np.array([2 * alpha, 0.0])),
            Parameter(("cov",), pair, float(common), "covariance", dcommon),
        ]
