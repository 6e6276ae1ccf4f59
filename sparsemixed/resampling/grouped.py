"""Many fits of a design of independent groups in compiled searches (`solver.groups.many`), and which designs these serve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.design.values import Design
from sparsemixed.estimation.ends.second_search import ABOVE
from sparsemixed.estimation.ends.without_errors import may_run_off
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.objectives.groups import GroupsObjective
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates
from sparsemixed.estimation.problems.values import Problem
from sparsemixed.estimation.search.minimum import DEVIANCE_ROUNDING
from sparsemixed.lapack import solve_triangular
from sparsemixed.postestimation.influence.printed_variances import printed_variances
from sparsemixed.resampling.replicates import Replicates
from sparsemixed.solver.groups.many import Ends, Searches

MOST_NUMBERS = 1 << 22
"""In the rows of one piece of work (32 MB)."""


@dataclass(frozen=True)
class GroupedDesign:
    """A problem whose searches are compiled.

    Attributes
    ----------
    problem : Problem
        Of a `GroupsObjective`.
    searches : Searches
    words : tuple of str
        What each face means.
    """

    problem: Problem
    searches: Searches
    words: tuple[str, ...]

    @property
    def objective(self) -> GroupsObjective:
        """The objective."""
        found = self.problem.objective
        assert isinstance(found, GroupsObjective)
        return found

    @property
    def orthogonal(self) -> OrthonormalCoordinates:
        """The fixed part."""
        return self.problem.case.reduction.orthogonal


def grouped_design(problem: Problem) -> GroupedDesign | None:
    """The problem for compiled searches; None where its search is another than Newton's in theta, or may end in other ways."""
    objective, plan, case = problem.profile, problem.plan, problem.case
    if not isinstance(objective, GroupsObjective) or plan is None or not plan.exact or plan.metric is not None:
        return None
    options = plan.options
    newton = all(name == "nr" for name, _ in options.technique) and not options.emonly
    if not newton or objective.prior is not None or objective.parameters.holds or may_run_off(case.design):
        return None
    nrtolerance = 1e-11 if options.nrtolerance is None else options.nrtolerance
    bounds = np.array([-1.0 if options.nonrtolerance else nrtolerance, options.tolerance, options.ltolerance])
    fixed = _fixed(case.reduction.orthogonal, case.design)
    searches = Searches(objective.moves, objective.faces, objective.reml, bounds, options.iterate, fixed)
    return GroupedDesign(problem, searches, tuple(words for _, _, words in objective.parameters.singular_faces))


def _fixed(orthogonal: OrthonormalCoordinates, design: Design) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    R, r = orthogonal.R, len(orthogonal.R)
    held = design.constraints
    T, shift = (np.eye(r), np.zeros(r)) if held is None else (held.T, held.a)
    return R, T, shift, T @ solve_triangular(R, np.eye(r))


def collected(design: GroupedDesign, fit: Fit, ends: Ends, df: np.ndarray | float) -> Replicates:
    """The estimates of searches that converged; rows of all others are left open.

    Parameters
    ----------
    fit : Fit
        To the same design, with any response.
    df : (B,) or float
        What residual sums of squares are divided by.
    """
    out = Replicates.room(len(ends.why), ends.beta.shape[1], len(fit.variances))
    good = ends.why > 0
    deviance, pwrss = ends.numbers[:, 0], ends.numbers[:, 1]
    out.beta[good], out.errors[good] = ends.beta[good], ends.errors[good]
    sigma2 = np.where(good, pwrss / df, np.nan)
    out.variances[good] = printed_variances(fit, ends.theta, sigma2)[good]
    constant = design.orthogonal.constant(design.searches.reml)
    out.llf[good] = -0.5 * (deviance[good] + constant)
    out.converged[good] = True
    for row in np.flatnonzero(good & ends.touched.any(axis=1)):
        out.boundary[row] = "; ".join(word for word, on in zip(design.words, ends.touched[row], strict=True) if on)
    return out


def above_linear(deviance: np.ndarray, squares: np.ndarray, df: np.ndarray | float) -> np.ndarray:
    """(B,) bool: ends above the deviance of the linear model, which is nested in all: they are not the lowest.

    Where the linear model fits exactly its deviance has no lower limit, and every end is above.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        linear = df * (1.0 + np.log(2.0 * np.pi * squares / df))
        return ~(deviance <= linear + ABOVE + DEVIANCE_ROUNDING * np.abs(linear))


def moved_off(theta: np.ndarray, on_boundary: bool) -> np.ndarray:
    """A place to start from beside theta: on the boundary the gradient vanishes, whatever the likelihood does beside it."""
    return np.where(np.abs(theta) < 1e-3, 0.3, theta) if on_boundary else theta
