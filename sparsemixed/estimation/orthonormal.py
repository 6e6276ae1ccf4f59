"""Orthonormal fixed effects: the same model in coordinates in which nothing cancels.

X = QR and y - X b0, with b0 the least-squares coefficients, replace X and y. Cross-products of the residual response do not
lose digits to a large mean, and X'X becomes the identity, so badly scaled or nearly collinear covariates do no harm.

Two things enter here and nowhere else. A weight w multiplies its row by the square root of w, which turns every
cross-product into a weighted one. Constraints beta = T gamma + a replace X by XT and y by y - Xa (manual, [P] makecns).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.delayed import sp
from sparsemixed.design.deferred import HoldsLater, changed, deferred
from sparsemixed.design.values import Constraints, Design, RandomTerm
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.lapack import solve_triangular
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, TermData, cross_products
from sparsemixed.solver.crossproducts.sparse_columns import coefficients_on, sparse_cross_products
from sparsemixed.solver.factored.triangle import triangle
from sparsemixed.solver.linalg import regression, thin_qr
from sparsemixed.solver.rows import less_fitted, suits


@dataclass(frozen=True)
class OrthonormalCoordinates(HoldsLater):
    """The fixed part in orthonormal coordinates.

    Attributes
    ----------
    Q : (n, r) orthonormal, r = p less the number of constraints; rows times the root of their weight.
    R : (r, r) upper triangular
    start : (r,) least-squares coefficients
    residual : (n,) response less its least-squares fit, rows times the root of their weight.
    n_obs : float
        Observations that the rows stand for.
    log_precision : float
        Sum of the logarithms of the precision weights.
    constraints : Constraints or None
    sparse : (n, r) csr_array or None
        X, rows times the root of their weight, where it is sparse; Q = X inv(R) is then formed when it is first read.
    gram : (r + 1, r + 1), or None
        [Q residual]'[Q residual] where it is known.
    """

    Q: np.ndarray
    R: np.ndarray
    start: np.ndarray
    residual: np.ndarray
    n_obs: float
    log_precision: float = 0.0
    constraints: Constraints | None = None
    sparse: sp.csr_array | None = None
    gram: np.ndarray | None = None

    @property
    def square(self) -> float:
        """The residual sum of squares."""
        return float(self.residual @ self.residual) if self.gram is None else float(self.gram[-1, -1])

    @property
    def rank(self) -> int:
        """r"""
        return len(self.R)

    def products(self, values: np.ndarray) -> np.ndarray:
        """Q'values (r,) for values (n,)."""
        if self.sparse is None:
            return self.Q.T @ values
        return solve_triangular(self.R, self.sparse.T @ values, transposed=True)

    def cross_products(self, terms: list[TermData]) -> CrossProducts:
        """Those of the terms with each other, with Q and with the residual."""
        if self.sparse is None:
            return cross_products(terms, self.Q, self.residual, self.n_obs, self.gram)
        return sparse_cross_products(terms, self.sparse, self.R, self.residual, self.n_obs)

    def constant(self, reml: bool) -> float:
        """What these coordinates take off the deviance: log|X'X| under REML, and minus the log precision weights."""
        logdet = 2.0 * float(np.log(np.abs(self.R.diagonal())).sum()) if reml else 0.0
        return logdet - self.log_precision

    def coefficients(self, beta: np.ndarray) -> np.ndarray:
        """Coefficients (p,) on X from those on Q."""
        found = self.start + solve_triangular(self.R, beta)
        return found if self.constraints is None else self.constraints.T @ found + self.constraints.a

    def to_orthonormal(self, X: np.ndarray) -> np.ndarray:
        """Rows of Q (m, r) that stand for rows of X (m, p): a prediction from them has the same coefficients' part."""
        free = X if self.constraints is None else X @ self.constraints.T
        return solve_triangular(self.R.T, free.T, lower=True).T if free.size else free

    def root(self, matrix: np.ndarray) -> np.ndarray:
        """Rows (p, c) that give coefficients on X from rows (r, c) that give those on Q."""
        found = solve_triangular(self.R, matrix)
        return found if self.constraints is None else self.constraints.T @ found


def orthonormal_coordinates(design: Design) -> OrthonormalCoordinates:
    """QR of the free fixed effects' columns, and the residual of the response."""
    log_precision = 0.0
    if design.weights is not None and design.weights.kind == "precision":
        log_precision = float(np.log(design.weights.rows).sum())
    sparse = _sparse_coordinates(design, log_precision)
    if sparse is not None:
        return sparse
    X = design.X
    if design.constraints is not None:
        X = X @ design.constraints.T
    if design.weights is not None:
        X = X * np.sqrt(design.weights.rows)[:, None]
    shared = (design.n_obs, log_precision, design.constraints)
    found = regression(X, _weighted_response(design))
    if found is not None:
        return OrthonormalCoordinates(*found[:4], *shared, gram=found.gram)
    Q, R = thin_qr(X) if X.shape[1] else (X, np.zeros((0, 0)))
    return OrthonormalCoordinates(Q, R, *_least_squares(design, Q, R), *shared)


def _sparse_coordinates(design: Design, log_precision: float) -> OrthonormalCoordinates | None:
    """Those of a sparse X, which need no dense one; None where rows of Q will be asked for, or inner products give no good R."""
    if design.sparse is None or design.constraints is not None or design.residual is not None:
        return None
    X = design.sparse
    if design.weights is not None:
        X = sp.csr_array(sp.diags_array(np.sqrt(design.weights.rows)) @ X)
    R = triangle(X)
    if R is None:
        return None
    start, residual = coefficients_on(X, R, _weighted_response(design))
    known = {"R": R, "start": start, "residual": residual, "n_obs": design.n_obs, "log_precision": log_precision}

    def later() -> dict[str, np.ndarray]:
        return {"Q": solve_triangular(R.T, X.toarray().T, lower=True).T}

    return deferred(OrthonormalCoordinates, {("Q",): later}, sparse=X, **known)


def without_rows(orthogonal: OrthonormalCoordinates, design: Design) -> OrthonormalCoordinates:
    """The same coordinates without anything of n rows, which is computed once more when it is read; `design` is theirs."""
    known = {name: getattr(orthogonal, name) for name in ("R", "start", "n_obs", "log_precision", "constraints", "gram")}

    def later() -> dict[str, np.ndarray]:
        again = orthonormal_coordinates(design)
        return {"Q": again.Q, "residual": again.residual}

    return deferred(OrthonormalCoordinates, {("Q", "residual"): later}, **known)


def with_response(orthogonal: OrthonormalCoordinates, design: Design) -> OrthonormalCoordinates:
    """The same coordinates for a design that differs in its response alone."""
    if orthogonal.sparse is None:
        start, residual = _least_squares(design, orthogonal.Q, orthogonal.R)
    else:
        start, residual = coefficients_on(orthogonal.sparse, orthogonal.R, _weighted_response(design))
    return changed(orthogonal, start=start, residual=residual, gram=None)


def _weighted_response(design: Design) -> np.ndarray:
    """y (n,) less what constraints fix of it, times the root of the rows' weight."""
    y = design.y
    if design.constraints is not None:
        y = y - design.X @ design.constraints.a
    return y if design.weights is None else y * np.sqrt(design.weights.rows)


def _least_squares(design: Design, Q: np.ndarray, R: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (r,) of the response on X = QR, and what they leave of it (n,)."""
    y = _weighted_response(design)
    if not len(R):
        return np.zeros(0), y
    fitted = Q.T @ y
    if suits(Q):
        residual, again = less_fitted(y, Q, fitted)
        return solve_triangular(R, fitted + again), less_fitted(residual, Q, again)[0]
    residual = y - Q @ fitted
    again = Q.T @ residual  # a second pass removes what the first left of rounding (Giraud, Langou & Rozloznik 2005)
    return solve_triangular(R, fitted + again), residual - Q @ again


def engine_terms(design: Design, layout: ThetaMap) -> list[TermData]:
    """The random terms as the engine takes them: in its order and its columns, rows times the root of their weight."""
    return [engine_term(design, layout, t) for t in range(len(layout.order))]


def engine_term(design: Design, layout: ThetaMap, t: int) -> TermData:
    """One of `engine_terms`, by its place in the engine's order."""
    term = weighted_term(design, design.random[layout.order[t]])
    return term._replace(columns=layout.engine_columns(term.columns, t))


def weighted_term(design: Design, term: RandomTerm) -> TermData:
    """A random term in its columns as named, rows times the root of their weight."""
    columns = term.columns
    if design.weights is not None:
        columns = columns * np.sqrt(design.weights.rows)[:, None]
    return TermData(term.codes, term.n_groups, columns)
