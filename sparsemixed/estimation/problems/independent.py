"""The objective of random effects beside independent errors, and the moments that its search starts from."""

from __future__ import annotations

from sparsemixed.estimation.objectives.groups import GroupsObjective
from sparsemixed.estimation.objectives.penalized import PenalizedObjective
from sparsemixed.estimation.problems.solvers import EXACT_BELOW
from sparsemixed.estimation.sources.reduction import Products
from sparsemixed.estimation.start.moments import Moments, mivque_start
from sparsemixed.estimation.start.moments_groups import forms, groups_start
from sparsemixed.solver.factored.choose import penalized_system
from sparsemixed.solver.groups.profiled import met_often
from sparsemixed.solver.groups.roots import few

MOST_COLUMNS, MOST_FIXED = 16, 64
"""Random effects of a group, and fixed effects, up to which sums over groups cost less than arrays of all of them."""


def independent_objective(products: Products, reml: bool, solver: str = "auto") -> PenalizedObjective:
    """By sums over independent groups where there is one term of few columns, else by a factored system: the same values."""
    cp = products.cp
    small = len(cp.k) == 1 and cp.k[0] <= MOST_COLUMNS and cp.ZtXy.shape[1] <= MOST_FIXED
    about = (cp, penalized_system(cp, solver, products.weights), products.layout, reml)
    if not small:
        return PenalizedObjective(*about)
    often = products.weights is None and few(cp.n_groups[0], cp.k[0], cp.ZtXy.shape[1]) and met_often()
    return GroupsObjective(*about, often=often)


def moments_of(objective: PenalizedObjective) -> Moments:
    """Covariances from moments."""
    if isinstance(objective, GroupsObjective):
        return groups_start(objective.cp, objective.roots, objective.rest, forms(objective.cp), objective.often)
    return mivque_start(objective.cp, again=objective.cp.q_schur > EXACT_BELOW)
