"""Small fits of one design after another: from the rows to the numbers in a few compiled calls.

What the stages between make of such a design, its reduction, a problem with an objective, moments, are the same sums in objects
that nobody asks for again. They are made when somebody does, from the same coordinates. Wherever one of the calls meets anything
that asks for a closer look, the fit is left to the stages.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from sparsemixed.design.values import Design, RandomBlock, RandomTerm
from sparsemixed.estimation.ends.without_errors import may_run_off
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.invisible import CLEARLY
from sparsemixed.estimation.linear import NOTHING_LEFT, SMALLEST_SQUARES, log_likelihood_of
from sparsemixed.estimation.objectives.groups import GroupsObjective
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates, engine_terms
from sparsemixed.estimation.parameters import ThetaMap, parameters
from sparsemixed.estimation.plain_fit import Behind, fit_of, is_remarkable
from sparsemixed.estimation.problems.independent import MOST_COLUMNS, MOST_FIXED
from sparsemixed.estimation.problems.plain_newton import VERDICTS, asks_for_newton, bounds_of
from sparsemixed.estimation.problems.table import choose_problem
from sparsemixed.estimation.sources.reduction import Products, Reduction
from sparsemixed.estimation.start.moments_groups import forms_of_squares, has_columns_of_its_own, plain_start
from sparsemixed.lapack import solve_triangular
from sparsemixed.solver.groups.first import Model, descend
from sparsemixed.solver.groups.profiled import will_be_often
from sparsemixed.solver.groups.reduced import reduced_groups
from sparsemixed.solver.groups.roots import few
from sparsemixed.spec import ModelSpec

MOST_ROWS = 1 << 14
"""Rows beyond which calls of Python take no time beside sums over rows."""
KEPT = 16
"""Layouts that are remembered, before all of them are forgotten."""


def small_fit(spec: ModelSpec, design: Design) -> Fit | None:
    """The fit of a small design; None where the model or the fit may ask for more than its numbers."""
    if not _may_be_small(spec, design):
        return None
    (term,), n, reml = design.random, len(design.y), spec.estimation.method == "reml"
    laid = laid_out(term)
    Z = laid.layout.engine_columns(term.columns, 0)
    reduced = reduced_groups(design.X, design.y, Z, term.codes, term.n_groups, CLEARLY)
    if reduced is None or not reduced.whole > SMALLEST_SQUARES:
        return None
    known = forms_of_squares(reduced.total.diagonal() / n, reduced.seen.diagonal() / n)
    if not ((reduced.visible or not reml) and reduced.left > NOTHING_LEFT * reduced.whole and has_columns_of_its_own(known)):
        return None
    df, total = float(n - reduced.width + 1), reduced.left / (n - reduced.width + 1)
    covariance = plain_start(reduced.data, reduced, reduced.rest, known, total, float(n))
    if covariance is None:
        return None
    theta, options = laid.layout.on_scale([covariance], [known.squares]), spec.estimation
    model = Model(laid.moves, laid.faces, reml, bounds_of(options), df if reml else float(n), options.iterate)
    found = descend(theta, reduced.data, reduced, reduced.rest, model)
    start = solve_triangular(reduced.R, reduced.fitted)
    orthogonal = OrthonormalCoordinates(reduced.Q, reduced.R, start, reduced.residual, float(n))
    llf = log_likelihood_of(reduced.left, model.df, orthogonal.constant(reml))
    if found.why not in VERDICTS or is_remarkable(found, model.df, reduced.left, llf):
        return None
    own = partial(_objective, spec, design, laid.layout, orthogonal)
    behind = Behind(found, model, design, laid.layout, orthogonal, llf, own)
    return fit_of(spec, orthogonal.coefficients(found.beta), "block", behind)


def _may_be_small(spec: ModelSpec, design: Design) -> bool:
    """Whether the design and the options leave it to the numbers alone whether a fit is remarkable; of many such fits."""
    options, n = spec.estimation, len(design.y)
    asked = options.solver != "auto" or options.prior is not None or options.nostderr or options.emonly
    if asked or not asks_for_newton(options) or len(design.random) != 1 or design.sparse is not None:
        return False
    if any(part is not None for part in (design.weights, design.constraints, design.residual)) or may_run_off(design):
        return False
    (term,), p = design.random, design.X.shape[1]
    k = term.columns.shape[1]
    small = p < n <= MOST_ROWS and k <= MOST_COLUMNS and p < MOST_FIXED and few(term.n_groups, k, p + 1)
    return small and will_be_often()


def _objective(spec: ModelSpec, design: Design, layout: ThetaMap, orthogonal: OrthonormalCoordinates) -> GroupsObjective:
    """The objective, as all stages make it, in given coordinates."""
    products = Products(orthogonal.cross_products(engine_terms(design, layout)), layout, None)
    objective = choose_problem(spec, design, Reduction(orthogonal, products)).objective
    assert isinstance(objective, GroupsObjective)
    return objective


class Laid(NamedTuple):
    """The layout of theta, and what of it a search takes: `moves` and `faces` of `solver.groups.first.Model`."""

    layout: ThetaMap
    moves: np.ndarray
    faces: np.ndarray


_LAID: dict[int, tuple[tuple[RandomBlock, ...], Laid]] = {}
"""By the id of blocks, which cannot be that of others while they are kept."""


def laid_out(term: RandomTerm) -> Laid:
    """The layout of a term; that of the same blocks is the same once more, but for coordinates that suit the columns."""
    kept = _LAID.get(id(term.blocks))
    if kept is None:
        layout, k = parameters((term,)), term.columns.shape[1]
        moves = np.array([direction[0] for direction in layout.directions()]).reshape(-1, k, k)
        if len(_LAID) >= KEPT:
            _LAID.clear()
        kept = _LAID[id(term.blocks)] = term.blocks, Laid(layout, moves, layout.face_forms())
    elif any(place.T is not None for place in kept[1].layout.places):
        # In such coordinates the factor, and so all of its derivatives, is the family's own, whatever they are.
        return kept[1]._replace(layout=parameters((term,)))
    return kept[1]
