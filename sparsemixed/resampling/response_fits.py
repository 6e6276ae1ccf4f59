"""Fits of one design to other responses: compiled for independent groups, else one by one on what is kept of the design."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from sparsemixed.errors import SparseMixedError, SparseMixedWarning
from sparsemixed.estimation.compact import Estimates, Prepared, estimates
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.problems.solvers import check_solver
from sparsemixed.estimation.sources.responses import Responses
from sparsemixed.estimation.start.moments_groups import forms
from sparsemixed.resampling.grouped import MOST_NUMBERS, GroupedDesign, above_linear, collected, grouped_design, moved_off
from sparsemixed.resampling.replicates import Replicates
from sparsemixed.solver.groups.many import Ends, ManyResponses
from sparsemixed.solver.threads import blas_threads

SHARES = (0.2, 1.0, 4.0)
"""Of standard deviations of random effects, from which searches for responses of any kind begin."""
MOST_ROWS = 256
"""Responses in a piece of work."""


class ResponseFits:
    """The fits of a prepared design.

    Parameters
    ----------
    model : Responses
    fit : Fit
        To one of its responses.
    alike : bool
        Whether the responses are like the fit's, whose parameters are then where searches begin, or beside them where these lie
        on the boundary. Else compiled searches begin at the best of a few places that are the same for all, others where their
        own moments lead.
    """

    def __init__(self, model: Responses, fit: Fit, alike: bool = True):
        check_solver(model.spec, model.design)
        self.model, self.fit = model, fit
        self._prepared = Prepared(model.spec, model.design, model.reduction)
        self.grouped = grouped_design(self._prepared.first)
        own = _start(fit, self._prepared) if alike else _common_starts(self.grouped)
        self.starts = own[None] if own is not None and own.ndim == 1 else own
        self._many = None
        if self.grouped is not None and self.starts is not None:
            (term,), orthogonal = model.terms, model.reduction.orthogonal
            rows = (orthogonal.Q, term.codes, term.columns)
            objective = self.grouped.objective
            self._many = ManyResponses(objective.roots, objective.rest, self.grouped.searches, rows, objective.df)

    @property
    def compiled(self) -> bool:
        """Whether searches run without Python."""
        return self._many is not None

    @property
    def step(self) -> int:
        """Responses in a piece of work."""
        return max(1, min(MOST_ROWS, MOST_NUMBERS // self.model.design.n_rows)) if self.compiled else 1

    def drawn(self, draw: Callable[[], np.ndarray]) -> Replicates:
        """The fits to the responses (B, n) that `draw` makes."""
        with blas_threads(0):
            return self.of(draw())

    def of(self, Y: np.ndarray) -> Replicates:
        """The fits to the rows of Y (B, n)."""
        p, v = len(self.fit.beta), len(self.fit.variances)
        out, open_rows = Replicates.room(len(Y), p, v), np.arange(len(Y))
        if self._many is not None:
            out = self._compiled(Y)
            open_rows = np.flatnonzero(~out.converged)
        for row in open_rows.tolist():
            try:
                out.put(row, self._one(Y[row]))
            except SparseMixedError as error:
                out.message[row] = str(error)
        return out

    def _compiled(self, Y: np.ndarray) -> Replicates:
        design, grouped, many, starts = self.model.design, self.grouped, self._many, self.starts
        assert grouped is not None
        assert many is not None
        assert starts is not None
        ends = Ends.of(len(Y), grouped.searches)
        with np.errstate(over="ignore", invalid="ignore"):
            rows = Y if design.constraints is None else Y - design.X @ design.constraints.a
            rows = rows if design.weights is None else rows * np.sqrt(design.weights.rows)
            many.run(rows, starts, ends, 0, len(Y))
        df = grouped.objective.df
        ends.why[above_linear(ends.numbers[:, 0], ends.numbers[:, 3], df)] = 0
        return collected(grouped, self.fit, ends, df)

    def _one(self, y: np.ndarray) -> Estimates:
        """One fit; from its own starting point where no other one leads anywhere."""
        with warnings.catch_warnings():
            # What is told of one of very many fits is told of none.
            warnings.simplefilter("ignore", SparseMixedWarning)
            problem = self._prepared.problem(*self.model.reduced(y))
            if self._many is None and self.starts is not None and problem.plan is not None:
                try:
                    return estimates(problem, self.starts[0])
                except SparseMixedError:
                    pass
            return estimates(problem)


def _common_starts(grouped: GroupedDesign | None) -> np.ndarray | None:
    """Places (s, n_theta) on a ray: the random effects' typical share of the variance, less and more of it."""
    if grouped is None:
        return None
    objective = grouped.objective
    typical = objective.parameters.nearest([np.diag(forms(objective.cp).prior)])
    return np.array([share * typical for share in SHARES])


def _start(fit: Fit, prepared: Prepared) -> np.ndarray | None:
    """theta to start from; None where there is none, or where the fit's is of another unit of errors than the design's."""
    objective = prepared.first.profile
    if objective is None or prepared.first.plan is None or fit.without_errors or not len(fit.theta):
        return None
    part, own = prepared.first.case.design.residual, fit.design.residual
    if part is not None and own is not None and part.structure != own.structure:
        return None
    layout = objective.parameters
    random, errors = fit.theta[: layout.n_theta], fit.theta[layout.n_theta :]
    return np.append(np.where(layout.held, 0.0, moved_off(random, bool(fit.boundary.any()))), errors)
