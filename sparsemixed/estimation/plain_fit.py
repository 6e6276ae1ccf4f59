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

from sparsemixed.design.deferred import deferred
from sparsemixed.design.values import Design
from sparsemixed.estimation.assemble import effects_of, shown_of
from sparsemixed.estimation.ends.second_search import above_linear
from sparsemixed.estimation.ends.values import End
from sparsemixed.estimation.ends.without_errors import may_run_off
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.identification import clearly_identified
from sparsemixed.estimation.linear import LogLikelihood
from sparsemixed.estimation.lost_digits import has_lost_digits
from sparsemixed.estimation.objectives.groups import GroupsObjective
from sparsemixed.estimation.problems.plain_newton import VERDICTS, PlainSearch
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
    squares = float(case.products.cp.XytXy[-1, -1])
    if found is None or is_remarkable(found, plain, squares, llf):
        return None
    beta = orthogonal.coefficients(found.beta)
    return fit_of(found, plain, case.spec, case.design, beta, llf, Behind(found, plain, lambda: (case, plain.objective), llf))


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
    first = float(found.numbers[0, 0])
    later = {
        ("root", "slopes", "components", "log"): behind.shown,
        ("u", "u_var"): behind.effects,
        ("em_log",): lambda: {"em_log": (LogEntry(0, llf(first), float("nan")),)},
    }
    return deferred(
        Fit,
        later,
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
    case : callable
        The case and the objective of the fit's own response.
    llf : LogLikelihood
    """

    def __init__(self, found: Descent, plain: PlainSearch, case: Callable[[], tuple[Case, GroupsObjective]], llf: LogLikelihood):
        self._found, self._plain, self._own, self._llf = found, plain, case, llf

    @cached_property
    def _end(self) -> tuple[Case, End[Any, Any]]:
        case, objective = self._own()
        return case, End(objective, self._plain.optimum_of(self._found, objective, self._llf))

    def shown(self) -> dict[str, Any]:
        """What tables read."""
        case, end = self._end
        at, boundary = end.optimum.evaluation, Boundary(np.zeros(len(self._found.hessian) - 1, bool), ())
        root = covariance_root(at.sigma2, at.XVX_inverse)
        return shown_of(case, end, at, end.optimum.derivatives, boundary, root, informed=True)

    def effects(self) -> dict[str, Any]:
        """What predictions read."""
        case, end = self._end
        return effects_of(case, end, end.optimum.derivatives)
