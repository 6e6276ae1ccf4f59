"""A design that waits for responses, with a compiled search for them: what no response changes is computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import isfinite

import numpy as np

from sparsemixed.design.deferred import changed
from sparsemixed.design.values import Design
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.linear import NOTHING_LEFT, SMALLEST_SQUARES, log_likelihood_of
from sparsemixed.estimation.objectives.groups import GroupsObjective
from sparsemixed.estimation.plain_fit import Behind, fit_of, is_remarkable, may_be_plain
from sparsemixed.estimation.problems.plain_newton import PlainSearch
from sparsemixed.estimation.problems.table import choose_problem
from sparsemixed.estimation.sources.responses import Responses, responses
from sparsemixed.estimation.start.moments_groups import forms, has_columns_of_its_own, plain_start
from sparsemixed.lapack import solve_triangular
from sparsemixed.solver.groups.first import OtherResponses
from sparsemixed.solver.groups.profiled import met_often
from sparsemixed.spec import ModelSpec


@dataclass(frozen=True)
class PreparedDesign(Responses):
    """Responses to a design that may have a compiled search."""

    def plain_fit(self, y: np.ndarray) -> Fit | None:
        """The fit to a response (n,); None where something about the model or the fit may be remarkable."""
        kept = vars(self).get("_search")
        if kept is None:
            if not met_often():
                return None
            # As a cached property, but not before there is reason to compile it.
            kept = vars(self)["_search"] = (response_search(self),)
        (search,) = kept
        return None if search is None else search.fit(y)


def prepared_design(spec: ModelSpec, design: Design) -> PreparedDesign:
    """Reduce a design once, with its own response."""
    return PreparedDesign(**vars(responses(spec, design)))


class ResponseSearch:
    """A compiled search for one response after another.

    Parameters
    ----------
    model : Responses
        Without weights or constraints.
    plain : PlainSearch
        That of its own response.
    """

    def __init__(self, model: Responses, plain: PlainSearch):
        self.model, self.plain = model, plain
        self._roots, orthogonal = plain.objective.roots, model.reduction.orthogonal
        (term,) = model.terms
        self._R = orthogonal.R
        rows = (orthogonal.Q, term.codes, term.columns)
        self._others = OtherResponses(self._roots, plain.objective.rest, rows)
        self._forms, self._n = forms(plain.objective.cp), float(orthogonal.n_obs)
        self._constant, self._p = orthogonal.constant(plain.model.reml), orthogonal.rank

    def fit(self, y: np.ndarray) -> Fit | None:
        """The fit to a response (n,); None where something about it may be remarkable."""
        data, rest, fitted, left, whole = self._others.put(y)
        if not (isfinite(whole) and whole > SMALLEST_SQUARES and left > NOTHING_LEFT * whole):
            return None
        total = left / max(self._n - self._p, 1.0)
        covariance = plain_start(data, self._roots, rest, self._forms, total, self._n)
        if covariance is None:
            return None
        theta = self.plain.objective.parameters.on_scale([covariance], [self._forms.squares])
        found = self.plain.descended(theta, data, rest)
        llf = log_likelihood_of(left, self.plain.model.df, self._constant)
        if found is None or is_remarkable(found, self.plain.model.df, left, llf):
            return None
        design, layout = changed(self.model.design, y=y), self.plain.objective.parameters
        own = partial(self._own, y, data, rest)
        behind = Behind(found, self.plain.model, design, layout, self.model.reduction.orthogonal, llf, own)
        return fit_of(self.model.spec, solve_triangular(self._R, fitted + found.beta), self.plain.objective.solver, behind)

    def _own(self, y: np.ndarray, data: np.ndarray, rest: np.ndarray) -> GroupsObjective:
        """The objective of a response, as `choose_problem` makes it."""
        _, reduction = self.model.reduced(y)
        assert reduction.products is not None
        return self.plain.objective.with_response(reduction.products.cp, data, rest)


def response_search(model: Responses) -> ResponseSearch | None:
    """The compiled search of a design; None where it has none that is plain."""
    design = model.design
    if model.reduction.products is None or design.weights is not None or design.constraints is not None:
        return None
    problem = choose_problem(model.spec, design, model.reduction)
    plain = problem.plain
    if plain is None or not may_be_plain(problem) or model.reduction.orthogonal.sparse is not None:
        return None
    if plain.objective.parameters.holds or not has_columns_of_its_own(forms(plain.objective.cp)):
        return None
    return ResponseSearch(model, plain)
