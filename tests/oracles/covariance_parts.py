"""Covariance matrices of random effects and of errors in the parameters that are printed: numpy, nothing of the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Values = Callable[[np.ndarray], np.ndarray]


class Family(NamedTuple):
    """A family of covariance matrices.

    Attributes
    ----------
    size : int
        Number of printed parameters.
    values : callable
        From them (size,) to the numbers in which its share of V is linear.
    draw : callable
        From unconstrained numbers (size,) to printed parameters: for searches of its own. What it gives is positive definite.
    """

    size: int
    values: Values
    draw: Values


@dataclass(frozen=True)
class Part:
    """One covariance matrix of a model.

    Attributes
    ----------
    family : Family
    spread : callable
        Linear, from `family.values` to its share of V (n, n).
    gather : callable
        The transpose: from a symmetric (n, n) to the sums by which its inner product with the share is one with the values.
    """

    family: Family
    spread: Values
    gather: Values

    @property
    def size(self) -> int:
        return self.family.size

    def share(self, printed: np.ndarray) -> np.ndarray:
        """(n, n) of its printed parameters (size,)."""
        return self.spread(self.family.values(printed))


def autocorrelations(phi: np.ndarray, longest: int) -> np.ndarray:
    """Of an AR(p) process by the Yule-Walker equations."""
    p = phi.size
    system, right = np.eye(p), np.zeros(p)
    for lag in range(1, p + 1):
        for j in range(1, p + 1):
            if abs(lag - j) == 0:
                right[lag - 1] += phi[j - 1]
            else:
                system[lag - 1, abs(lag - j) - 1] -= phi[j - 1]
    out = np.concatenate([[1.0], np.linalg.solve(system, right)])
    while out.size <= longest:
        out = np.append(out, phi @ out[-p:][::-1])
    return out[: longest + 1]


def moving_average_correlations(theta: np.ndarray, longest: int) -> np.ndarray:
    """Of an MA(q) process."""
    weights = np.append(1.0, theta)
    full = np.correlate(weights, weights, "full")[theta.size :]
    return np.pad(full / full[0], (0, max(longest - theta.size, 0)))[: longest + 1]


def partial_to_phi(partial: np.ndarray) -> np.ndarray:
    """AR coefficients of partial autocorrelations."""
    phi = partial[:0]
    for value in partial:
        phi = np.append(phi - value * phi[::-1], value)
    return phi


def _possible_toeplitz(longest: int) -> Values:
    """From any numbers f (order,) to correlations at the first lags of a positive definite matrix, zero beyond.

    With T(f) the matrix of zero diagonal, I + T(f) / (1 + c) has its least eigenvalue at 1 - c / (1 + c) for c = -min eig T(f).
    """
    lag = np.abs(np.subtract.outer(np.arange(longest + 1), np.arange(longest + 1)))

    def draw(f: np.ndarray) -> np.ndarray:
        return f / (1.0 - np.linalg.eigvalsh(_padded(0.0, f, longest)[lag])[0])

    return draw


def _padded(first: float, others: np.ndarray, longest: int) -> np.ndarray:
    """By lag (longest + 1,), zero beyond the others."""
    return np.concatenate([[first], others, np.zeros(max(longest - others.size, 0))])[: longest + 1]


def _unstructured(m: int, band: int) -> Family:
    """Variances, then covariances up to `band` places off the diagonal; the Cholesky factor is as narrow."""
    pairs = [(i, j) for i in range(m) for j in range(i + 1, min(m, i + band + 1))]
    one, other = np.array([i for i, _ in pairs], int), np.array([j for _, j in pairs], int)

    def matrix(v: np.ndarray) -> np.ndarray:
        G = np.diag(v[:m])
        G[one, other] = G[other, one] = v[m:]
        return G

    def draw(f: np.ndarray) -> np.ndarray:
        lower = np.diag(np.exp(f[:m]))
        lower[other, one] = f[m:]
        G = lower @ lower.T
        return np.concatenate([np.diag(G), G[one, other]])

    return Family(m + len(pairs), matrix, draw)


def _exchangeable(m: int) -> Callable[[np.ndarray], np.ndarray]:
    """Draws a variance and a covariance of m effects, or of errors in groups of at most m."""
    least = -1.0 / max(m - 1, 1)

    def draw(f: np.ndarray) -> np.ndarray:
        variance = np.exp(2.0 * f[0])
        return np.array([variance, variance * (least + (1.0 - least) / (1.0 + np.exp(-f[1])))])

    return draw


def _structure(name: str, m: int) -> Family:
    """Of m random effects."""
    if name == "identity" or m == 1:
        return Family(1, lambda v: v[0] * np.eye(m), lambda f: np.exp(2.0 * f))
    if name == "independent":
        return Family(m, np.diag, lambda f: np.exp(2.0 * f))
    if name == "exchangeable":
        return Family(2, lambda v: (v[0] - v[1]) * np.eye(m) + v[1], _exchangeable(m))
    return _unstructured(m, m)


def random_part(group: np.ndarray, columns: np.ndarray, structure: str) -> Part:
    """Random effects of `columns` (n, m) within groups."""
    same = (group[:, None] == group[None, :]).astype(float)
    family = _structure(structure, columns.shape[1])
    return Part(family, lambda G: same * (columns @ G @ columns.T), lambda S: columns.T @ (same * S) @ columns)


def _errors(word: str, order: int, t: np.ndarray, largest: int) -> tuple[Family, np.ndarray]:
    """Errors of one group: the family, and for each pair of rows (n, n) which of its values their covariance is."""
    lag = np.abs(t[:, None] - t[None, :])
    if word == "independent":
        return Family(1, lambda v: v, lambda f: np.exp(2.0 * f)), np.zeros(lag.shape, int)
    if word == "exchangeable":
        return Family(2, lambda v: v, _exchangeable(largest)), 1 - np.eye(t.size, dtype=int)
    if word == "exponential":
        distances, kind = np.unique(lag, return_inverse=True)
        decay = Family(
            2,
            lambda v: v[1] * v[0] ** distances,
            lambda f: np.array([1.0 / (1.0 + np.exp(-f[0])), np.exp(2.0 * f[1])]),
        )
        return decay, kind.reshape(lag.shape)
    if word in ("unstructured", "banded"):
        place, levels = t.astype(int), int(t.max()) + 1
        return _unstructured(levels, order if word == "banded" else levels), place[:, None] * levels + place
    place, longest = lag.astype(int), int(lag.max())
    correlations = {
        "ar": lambda v: autocorrelations(v, longest),
        "ma": lambda v: moving_average_correlations(v, longest),
        "toeplitz": lambda v: _padded(1.0, v, longest),
    }[word]
    draw = {
        "ar": lambda f: partial_to_phi(np.tanh(f)),
        "ma": lambda f: -partial_to_phi(np.tanh(f)),
        "toeplitz": _possible_toeplitz(longest),
    }[word]
    family = Family(order + 1, lambda v: v[-1] * correlations(v[:-1]), lambda f: np.append(draw(f[:-1]), np.exp(2.0 * f[-1])))
    return family, place


def residual_part(word: str, order: int, group: np.ndarray, t: np.ndarray, by: np.ndarray | None, scale: np.ndarray) -> Part:
    """Errors within groups, of a family of its own for each level of `by`; `scale` (n,) multiplies standard deviations."""
    one, kind = _errors(word, order, t, int(np.unique(group, return_counts=True)[1].max()))
    level = np.zeros(t.size, int) if by is None else np.unique(by, return_inverse=True)[1]
    same = np.eye(t.size, dtype=bool) if word == "independent" else group[:, None] == group[None, :]
    rows, columns = np.nonzero(same)
    levels, each = int(level.max()) + 1, one.values(one.draw(np.zeros(one.size))).size
    which, weights = level[rows] * each + kind[rows, columns], scale[rows] * scale[columns]

    def by_level(each_of: Values) -> Values:
        return lambda v: np.concatenate([each_of(part).ravel() for part in np.split(v, levels)])

    def spread(values: np.ndarray) -> np.ndarray:
        share = np.zeros((t.size, t.size))
        share[rows, columns] = values[which] * weights
        return share

    def gather(S: np.ndarray) -> np.ndarray:
        return np.bincount(which, S[rows, columns] * weights, levels * each)

    return Part(Family(one.size * levels, by_level(one.values), by_level(one.draw)), spread, gather)
