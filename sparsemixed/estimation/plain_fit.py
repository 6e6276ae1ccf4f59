"""Fits of small data of which nothing has to be told: from the end of the compiled search straight to the numbers.

The other stages of a fit (`estimation.ends`, `estimation.assemble`) look for what may be remarkable about an end: a boundary, a
model without random effects that is better, a variance that runs off, parameters that the data do not tell. Where a few numbers
show that there is nothing of the kind these stages change nothing, and what they would have handed on is made when it is read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from sparsemixed.design.deferred import Later, deferred
from sparsemixed.design.values import Design
from sparsemixed.estimation.assemble import effects_of
from sparsemixed.estimation.components import components
from sparsemixed.estimation.ends.second_search import above_linear
from sparsemixed.estimation.ends.without_errors import may_run_off
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.identification import clearly_identified
from sparsemixed.estimation.linear import LogLikelihood
from sparsemixed.estimation.lost_digits import has_lost_digits
from sparsemixed.estimation.objectives.groups import GroupsDerivatives, GroupsObjective
from sparsemixed.estimation.problems.plain_newton import VERDICTS, PlainSearch, derivatives_of
from sparsemixed.estimation.problems.values import Case, Problem
from sparsemixed.estimation.search.boundary import Boundary
from sparsemixed.estimation.search.values import LogEntry
from sparsemixed.solver.groups.first import Descent
from sparsemixed.solver.linalg import covariance_root, has_root
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
    squares = case.products.cp.square
    if found is None or is_remarkable(found, plain, squares, llf):
        return None
    beta = orthogonal.coefficients(found.beta)
    return fit_of(found, plain, case.spec, case.design, beta, llf, Behind(found, plain, case, llf))


def is_remarkable(found: Descent, plain: PlainSearch, squares: float, llf: LogLikelihood) -> bool:
    """Whether the end of a search asks for a closer look.

    Parameters
    ----------
    squares : float
        y'y of the response less its fixed part's least-squares fit.
    """
    deviance, nowhere = float(found.numbers[found.iterations, 0]), np.zeros(len(found.hessian) - 1, bool)
    if above_linear(deviance, llf.linear_deviance) or has_lost_digits(squares, found.pwrss, plain.model.df):
        return True
    return not (has_root(found.inverse) and clearly_identified(nowhere, 0.5 * found.hessian, True))


def fit_of(
    found: Descent, plain: PlainSearch, spec: ModelSpec, design: Design, beta: np.ndarray, llf: LogLikelihood, behind: Behind
) -> Fit:
    """The fit at an end about which nothing is remarkable."""
    last, (message, converged) = found.iterations, VERDICTS[found.why]
    return deferred(
        Fit,
        behind.later(),
        spec=spec,
        design=design,
        beta=beta,
        sigma2=found.pwrss / plain.model.df,
        theta=found.path[last, 0].copy(),
        information=0.5 * found.hessian,
        boundary=np.zeros(len(found.hessian) - 1, bool),
        boundary_names=(),
        llf=llf(float(found.numbers[last, 0])),
        llf_linear=llf.linear,
        converged=converged,
        message=message,
        gradient_norm=0.5 * float(found.numbers[last, 2]),
        iterations=last,
        factorizations=last + 1,
        solver=plain.objective.solver,
        **NOTHING_ELSE,
    )


class Behind:
    """What stands behind a fit, made when more is asked for than its numbers.

    Parameters
    ----------
    found, plain : Descent, PlainSearch
    case : Case
        Of the fit's design, with any response.
    llf : LogLikelihood
    own : callable
        The objective of the fit's own response.
    """

    def __init__(
        self, found: Descent, plain: PlainSearch, case: Case, llf: LogLikelihood, own: Callable[[], GroupsObjective] | None = None
    ):
        self._found, self._plain, self._case, self._llf, self._own = found, plain, case, llf, own

    @cached_property
    def _derivatives(self) -> GroupsDerivatives:
        """Those at the end, where the response has left its traces: nothing of it is needed for what tables show."""
        return derivatives_of(self._found, self._plain.objective)

    def later(self) -> Later:
        """The fields of a fit."""
        return {
            ("root",): lambda: {"root": self._case.reduction.orthogonal.root(self._root)},
            ("components",): self._components,
            ("slopes",): self._slopes,
            ("log",): lambda: {"log": self._plain.log(self._found, self._llf)},
            ("em_log",): lambda: {"em_log": (LogEntry(0, self._llf(float(self._found.numbers[0, 0])), float("nan")),)},
            ("u", "u_var"): self._effects,
        }

    @property
    def _root(self) -> np.ndarray:
        at = self._derivatives.at
        return covariance_root(at.sigma2, at.XVX_inverse)

    def _components(self) -> dict[str, Any]:
        nowhere = Boundary(np.zeros(len(self._found.hessian) - 1, bool), ())
        return {"components": components(self._case.design, self._plain.objective, self._derivatives.at, nowhere)}

    def _slopes(self) -> dict[str, Any]:
        return {"slopes": self._derivatives.whitened_slopes if self._case.reml else None}

    def _effects(self) -> dict[str, Any]:
        objective = self._plain.objective if self._own is None else self._own()
        return effects_of(self._case.design, objective, derivatives_of(self._found, objective))
