"""The objective and its derivatives where the system is solved iteratively: an exact score but for traces from probes.

Beta, sigma2 and the random effects are exact to the tolerance of conjugate gradients. Of the score only tr(N Lambda'A D_k)
needs inv(M); from N Lambda'A Lambda = I - N its block sums are (J I - sum of N_ii) inv(Lambda_t), and the sums of N_ii come
from probes (`solver.iterative.probe_traces`). The average information needs nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import cached_property
from typing import Any

import numpy as np

from sparsemixed.design.deferred import Later
from sparsemixed.design.values import Design
from sparsemixed.errors import NumericalError
from sparsemixed.estimation.interface import Curvature, Predictions
from sparsemixed.estimation.objectives.penalized_derivatives import PenalizedScore
from sparsemixed.estimation.objectives.penalized_deviance import PenalizedDeviance, PenalizedEvaluation
from sparsemixed.estimation.objectives.penalized_predictions import predicted_means, random_effects
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.iterative.deflation import outlying_directions
from sparsemixed.solver.iterative.lanczos import LogDeterminant, log_determinant
from sparsemixed.solver.iterative.probe_traces import PROBE_TOLERANCE, PROBES_PER_BLOCK, Probes, ProbeTraces
from sparsemixed.solver.iterative.system import KrylovFactored, KrylovSystem

SINGULAR = 1e-4
"""Share of the information about a group's effect that its own variance leaves, below which the variance counts as zero."""
CHEAP_WORK, MOST_FIRST = 2e6, 16
"""Entries of the cross-products times blocks of probes that cost next to nothing, and blocks to start with at most."""
EXHAUSTIVE_WORK, EXHAUSTIVE_ORDER = 1e7, 3000
"""The same product, of a block for every 16 columns, and the order of the Schur complement up to which exact traces take a
second or so: they end the search."""
WITHOUT_TRACES = ("_residuals", "_root", "_square_hessian", "_stacks", "_whitened_ZtE", "whitened_U")
"""Values of `PenalizedScore` that depend on the evaluation alone."""
VARIANCE_PROBES = 64
"""Probes for the prediction-error variance of every random effect; sums over groups need fewer."""


class StochasticObjective(PenalizedDeviance[KrylovFactored]):
    """The deviance's derivatives for one data set; evaluations do not know the deviance, which `estimated_deviance` gives.

    Derivatives are estimated by the probes that there are when they are made.

    Parameters
    ----------
    cp : CrossProducts
    system : KrylovSystem
    parameters : ThetaMap
    reml : bool
    seed : int
        Of the probes.
    blocks : int, optional
        Blocks of probes to start with; by default one where exact traces can end the search, else as many as cost next to
        nothing.
    """

    def __init__(
        self, cp: CrossProducts, system: KrylovSystem, parameters: ThetaMap, reml: bool, seed: int, blocks: int | None = None
    ):
        super().__init__(cp, system, parameters, reml)
        self.seed, self.probes = seed, Probes(cp.q_schur, seed)
        cheap = int(np.clip(CHEAP_WORK // max(cp.cross.size, 1), 1, MOST_FIRST))
        self.probes.add(blocks or (1 if self.can_be_exact else cheap))

    def deflate(self, at: PenalizedEvaluation[KrylovFactored]) -> None:
        """Choose anew what is taken exactly; moves the estimated score a little."""
        self.probes.deflate(outlying_directions(at.system, np.random.default_rng(self.seed + 1)))

    @property
    def can_be_exact(self) -> bool:
        """Whether exact traces are affordable, and the probes are still random."""
        work, order = self.cp.cross.size * float(self.cp.q_schur) / PROBES_PER_BLOCK, self.cp.q_schur
        return work <= EXHAUSTIVE_WORK and order <= EXHAUSTIVE_ORDER and not self.probes.exhaustive

    @cached_property
    def sizes(self) -> list[float]:
        """Mean square of every term's columns summed over a group: what a relative variance is multiplied with in M."""
        return [float(np.einsum("iaa->i", blocks).mean() / blocks.shape[1]) for blocks in self.cp.own_blocks]

    @cached_property
    def may_vanish(self) -> np.ndarray:
        """(n_theta,) bool: variances that can be held at zero."""
        return self.parameters.stand_alone()

    def held(self, theta: np.ndarray) -> np.ndarray:
        """(n_theta,) bool: variances that are held at zero at `theta`."""
        return self.parameters.held | (self.may_vanish & (theta == 0.0))

    def name_of(self, t: int) -> str:
        """The equations of an engine term, in words."""
        places = [place for place in self.parameters.places if place.term == t]
        return " and ".join(f"{p.block.equation}: {', '.join(p.block.names)}" for p in places)

    def derivatives(self, at: PenalizedEvaluation[KrylovFactored]) -> StochasticDerivatives:
        """Derivatives at one of its own evaluations."""
        return StochasticDerivatives(self, at)

    def again(self, before: StochasticDerivatives) -> StochasticDerivatives:
        """Derivatives at the same evaluation, with the probes that there are now: what needs no traces is as it was."""
        return StochasticDerivatives(self, before.at, before)

    def predictions(self, design: Design, derivatives: StochasticDerivatives) -> Predictions:
        """Random effects and their prediction-error covariance, term by term of the design."""
        return random_effects(self.parameters, derivatives, len(design.random), self.reml)

    def effects_later(self, design: Design, derivatives: StochasticDerivatives) -> tuple[dict[str, Any], Later]:
        """Random effects as named, and what makes their prediction-error covariance, which takes long and has few readers.

        Until then it holds cross-products, and no factorization.
        """
        at, parameters, count = derivatives.at, self.parameters, len(design.random)
        known = {"u": parameters.named_means(predicted_means(parameters, at, count))}

        def later() -> dict[str, Any]:
            found = parameters.named_effects(*random_effects(parameters, derivatives, count, self.reml))
            return {"u_var": found[1]}

        at.factorization.give_up()
        self.system.buffers.give_up()
        return known, {("u_var",): later}

    def singular_faces(self, theta: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
        """Those of variances held at zero at theta: no deviance is known that could tell of others."""
        held = self.held(theta)
        for where, form, words in super().singular_faces(theta):
            if np.all(held[form != 0]):
                yield where, form, words

    def estimated_deviance(self, at: PenalizedEvaluation[KrylovFactored], error: float) -> LogDeterminant:
        """The deviance at an evaluation and its Monte Carlo standard error, at most `error` where 256 probes suffice."""
        found = log_determinant(at.system, self.seed + 1, error)
        fixed = -np.linalg.slogdet(at.XVX_inverse)[1] if self.reml and self.p else 0.0
        value = found.value + self.df * (1 + np.log(2 * np.pi * at.pwrss / self.df)) + fixed
        return LogDeterminant(float(value), found.error)


class StochasticDerivatives(PenalizedScore[KrylovFactored]):
    """Derivatives at one evaluation, traces from the objective's probes.

    Parameters
    ----------
    objective : StochasticObjective
    evaluation : PenalizedEvaluation
    before : StochasticDerivatives, optional
        At the same evaluation, with other probes.

    Attributes
    ----------
    probe_gradients : (count, n_theta) float64
        The gradient as each probe alone estimates it.
    """

    def __init__(
        self,
        objective: StochasticObjective,
        evaluation: PenalizedEvaluation[KrylovFactored],
        before: StochasticDerivatives | None = None,
    ):
        self.objective = objective
        super().__init__(objective, evaluation)
        if before is not None:
            vars(self).update((name, vars(before)[name]) for name in WITHOUT_TRACES if name in vars(before))
        # At once: what has no answer is to be known before a step is tried from here.
        self._probe_sums: list[np.ndarray] = []
        _ = self.sums

    @property
    def held(self) -> np.ndarray:
        """(n_theta,) bool: variances that are held at zero."""
        return self.objective.held(self.at.theta)

    def effects_later(self, design: Design) -> tuple[dict[str, Any], Later]:
        return self.objective.effects_later(design, self)

    def _diagonal_sums(self) -> list[np.ndarray]:
        objective, cp = self.objective, self.at.cp
        free = [(factor.any(axis=1), factor.any(axis=0)) for factor in self.factors]
        own = [factor[np.ix_(*kept)] for factor, kept in zip(self.factors, free, strict=True)]
        # I - N is this small a share of I, and the solutions must tell the two apart.
        objective.probes.tolerance = PROBE_TOLERANCE * min(self._share(t, factor) for t, factor in enumerate(own))
        found = ProbeTraces(self.at.system).block_sums(objective.probes)
        for blocks, factor, (kept, moved), groups in zip(found, own, free, cp.n_groups, strict=True):
            # Beside a variance of zero the sum is zero too; its other entries meet no direction of theta.
            sums = np.zeros_like(blocks)
            sums[:, :, kept] = (groups * np.eye(blocks.shape[1]) - blocks)[:, :, moved] @ np.linalg.inv(factor)
            self._probe_sums.append(sums)
        return [sums.mean(axis=0) for sums in self._probe_sums]

    def _share(self, t: int, factor: np.ndarray) -> float:
        """The share of a group's effect that its observations tell, in the weakest direction of the term's factor."""
        if not factor.size:
            return 1.0
        square = factor.shape[0] == factor.shape[1]
        told = np.linalg.svd(factor)[1][-1] ** 2 * self.objective.sizes[t] if square else 0.0
        if told < SINGULAR:
            raise NumericalError(
                f"the covariance matrix of {self.objective.name_of(t)} is becoming singular, where solver(krylov) has no answer: "
                "leave an effect out, or use solver(sparse) or solver(dense)"
            )
        return told / (1.0 + told)

    @property
    def probe_gradients(self) -> np.ndarray:
        """(count, n_theta): the gradient as each probe alone estimates it."""
        count = len(self._probe_sums[0])
        spread = [sums - mean for sums, mean in zip(self._probe_sums, self.sums, strict=True)]
        return self.gradient + np.array([self._contract([2.0 * s[c].T for s in spread]) for c in range(count)])

    @property
    def information(self) -> Curvature:
        """What standard errors rest on: the average information."""
        return self.average_information

    def inverse_diagonals(self) -> list[np.ndarray]:
        """For each term the (J, k, k) diagonal blocks of N, exact or estimated from the probes and more of them."""
        probes = deepcopy(self.objective.probes)  # the same ones whenever they are asked for, by however many threads
        probes.add(max(-(-(VARIANCE_PROBES - probes.count) // PROBES_PER_BLOCK), 0))
        return ProbeTraces(self.at.system).blocks(probes)


def monte_carlo_error(derivatives: StochasticDerivatives) -> float:
    """Largest Monte Carlo error of any function of theta, in units of its standard error.

    With G the covariance of one probe's gradient and H the Hessian of the deviance, theta's Monte Carlo covariance is
    inv(H)G inv(H) / count, and its sampling covariance 2 inv(H): the square is the largest eigenvalue of the first in
    units of the second.
    """
    if derivatives.objective.probes.exhaustive:
        return 0.0
    hessian, gradients = derivatives.average_information.profiled, derivatives.probe_gradients
    free = ~derivatives.held
    hessian, gradients = hessian[np.ix_(free, free)], gradients[:, free]
    if not free.any():
        return 0.0
    spread = np.cov(gradients, rowvar=False).reshape(hessian.shape) / len(gradients)
    values, vectors = np.linalg.eigh(hessian)
    if values[0] <= 0:
        return float("inf")
    half = vectors / np.sqrt(values)
    return float(np.sqrt(0.5 * np.linalg.eigvalsh(half.T @ spread @ half)[-1]))
