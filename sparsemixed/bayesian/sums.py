"""What the likelihood is made of at many parameters at once: log|V0| and W = [X y]'inv(V0)[X y], V0 = V / sigma2.

Everything else about the coefficients and sigma follows from these (1 + (p + 1)^2) numbers. X and y stand in the orthonormal
coordinates of the fit, where nothing cancels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.errors import DataError, NotAvailableError, NumericalError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.objectives.groups import GroupsObjective
from sparsemixed.estimation.objectives.iterative import StochasticObjective
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedEvaluation
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.estimation.problems.solvers import check_solver
from sparsemixed.estimation.problems.table import choose_problem
from sparsemixed.estimation.sources.rows import reduce_rows
from sparsemixed.solver.factored.bordered import BorderedSchur
from sparsemixed.solver.factored.system import PenalizedSystem
from sparsemixed.spec import ModelSpec

KEPT = ("block", "dense", "sparse", "krylov")
"""Solvers that a fit had chosen for itself, and its posterior has too."""
MOST_DENSE, CHUNK_NUMBERS = 96, 1 << 18
"""Random effects up to which dense matrices of many parameters at once are the cheapest, and numbers in those of one pass."""


@dataclass(frozen=True)
class Sums:
    """log|V0| (S,) and W (S, P, P); NaN where a system breaks down."""

    logdet: np.ndarray
    W: np.ndarray


class MarginalSums:
    """The sums of one data set.

    Parameters
    ----------
    objective : objective with a restricted likelihood, or None
        None without random effects and residual structure.
    orthogonal : OrthonormalCoordinates
    design : Design
    """

    def __init__(self, objective: Any, orthogonal: OrthonormalCoordinates, design: Design):
        self.objective, self.orthogonal, self.design = objective, orthogonal, design
        self.layout = ThetaMap((), (), ()) if objective is None else objective.parameters
        self.residual = None if design.residual is None else design.residual.structure
        self.p, self.n = orthogonal.rank, orthogonal.n_obs
        self.n_theta = 0 if objective is None else objective.n_theta

    @property
    def vectorised(self) -> bool:
        """Whether many thetas cost little more than one."""
        return self.objective is None or isinstance(self.objective, GroupsObjective) or self._is_small

    @property
    def iterative(self) -> bool:
        """Whether there is no factorization, and so no log-determinant but where dense matrices are small."""
        return isinstance(self.objective, StochasticObjective)

    @property
    def dense_order(self) -> int:
        """Order of the largest dense matrix."""
        if self.iterative:
            return self.p
        return max(self.p, 0 if self.objective is None else getattr(self.objective.cp, "q_schur", 0))

    def at(self, thetas: np.ndarray) -> Sums:
        """The sums at thetas (S, n_theta)."""
        if self.objective is None:
            return self._linear(len(thetas))
        with np.errstate(all="ignore"):
            if isinstance(self.objective, GroupsObjective):
                return self._groups(thetas)
            if self._is_small:
                return self._dense(thetas)
            bordered = self._bordered
            found = [self._one(theta) if bordered is None else bordered.values(self.layout.factors(theta)) for theta in thetas]
        return Sums(np.array([f[0] for f in found]), np.array([f[1] for f in found]))

    def evaluate(self, theta: np.ndarray) -> PenalizedEvaluation[Any]:
        """The evaluation of the objective."""
        return self.objective.evaluate(theta)

    @cached_property
    def _bordered(self) -> BorderedSchur | None:
        """What gives the values without all that derivatives need, where the Schur complement is dense and errors independent."""
        system = getattr(self.objective, "system", None)
        if self.residual is not None or not isinstance(system, PenalizedSystem) or system.weighted or system.name != "dense":
            return None
        return BorderedSchur(self.objective.cp)

    def _linear(self, count: int) -> Sums:
        W = np.eye(self.p + 1)
        W[-1, -1] = self.orthogonal.square
        return Sums(np.zeros(count), np.broadcast_to(W, (count, self.p + 1, self.p + 1)))

    def _one(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        p, objective = self.p, self.objective
        W = np.full((p + 1, p + 1), np.nan)
        try:
            at = self.evaluate(theta)
        except NumericalError:
            return float("nan"), W
        xx = np.linalg.inv(at.XVX_inverse)
        W[:p, :p], W[:p, p] = xx, xx @ at.beta
        W[p, :p], W[p, p] = W[:p, p], at.pwrss + at.beta @ W[:p, p]
        logdet_x = float(np.linalg.slogdet(xx)[1]) if p else 0.0
        df = objective.df
        return at.deviance - df * (1 + np.log(2 * np.pi * at.pwrss / df)) - logdet_x, W

    def _groups(self, thetas: np.ndarray) -> Sums:
        """Independent groups: sums over them in one compiled pass for all thetas."""
        objective = self.objective
        k = objective.roots.k
        factors = (thetas @ objective.flat_moves).reshape(-1, k, k)
        gram, logdet = objective.roots.deviances(factors)
        return Sums(logdet, objective.rest + gram)

    @property
    def _is_small(self) -> bool:
        """Whether dense matrices of all effects are small, errors independent and groups counted once."""
        if self.residual is not None or self.objective.cp.q > MOST_DENSE:
            return False
        return all(np.all(weights == 1.0) for weights in self.objective.system.weights)

    def _dense(self, thetas: np.ndarray) -> Sums:
        """A few crossed effects: M of many thetas as one stack of matrices."""
        cp, chunk = self.objective.cp, max(CHUNK_NUMBERS // self.objective.cp.q**2, 1)
        A, ZtXy = cp.matrix.toarray(), cp.ZtXy
        found = [self._stack(A, ZtXy, cp, thetas[start : start + chunk]) for start in range(0, len(thetas), chunk)]
        return Sums(np.concatenate([f.logdet for f in found]), np.concatenate([f.W for f in found]))

    def _stack(self, A: np.ndarray, ZtXy: np.ndarray, cp: Any, thetas: np.ndarray) -> Sums:
        S, q = len(thetas), cp.q
        M, right = np.empty((S, q, q)), np.empty((S, q, ZtXy.shape[1]))
        factors = self._stacked_factors(thetas)
        for t, rows in enumerate(cp.slices):
            j, k, back = cp.n_groups[t], cp.k[t], factors[t].transpose(0, 2, 1)
            right[:, rows] = _left(back, np.broadcast_to(ZtXy[rows], (S, *ZtXy[rows].shape)), j, k)
            for u, columns in enumerate(cp.slices):
                half = _left(back, np.broadcast_to(A[rows, columns], (S, *A[rows, columns].shape)), j, k)
                own = _left(factors[u].transpose(0, 2, 1), half.transpose(0, 2, 1), cp.n_groups[u], cp.k[u])
                M[:, rows, columns] = own.transpose(0, 2, 1)
        M[:, np.arange(q), np.arange(q)] += 1.0
        lower, logdet = _roots(M)
        half = np.linalg.solve(lower, right)
        return Sums(logdet, cp.full_XytXy - half.transpose(0, 2, 1) @ half)

    def _stacked_factors(self, thetas: np.ndarray) -> list[np.ndarray]:
        """Lambda (S, k, k) of every term."""
        out = [np.zeros((len(thetas), k, k)) for k in self.layout.k]
        for place in self.layout.places:
            m, d = place.structure.m, place.structure.dfactor()
            values = (thetas[:, place.theta] @ d.reshape(len(d), -1)).reshape(-1, m, m)
            out[place.term][:, place.columns, place.columns] = values
        return out


def _left(factors: np.ndarray, values: np.ndarray, j: int, k: int) -> np.ndarray:
    """(I_j x F) values for F (S, k, k) and values (S, j k, c)."""
    if k == 1:
        return factors * values
    shaped = values.reshape(len(values), j, k, -1)
    return np.einsum("sab,sjbc->sjac", factors, shaped).reshape(values.shape)


def _roots(M: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cholesky factors and log-determinants of a stack; NaN for those that have none."""
    try:
        lower = np.linalg.cholesky(M)
    except np.linalg.LinAlgError:
        lower = np.full_like(M, np.nan)
        for s, one in enumerate(M):
            try:
                lower[s] = np.linalg.cholesky(one)
            except np.linalg.LinAlgError:
                lower[s] = np.eye(M.shape[-1])
                lower[s, 0, 0] = np.nan
    return lower, 2.0 * np.log(np.einsum("saa->sa", lower)).sum(axis=1)


def marginal_sums(fit: Fit) -> MarginalSums:
    """The sums behind a fit, under the restricted likelihood whatever it was fitted by.

    Raises
    ------
    DataError
        The fit does not hold its rows.
    NotAvailableError
        A factorization is out of reach; sampling weights; a parameter that the data do not see.
    """
    design = fit.design
    if not design.has_rows:
        raise DataError("bayes needs the rows that the model was fitted to: fit it again, or save it with data=True")
    check_model(fit.spec, design)
    spec = replace(fit.spec, estimation=replace(fit.spec.estimation, method="reml", solver=_solver(fit), prior=None))
    check_solver(spec, design)
    independent = design.residual is None
    reduction = reduce_rows(spec, design, independent)
    if independent and not design.random:
        return MarginalSums(None, reduction.orthogonal, design)
    kind = "precision" if not independent else "iterative" if spec.estimation.solver == "krylov" else "penalized"
    problem = choose_problem(spec, design, reduction, kind)
    held = problem.objective.parameters.holds
    if held:
        raise NotAvailableError(
            f"bayes: {held[0].words}: the data say nothing of it beside the fixed part; leave it out of the model"
        )
    return MarginalSums(problem.objective, reduction.orthogonal, design)


def _solver(fit: Fit) -> str:
    asked = fit.spec.estimation.solver
    return fit.solver if asked == "auto" and fit.design.residual is None and fit.solver in KEPT else asked


def check_model(spec: ModelSpec, design: Design) -> None:
    """Refuse models whose likelihood is none of the data."""
    if design.weights is not None and design.weights.kind == "sampling":
        raise NotAvailableError("bayes: sampling weights make a pseudolikelihood, of which there is no posterior")
    if spec.estimation.prior is not None:
        raise OptionError("bayes: priors are given to bayes itself, priors=; fit the model without prior= first")
    if spec.vce.method.scores:
        raise NotAvailableError("bayes: vce(robust) and posteriors exclude each other; leave the option out")
