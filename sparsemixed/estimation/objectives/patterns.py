"""The profiled deviance of models with residual structures, cluster by cluster pattern.

V_g = R_g(rho) + sum_t Z_t Lambda_t Lambda_t' Z_t' is formed once per pattern g; everything else is sums over patterns of
its inverse against summed cross-products. The parameter vector is (theta, rho): the random effects' parameters, then
those of the residual structure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.interface import Curvature, Penalty, Predictions
from sparsemixed.estimation.lazy import lazy_property
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.estimation.penalties import profiled, with_curvature, with_slopes
from sparsemixed.solver.linalg import bordered, inverse_and_logdet
from sparsemixed.solver.residual.patterns import PatternBatch
from sparsemixed.structures.residual_errors.base import ResidualStructure

SINGULAR = 1e-7
"""Smallest eigenvalue of the correlations of a cluster below which its covariance counts as singular."""
TINY = 1e-10
"""The same of its covariance, relative to the largest variance of all observations."""


@dataclass(frozen=True)
class PatternEvaluation:
    """Everything known at one (theta, rho) without derivatives; `inverses` holds inv(V_g) (G, m, m) of every batch."""

    theta: np.ndarray
    deviance: float
    beta: np.ndarray
    pwrss: float
    sigma2: float
    XVX_inverse: np.ndarray
    inverses: tuple[np.ndarray, ...]


class PatternObjective:
    """The deviance of one data set.

    Parameters
    ----------
    batches : list of PatternBatch
        Of orthonormal X.
    parameters : ThetaMap
        Of the random effects; its engine terms in the order of the batches' terms.
    residual : ResidualStructure
    n : float
        Rows.
    p : int
        Columns of X.
    reml : bool

    Attributes
    ----------
    prior : Penalty or None
        Of a penalised likelihood, whose deviance this is then.
    """

    prior: Penalty | None = None

    def __init__(
        self, batches: list[PatternBatch], parameters: ThetaMap, residual: ResidualStructure, n: float, p: int, reml: bool
    ):
        self.batches, self.parameters, self.residual, self.reml, self.p = batches, parameters, residual, reml, p
        self.df = n - p if reml else n
        self.factorizations = 0

    solver = "clusters"

    @property
    def n_theta(self) -> int:
        """Number of parameters."""
        return self.parameters.n_theta + self.residual.n_rho

    def split(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters of the random effects and of the residuals."""
        return theta[: self.parameters.n_theta], theta[self.parameters.n_theta :]

    def covariance(self, batch: PatternBatch, theta: np.ndarray) -> np.ndarray:
        """V_g / sigma2 (G, m, m)."""
        own, rho = self.split(theta)
        return self._with_effects(np.where(batch.linked, self.residual.covariance(rho, batch.t), 0.0), batch, own)

    def _with_effects(self, errors: np.ndarray, batch: PatternBatch, own: np.ndarray) -> np.ndarray:
        """V_g / sigma2 (G, m, m) of these `errors`, which it overwrites, and the random effects at their parameters `own`."""
        V = errors
        for factor, shared, z in zip(self.parameters.factors(own), batch.shared, batch.columns, strict=True):
            half = z @ factor
            V += np.where(shared, half @ half.transpose(0, 2, 1), 0.0)
        return V

    def singular(self, theta: np.ndarray) -> bool:
        """Whether a cluster has observations without variance, or that others determine, to rounding."""
        matrices = self._matrices(theta)
        largest = max(float(np.einsum("gaa->ga", V).max()) for V in matrices)
        for V in matrices:
            scale = np.sqrt(np.einsum("gaa->ga", V))
            if float(np.linalg.eigvalsh(V)[:, 0].min()) < TINY * largest:
                return True
            if float(np.linalg.eigvalsh(V / (scale[:, :, None] * scale[:, None, :]))[:, 0].min()) < SINGULAR:
                return True
        return False

    def largest_variance(self, theta: np.ndarray) -> float:
        """Of an observation, over sigma2."""
        return max(float(np.einsum("gaa->ga", V).max()) for V in self._matrices(theta))

    def null_directions(self, theta: np.ndarray) -> float:
        """In how many directions of all observations V is singular to rounding."""
        matrices, largest = self._matrices(theta), self.largest_variance(theta)
        null = [(np.linalg.eigvalsh(V) < SINGULAR * largest).sum(axis=1) for V in matrices]
        return float(sum(batch.counts @ count for batch, count in zip(self.batches, null, strict=True)))

    def _matrices(self, theta: np.ndarray) -> list[np.ndarray]:
        """V_g / sigma2 of every batch, singular or not."""
        return [self.covariance(batch, theta) for batch in self.batches]

    def evaluate(self, theta: np.ndarray) -> PatternEvaluation:
        """Invert V pattern by pattern and solve for beta and sigma2."""
        p = self.p
        self.factorizations += 1
        logdet, w, inverses = 0.0, np.zeros((p + 1, p + 1)), []
        for batch in self.batches:
            inverse, logs = _invert(self.covariance(batch, theta))
            logdet += float(batch.counts @ logs)
            w += batch.quadratic(inverse)
            inverses.append(inverse)
        w = (w + w.T) / 2
        found = profiled(self.prior, theta, w, logdet, self.df, self.reml)
        return PatternEvaluation(theta.copy(), *found, tuple(inverses))

    def predictions(self, design: Design, derivatives: PatternDerivatives) -> Predictions:
        """Random effects and their prediction-error covariance, term by term of the design."""
        return random_effects(design, self, derivatives.at)

    def derivatives(self, at: PatternEvaluation) -> PatternDerivatives:
        """Derivatives at one of its own evaluations."""
        return PatternDerivatives(self, at)

    def singular_faces(self, theta: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
        """Edges of the random effects' covariances; residual structures have none."""
        for where, form, words in self.parameters.singular_faces:
            yield where, np.append(form, np.zeros(self.residual.n_rho)), words


def _invert(V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inverses (G, m, m) and log-determinants (G,)."""
    if not np.all(np.isfinite(V)):
        raise NumericalError("the covariance matrix of a group's observations overflowed")
    try:
        return inverse_and_logdet(V)
    except np.linalg.LinAlgError as error:
        raise NumericalError("the covariance matrix of a group's observations is not positive definite") from error


class PatternDerivatives:
    """Exact gradient and Hessian in (theta, rho, log sigma2), by the formulas of V (Searle, Casella & McCulloch 1992, 6.6).

    With Q = inv(V), S = sum of (e e' / sigma2 + X Phi X') over the clusters of a pattern (the second term under REML):
    gradient tr(V_k (n Q - Q S Q)); the Hessian adds tr(V_kl ...) and the products tr(Q V_k Q V_l (2 Q S - n I)), less what
    beta takes up.
    """

    def __init__(self, objective: PatternObjective, at: PatternEvaluation):
        self.objective, self.at = objective, at
        p = objective.p
        c = np.append(-at.beta, 1.0)
        self.residual_weights = np.outer(c, c) / at.sigma2
        self.fixed_weights = np.zeros((p + 1, p + 1))
        if objective.reml:
            self.fixed_weights[:p, :p] = at.XVX_inverse
        self.contrast = c
        own, self.rho = objective.split(at.theta)
        self.factors = objective.parameters.factors(own)
        self.directions = objective.parameters.directions()

    def _first(self, batch: PatternBatch) -> np.ndarray:
        """dV / d(theta, rho) (n_theta, G, m, m)."""
        out = []
        for direction in self.directions:
            t = next((i for i, d in enumerate(direction) if d.any()), 0)
            z = batch.columns[t]
            half = (z @ direction[t]) @ (z @ self.factors[t]).transpose(0, 2, 1)
            out.append(np.where(batch.shared[t], half + half.transpose(0, 2, 1), 0.0))
        rho = np.where(batch.linked, self.objective.residual.dcovariance(self.rho, batch.t), 0.0)
        return np.concatenate([np.array(out).reshape(-1, *batch.linked.shape), rho])

    @lazy_property
    def _pieces(self) -> list[tuple]:
        """For each batch: Q, dV, Q dV, n Q - Q S Q, and Q S with S of residuals alone and of both."""
        out = []
        for batch, Q in zip(self.objective.batches, self.at.inverses, strict=True):
            first = self._first(batch)
            residual, fixed = batch.outer(self.residual_weights), batch.outer(self.fixed_weights)
            kernel = batch.counts[:, None, None] * Q - Q @ (residual + fixed) @ Q
            out.append((Q, first, Q @ first, kernel, residual, fixed))
        return out

    @lazy_property
    def gradient(self) -> np.ndarray:
        """Gradient (n_theta,) of the profiled deviance."""
        parts = [np.einsum("kgab,gab->k", first, kernel) for _, first, _, kernel, _, _ in self._pieces]
        return with_slopes(self.objective.prior, self.at, np.sum(parts, axis=0))

    @lazy_property
    def _square_gradient(self) -> np.ndarray:
        """Derivative (n_theta,) of pwrss / sigma2."""
        parts = [np.einsum("kgab,gab->k", first, Q @ residual @ Q) for Q, first, _, _, residual, _ in self._pieces]
        return -np.sum(parts, axis=0)

    @lazy_property
    def observed_information(self) -> Curvature:
        """Exact Hessian of the deviance in (theta, rho, log sigma2)."""
        objective = self.objective
        hessian = self._second_order()
        for batch, (Q, _, QV, _, residual, plain) in zip(objective.batches, self._pieces, strict=True):
            counts = batch.counts[:, None, None]
            weighted = QV @ (2.0 * Q @ (residual + plain) - counts * np.eye(Q.shape[-1]))
            hessian += _traces(QV, weighted)
        hessian = (hessian + hessian.T) / 2 - self._profiled_out(self._forms)
        found = Curvature(self.gradient, bordered(hessian, -self._square_gradient, objective.df))
        return with_curvature(objective.prior, self, found)

    @property
    def information(self) -> Curvature:
        """What standard errors rest on."""
        return self.observed_information

    @property
    def knows_average(self) -> bool:
        """True: the exact Hessian stands in its place."""
        return True

    @property
    def average_information(self) -> Curvature:
        """The exact Hessian: clusters are small, nothing is saved by an approximation."""
        return self.observed_information

    @lazy_property
    def _forms(self) -> np.ndarray:
        """[X y]'Q V_k Q [X y] (n_theta, p + 1, p + 1)."""
        out = np.zeros((self.objective.n_theta, self.objective.p + 1, self.objective.p + 1))
        for batch, (Q, _, QV, _, _, _) in zip(self.objective.batches, self._pieces, strict=True):
            out += batch.quadratics(QV @ Q)
        return out

    @property
    def fixed_slopes(self) -> np.ndarray:
        """Derivative (n_theta, p, p) of X'inv(V0)X."""
        return -self._forms[:, : self.objective.p, : self.objective.p]

    @property
    def score_slopes(self) -> np.ndarray:
        """Derivative (n_theta, p) of X'inv(V0)(y - X beta), beta held."""
        return -(self._forms @ self.contrast)[:, : self.objective.p]

    def _profiled_out(self, fixed: np.ndarray) -> np.ndarray:
        """What profiling beta removes, and under REML tr(Phi W_k Phi W_l)."""
        p, phi = self.objective.p, self.at.XVX_inverse
        g = np.array([(f @ self.contrast)[:p] for f in fixed]).reshape(len(fixed), p)
        out = 2.0 * g @ phi @ g.T / self.at.sigma2
        if self.objective.reml:
            products = [phi @ f[:p, :p] for f in fixed]
            out = out + np.array([[np.vdot(a, b.T) for b in products] for a in products])
        return out

    def _second_order(self) -> np.ndarray:
        """sum of tr(V_kl (n Q - Q S Q))."""
        n, own = self.objective.n_theta, self.objective.parameters.n_theta
        out = np.zeros((n, n))
        for batch, (_, _, _, kernel, _, _) in zip(self.objective.batches, self._pieces, strict=True):
            for k, left in enumerate(self.directions):
                for l, right in enumerate(self.directions[: k + 1]):
                    for t, (a, b) in enumerate(zip(left, right, strict=True)):
                        if a.any() and b.any():
                            z = batch.columns[t]
                            half = (z @ a) @ (z @ b).transpose(0, 2, 1)
                            value = 2.0 * float(np.sum(np.where(batch.shared[t], half, 0.0) * kernel))
                            out[k, l] += value
                            out[l, k] += value if k != l else 0.0
            weights = np.where(batch.linked, kernel, 0.0)
            out[own:, own:] += self.objective.residual.second(self.rho, batch.t, weights)
        return out


def _traces(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(n, n) sums over patterns of tr(right[k] left[l]); both (n, G, m, m)."""
    n = len(left)
    return right.reshape(n, -1) @ left.transpose(0, 1, 3, 2).reshape(n, -1).T


def random_effects(design: Design, objective: PatternObjective, at: PatternEvaluation) -> Predictions:
    """Best linear unbiased predictions cluster by cluster, b = G Z'inv(V)(y - X beta).

    b (J, k) and Var(b - b_hat) (J, k, k) of every term, in the order of the design: beta taken as known after maximum
    likelihood, as estimated after REML.
    """
    own, _ = objective.split(at.theta)
    factors = objective.parameters.factors(own)
    c = np.append(-at.beta, 1.0)
    means: list = [None] * len(design.random)
    variances: list = [None] * len(design.random)
    for t, r in enumerate(objective.parameters.order):
        term, G = design.random[r], factors[t] @ factors[t].T
        score = np.zeros((term.n_groups, term.k))
        fixed = np.zeros((term.n_groups, term.k, objective.p))
        spread = np.zeros((term.n_groups, term.k, term.k))
        for batch, Q in zip(objective.batches, at.inverses, strict=True):
            pattern = np.repeat(np.arange(len(batch.start) - 1), np.diff(batch.start))
            z, codes = batch.columns[t][pattern], term.codes[batch.index]
            solved = Q[pattern] @ batch.rows
            np.add.at(score, codes, z * (solved @ c)[:, :, None])
            np.add.at(fixed, codes, z[..., None] * solved[:, :, None, : objective.p])
            # Z'inv(V)Z of a group: pairs of its rows only.
            through = np.where(batch.shared[t], Q, 0.0)[pattern] @ z
            np.add.at(spread, codes, z[..., None] * through[:, :, None, :])
        if objective.reml:
            spread -= fixed @ at.XVX_inverse @ fixed.transpose(0, 2, 1)
        means[r] = score @ G
        variances[r] = at.sigma2 * (G - G @ spread @ G)
    return tuple(means), tuple(variances)
