"""What is true of a small model: its likelihood from n x n matrices, maximized from many starts.

The likelihood and its derivatives are those of `tests/oracles/`, textbook formulas in V = ZGZ' + R alone; nothing of any program
that is compared goes in.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.optimize as so
from formulaic import Formula
from measuring import HERE
from programs import take_apart

sys.path.insert(0, str(HERE.parent))  # some packages install a `tests` of their own
from tests.oracles import dense_dof, dense_oracle


@dataclass(frozen=True)
class DenseModel:
    """A linear mixed model whose covariance matrix is a sum of known matrices, its entries as weights.

    Attributes
    ----------
    y : ndarray, shape (n,)
    X : ndarray, shape (n, p)
    names : tuple of str
        Those of the columns of X, `1` for the intercept.
    columns : dict
        The columns that vary, by group.
    parts : dict
        By group and pair (a, b), a >= b: dV / dG_ab, shape (n, n).
    R : ndarray, shape (n, n)
        Covariance matrix of the errors at variance one.
    reml : bool
    """

    y: np.ndarray
    X: np.ndarray
    names: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    parts: dict[tuple[str, int, int], np.ndarray]
    R: np.ndarray
    reml: bool

    def covariance(self, G: Mapping[str, np.ndarray], residual: float) -> np.ndarray:
        return sum((G[g][a, b] * part for (g, a, b), part in self.parts.items()), residual * self.R)

    def log_likelihood(self, G: Mapping[str, np.ndarray], residual: float) -> float:
        """Log (restricted) likelihood with the coefficients at their best, with all constants but + log|X'X| / 2."""
        # In orthonormal columns: those of X may differ by six orders of magnitude.
        Q, triangle = np.linalg.qr(self.X)
        value = -0.5 * dense_oracle.deviance(self.y, Q, self.covariance(G, residual), self.reml)
        return value - self.reml * np.log(np.abs(np.diag(triangle))).sum()

    @property
    def first(self) -> list[np.ndarray]:
        """dV by the entries of every G and by the residual variance."""
        return [*self.parts.values(), self.R]


def dense_model(formula: str, data: pd.DataFrame, reml: bool, weights: str | None) -> DenseModel:
    """The model of a formula of lme4 on the rows that have all its variables."""
    fixed, terms = take_apart(formula)
    factors = [factor for term in terms for factor in term.factors]
    data = data.dropna(subset=[*factors, *Formula(fixed).required_variables & set(data.columns)])
    matrices: Any = Formula(fixed).get_model_matrix(data)
    parts = {}
    for term in terms:
        group = data.groupby(list(term.factors)).ngroup().to_numpy()
        same = group[:, None] == group
        z = [np.ones(len(data)) if name == "1" else data[name].to_numpy(dtype=float) for name in term.columns]
        for a in range(len(z)):
            for b in range(a + 1):
                pair = np.outer(z[a], z[b])
                parts[term.group, a, b] = same * (pair if a == b else pair + pair.T)
    w = np.ones(len(data)) if weights is None else data[weights].to_numpy(dtype=float)
    names = tuple("1" if name == "Intercept" else name for name in matrices.rhs.columns)
    columns = {term.group: term.columns for term in terms}
    y, X = (np.asarray(part, dtype=float) for part in (matrices.lhs, matrices.rhs))
    return DenseModel(y.ravel(), X, names, columns, parts, np.diag(1.0 / w), reml)


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is highest: `G` by group, and the residual variance."""

    llf: float
    G: dict[str, np.ndarray]
    residual: float


def maximum(model: DenseModel, starts: int = 8) -> Maximum:
    """The best of many searches with exact derivatives.

    The search is for Cholesky factors of G and the logarithm of the residual standard deviation, in units in which every part of
    V is of order one: singular matrices are ordinary points.
    """
    Q = np.linalg.qr(model.X)[0]
    scale = model.y - Q @ (Q.T @ model.y)
    unit = scale @ scale / len(scale)
    sizes = {g: np.array([np.sqrt(unit / np.trace(model.parts[g, a, a]) * len(scale)) for a in range(len(names))])
             for g, names in model.columns.items()}  # fmt: skip
    count = sum(len(s) * (len(s) + 1) // 2 for s in sizes.values())

    def unpack(point: np.ndarray) -> tuple[dict[str, np.ndarray], float]:
        factors, at = {}, 0
        for group, size in sizes.items():
            k = len(size)
            L = np.zeros((k, k))
            L[np.tril_indices(k)] = point[at : at + k * (k + 1) // 2]
            factors[group], at = L * size[:, None], at + k * (k + 1) // 2
        return factors, unit * np.exp(2.0 * point[-1])

    def value(point: np.ndarray) -> tuple[float, np.ndarray]:
        factors, residual = unpack(point)
        G = {g: L @ L.T for g, L in factors.items()}
        V = model.covariance(G, residual)
        slopes = 0.5 * dense_oracle.gradient(model.y, Q, V, model.first, model.reml)
        by_entry = dict(zip(model.parts, slopes, strict=False))
        pieces = []
        for g, L in factors.items():
            k = len(L)
            # The deviance moves with G_ab and G_ba together.
            D = np.array([[by_entry[g, max(a, b), min(a, b)] * (1.0 if a == b else 0.5) for b in range(k)] for a in range(k)])
            pieces.append((2.0 * (D @ L) * sizes[g][:, None])[np.tril_indices(k)])
        pieces.append(np.array([2.0 * residual * slopes[-1]]))
        return 0.5 * dense_oracle.deviance(model.y, Q, V, model.reml), np.concatenate(pieces)

    rng, found = np.random.default_rng(1), []
    for start in range(starts):
        point = np.append(rng.normal(size=count) * 10.0 ** rng.uniform(-1.5, 0.3), -0.7)
        search = so.minimize(value, point, jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 300})
        found.append((search.fun, start, search.x))
    factors, residual = unpack(min(found)[2])
    G = {g: L @ L.T for g, L in factors.items()}
    return Maximum(model.log_likelihood(G, residual), G, residual)


def errors_of_entries(model: DenseModel, at: Maximum) -> dict[str, np.ndarray]:
    """Standard errors of the entries of every G, by the observed information: V is linear in its parameters."""
    covariance = np.linalg.inv(information(model, at, "oim"))
    found = {group: np.zeros((len(names), len(names))) for group, names in model.columns.items()}
    for (group, a, b), variance in zip(model.parts, np.diag(covariance), strict=False):
        found[group][a, b] = found[group][b, a] = np.sqrt(variance)
    return found


def information(model: DenseModel, at: Maximum, kind: str) -> np.ndarray:
    """Observed (`oim`) or expected (`eim`, of the restricted likelihood) information of the entries and the residual variance."""
    V, first = model.covariance(at.G, at.residual), model.first
    if kind == "eim":
        return dense_dof.expected_information(*dense_dof.precision(V, model.X, first))
    none = [[np.zeros_like(V)] * len(first)] * len(first)
    return 0.5 * dense_oracle.hessian(model.y, np.linalg.qr(model.X)[0], V, first, none, model.reml)


def degrees_of_freedom(model: DenseModel, at: Maximum, method: str) -> dict[str, float]:
    """Those of every coefficient: Satterthwaite's with the observed information, Kenward and Roger's with the expected one."""
    Phi, P, _, _ = dense_dof.precision(model.covariance(at.G, at.residual), model.X, model.first)
    if method == "satterthwaite":
        W = np.linalg.inv(information(model, at, "oim"))
        return {name: float(dense_dof.satterthwaite(Phi, P, W, c)) for name, c in zip(model.names, np.eye(len(Phi)), strict=True)}
    W = np.linalg.inv(information(model, at, "eim"))
    rows = zip(model.names, np.eye(len(Phi)), strict=True)
    return {name: float(dense_dof.kenward_roger(Phi, P, W, c[None, :])[0]) for name, c in rows}
