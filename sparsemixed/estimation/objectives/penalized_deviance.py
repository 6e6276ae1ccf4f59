"""The profiled deviance: -2 log (restricted) likelihood as a function of theta alone, by any solver of the penalised system.

With M = Lambda'Z'ZLambda + I and pwrss the penalised weighted residual sum of squares,
d_ML = log|M| + n (1 + log(2 pi pwrss / n)) and
d_REML = log|M| + log|X'inv(V0)X| + (n - p) (1 + log(2 pi pwrss / (n - p)))
(Bates, Maechler, Bolker & Walker 2015, eqs 35 and 42; manual, Methods and formulas, equations 11 and 13).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Generic

import numpy as np

from sparsemixed.estimation.interface import Penalty
from sparsemixed.estimation.lazy import lazy_property
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.estimation.penalties import profiled
from sparsemixed.solver.crossproducts.block_products import times_lambda
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.interface import LinearSystem, S
from sparsemixed.solver.linalg import LARGE, less_symmetric_product
from sparsemixed.solver.recent import Factorization, Recent


@dataclass(frozen=True)
class PenalizedEvaluation(Generic[S]):
    """Everything known at one theta without derivatives.

    Attributes
    ----------
    theta : (n_theta,)
    deviance : float
    beta : (p,)
    pwrss, sigma2 : float
    XVX_inverse : (p, p)
        inverse of X'inv(V0)X.
    cp : CrossProducts
        Those that M is made of.
    factors : list of (k, k)
        Lambda.
    factorization : Factorization
        Of M.
    solution : (q, p + 1) or None
        inv(M) Lambda'Z'[X y]; None where it is not to be solved for unless it is asked for.
    many : bool
        Whether U has so many columns, solved for so quickly, that it is not kept but solved for whenever it is asked for.
    """

    theta: np.ndarray
    deviance: float
    beta: np.ndarray
    pwrss: float
    sigma2: float
    XVX_inverse: np.ndarray
    cp: CrossProducts
    factors: list[np.ndarray]
    factorization: Factorization[S]
    solution: np.ndarray | None = None
    many: bool = False

    @cached_property
    def _solved(self) -> np.ndarray:
        """inv(M) Lambda'Z'[X y], (q, p + 1)."""
        return self._solve(self.cp.ZtXy) if self.solution is None else self.solution

    def _solve(self, columns: np.ndarray) -> np.ndarray:
        """inv(M) Lambda'columns, for columns (q, m)."""
        return self.system.solve(times_lambda(self.cp, self.factors, columns, transpose=True))

    @lazy_property
    def u(self) -> np.ndarray:
        """(q,): spherical random effects, b = Lambda u."""
        if self.many:
            return self._solve((self.cp.ZtXy @ np.append(-self.beta, 1.0))[:, None])[:, 0]
        return self._solved[:, -1] - self.U @ self.beta

    @property
    def U(self) -> np.ndarray:
        """(q, p): inv(M) Lambda'Z'X."""
        return self._solve(self.cp.ZtXy[:, :-1]) if self.many else self._solved[:, :-1]

    @property
    def system(self) -> S:
        """M, factored; for use at once, so that it need not stay in memory."""
        return self.factorization.system()


class PenalizedDeviance(Generic[S]):
    """The deviance of one data set.

    Parameters
    ----------
    cp : CrossProducts
        Of orthonormal X (see `estimation.orthonormal`).
    system : LinearSystem
        Of the same cross-products.
    parameters : ThetaMap
    reml : bool

    Attributes
    ----------
    prior : Penalty or None
        Of a penalised likelihood, whose deviance this is then.
    """

    prior: Penalty | None = None

    def __init__(self, cp: CrossProducts, system: LinearSystem[S], parameters: ThetaMap, reml: bool):
        self.cp, self.system, self.parameters, self.reml = cp, system, parameters, reml
        self.p = cp.ZtXy.shape[1] - 1
        self.df = cp.n - self.p if reml else cp.n
        self.directions = parameters.directions()
        self.factorizations = 0
        self._recent = Recent(lambda: system.numbers)

    @property
    def n_theta(self) -> int:
        """Number of parameters."""
        return self.parameters.n_theta

    @property
    def solver(self) -> str:
        """How the system is solved."""
        return self.system.name

    def evaluate(self, theta: np.ndarray) -> PenalizedEvaluation[S]:
        """Factor at theta and solve for beta, u and sigma2."""
        return self._evaluation(theta, theta, self.cp, self.system)

    def _evaluation(
        self, theta: np.ndarray, own: np.ndarray, cp: CrossProducts, system: LinearSystem[S], logdet: float = 0.0
    ) -> PenalizedEvaluation[S]:
        """Theta's random effects' part is `own`; `system` is that of `cp`, and `logdet` what the errors add to log|M|."""
        factors = self.parameters.factors(own)
        factorization = Factorization(lambda: self._factored(system, factors), self._recent)
        solved_system = factorization.system()
        rhs = times_lambda(cp, factors, cp.ZtXy, transpose=True)
        solved = solved_system.solve(rhs)
        w = less_symmetric_product(cp.XytXy, rhs, solved)
        many = self.p >= LARGE and not cp.q_schur
        parts = (cp, factors, factorization, None if many else solved, many)
        del rhs, solved
        return self._profiled(theta, w, solved_system.logdet + logdet, parts)

    def _profiled(self, theta: np.ndarray, w: np.ndarray, logdet: float, parts: tuple) -> PenalizedEvaluation[S]:
        """The deviance with beta and sigma2 at their best, from w = [X y]'inv(V0)[X y] and log|V0|.

        Parameters
        ----------
        parts : tuple
            The evaluation's `cp`, `factors`, `factorization`, `solution` and `many`.
        """
        found = profiled(self.prior, theta, w, logdet, self.df, self.reml)
        return PenalizedEvaluation(theta.copy(), *found, *parts)

    def singular(self, theta: np.ndarray) -> bool | None:
        """Not known: V is never formed."""
        return None

    def _factored(self, system: LinearSystem[S], factors: list[np.ndarray]) -> S:
        self.factorizations += 1
        return system.factor(factors)

    def singular_faces(self, theta: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
        """(places in theta, linear form, words) of every singular face; see `ThetaMap.singular_faces`."""
        yield from self.parameters.singular_faces
