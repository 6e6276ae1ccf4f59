"""Fits of small data of which nothing has to be told: from the end of the compiled search straight to the numbers.

The other stages of a fit (`estimation.ends`, `estimation.assemble`) look for what may be remarkable about an end: a boundary, a
model without random effects that is better, a variance that runs off, parameters that the data do not tell. Where a few numbers
show that there is nothing of the kind these stages change nothing, and what they would have handed on is made when it is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsemixed.design.deferred import Later, deferred
from sparsemixed.design.values import Design
from sparsemixed.estimation.assemble import effects_of
from sparsemixed.estimation.components import components
from sparsemixed.estimation.ends.second_search import above_linear
from sparsemixed.estimation.ends.without_errors import may_run_off
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.identification import SUSPECT, clearly_identified
from sparsemixed.estimation.linear import LogLikelihood
from sparsemixed.estimation.lost_digits import has_lost_digits
from sparsemixed.estimation.objectives.groups import GroupsObjective
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.estimation.problems.plain_newton import VERDICTS, derivatives_of, log_of
from sparsemixed.estimation.problems.values import Problem
from sparsemixed.estimation.search.boundary import Boundary
from sparsemixed.estimation.search.values import LogEntry
from sparsemixed.solver.groups.first import Descent, Model
from sparsemixed.solver.linalg import covariance_root, has_root, semidefinite_root
from sparsemixed.spec import ModelSpec

NOTHING_ELSE = {"monte_carlo": None, "identification": None, "lost_digits": "", "solver_note": "", "log_prior": 0.0}
"""What there is of a fit about which nothing is remarkable in the fields that only others have."""


def may_be_plain(problem: Problem[Any, Any]) -> bool:
    """Whether the design and the options leave it to the numbers alone whether a fit is remarkable."""
    case, options = problem.case, problem.case.spec.estimation
    return problem.plan is not None and not (
        problem.plain is None
        or options.nostderr
        or options.emonly
        or case.design.residual is not None
        or may_run_off(case.design)
    )


def plain_fit(problem: Problem[Any, Any], llf: LogLikelihood) -> Fit | None:
    """The fit of a small problem; None where something about it may be remarkable."""
    plain, case = problem.plain, problem.case
    if plain is None or not may_be_plain(problem):
        return None
    found = plain.found(plain.theta)
    orthogonal = case.reduction.orthogonal
    if found is None or is_remarkable(found, plain.model.df, case.products.cp.square, llf):
        return None
    behind = Behind(found, plain.model, case.design, plain.objective.parameters, orthogonal, llf, lambda: plain.objective)
    return fit_of(case.spec, orthogonal.coefficients(found.beta), plain.objective.solver, behind)


def is_remarkable(found: Descent, df: float, squares: float, llf: LogLikelihood) -> bool:
    """Whether the end of a search asks for a closer look.

    Parameters
    ----------
    squares : float
        y'y of the response less its fixed part's least-squares fit.
    """
    from sparsemixed.solver.groups.kernels_reduction import clearly_a_maximum  # delayed: a process with few fits needs none of it

    deviance = float(found.numbers[found.iterations, 0])
    if above_linear(deviance, llf.linear_deviance) or has_lost_digits(squares, found.pwrss, df):
        return True
    if clearly_a_maximum(found.hessian, found.inverse, SUSPECT):
        return False
    return not (has_root(found.inverse) and clearly_identified(nowhere(found), 0.5 * found.hessian, True))


def nowhere(found: Descent) -> np.ndarray:
    """(n_theta,) bool: no parameter is on the boundary."""
    return np.zeros(len(found.hessian) - 1, bool)


def fit_of(spec: ModelSpec, beta: np.ndarray, solver: str, behind: Behind) -> Fit:
    """The fit at an end about which nothing is remarkable."""
    found, llf = behind.found, behind.llf
    last, (message, converged) = found.iterations, VERDICTS[found.why]
    return deferred(
        Fit,
        behind.later(),
        spec=spec,
        design=behind.design,
        beta=beta,
        sigma2=behind.sigma2,
        theta=found.path[last, 0].copy(),
        information=0.5 * found.hessian,
        boundary=nowhere(found),
        boundary_names=(),
        llf=llf(float(found.numbers[last, 0])),
        llf_linear=llf.linear,
        converged=converged,
        message=message,
        gradient_norm=0.5 * float(found.numbers[last, 2]),
        iterations=last,
        factorizations=last + 1,
        solver=solver,
        **NOTHING_ELSE,
    )


class Behind:
    """What stands behind a fit, made when more is asked for than its numbers.

    Parameters
    ----------
    found, model : Descent, Model
    design : Design
    layout : ThetaMap
    orthogonal : OrthonormalCoordinates
        With any response.
    llf : LogLikelihood
    own : callable
        The objective of the fit's own response.
    """

    def __init__(
        self,
        found: Descent,
        model: Model,
        design: Design,
        layout: ThetaMap,
        orthogonal: OrthonormalCoordinates,
        llf: LogLikelihood,
        own: Callable[[], GroupsObjective],
    ):
        self.found, self.design, self.llf, self.sigma2 = found, design, llf, found.pwrss / model.df
        self._model, self._layout, self._orthogonal, self._own = model, layout, orthogonal, own

    def later(self) -> Later:
        """The fields of a fit."""
        return {
            ("root",): lambda: {"root": self._orthogonal.root(covariance_root(self.sigma2, self.found.inverse))},
            ("components",): self._components,
            ("slopes",): self._slopes,
            ("log",): lambda: {"log": log_of(self.found, self.llf, self._model.bounds)},
            ("em_log",): lambda: {"em_log": (LogEntry(0, self.llf(float(self.found.numbers[0, 0])), float("nan")),)},
            ("u", "u_var"): self._effects,
        }

    def _components(self) -> dict[str, Any]:
        theta, boundary = self.found.path[self.found.iterations, 0], Boundary(nowhere(self.found), ())
        return {"components": components(self.design, self._layout, theta, self.sigma2, boundary)}

    def _slopes(self) -> dict[str, Any]:
        if not self._model.reml:
            return {"slopes": None}
        root, p = semidefinite_root(self.found.inverse), len(self.found.beta)
        return {"slopes": root.T @ self.found.slopes[:, :p, :p] @ root}

    def _effects(self) -> dict[str, Any]:
        objective = self._own()
        return effects_of(self.design, objective, derivatives_of(self.found, objective))
