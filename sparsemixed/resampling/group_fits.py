"""Fits of one model to groups that occur any number of times: by weights in compiled searches where it can be, else to copies."""

from __future__ import annotations

import warnings

import numpy as np

from sparsemixed.design.subset import determines_coefficients
from sparsemixed.design.values import Design
from sparsemixed.errors import DataError, SparseMixedError, SparseMixedWarning
from sparsemixed.estimation.compact import Estimates, estimates
from sparsemixed.estimation.estimate import fit_problem
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.problems.table import choose_problem
from sparsemixed.estimation.sources.rows import reduce_rows
from sparsemixed.postestimation.influence.remaining_rows import named_covariances, started_at
from sparsemixed.resampling.copies import copied_clusters
from sparsemixed.resampling.grouped import GroupedDesign, above_linear, collected, grouped_design, moved_off
from sparsemixed.resampling.replicates import Replicates
from sparsemixed.resampling.top_groups import TopGroups
from sparsemixed.solver.groups.many import Ends, ManyWeights
from sparsemixed.solver.threads import blas_threads

LEFT_OPEN = "the rows that are left do not determine the coefficients"
MOST_ROWS = 256


class GroupFits:
    """The fits of a fit's model to its top groups, each as often as it is counted.

    Parameters
    ----------
    fit : Fit
    top : TopGroups
    """

    def __init__(self, fit: Fit, top: TopGroups):
        self.fit, self.top = fit, top
        self._named = named_covariances(fit)
        self._grouped, self._many = self._compiled_design(), None
        if self._grouped is not None:
            orthogonal = self._grouped.orthogonal
            rows = (orthogonal.Q, orthogonal.residual, top.codes)
            self._many = ManyWeights(self._grouped.objective.roots, self._grouped.searches, rows, orthogonal.R @ orthogonal.start)
            weights = fit.design.weights
            logs = np.zeros(len(top.codes)) if weights is None else np.log(weights.rows)
            self._log_precision = np.bincount(top.codes, logs, top.n_groups)

    @property
    def compiled(self) -> bool:
        """Whether searches run without Python."""
        return self._many is not None

    @property
    def step(self) -> int:
        """Fits in a piece of work."""
        return MOST_ROWS if self.compiled else 1

    def _compiled_design(self) -> GroupedDesign | None:
        fit = self.fit
        alone = len(fit.design.random) == 1 and np.array_equal(fit.design.random[0].codes, self.top.codes)
        if not alone or fit.design.residual is not None or fit.without_errors:
            return None
        return grouped_design(choose_problem(fit.spec, fit.design, reduce_rows(fit.spec, fit.design, True)))

    def of(self, counts: np.ndarray) -> Replicates:
        """The fits where clusters occur `counts` (B, C) times."""
        with blas_threads(0):
            weights = self.top.weights(counts)
            out = Replicates.room(len(weights), len(self.fit.beta), len(self.fit.variances))
            if self._many is not None:
                out = self._compiled(weights)
            for row in np.flatnonzero(~out.converged).tolist():
                try:
                    out.put(row, self._one(weights[row]))
                except SparseMixedError as error:
                    out.message[row] = str(error)
        return out

    def design(self, weights: np.ndarray) -> Design:
        """The design in which each group occurs as often as its weight (J,) says.

        Raises
        ------
        DataError
            It does not determine the coefficients.
        """
        design = copied_clusters(self.fit.design, np.rint(weights).astype(np.int64)[self.top.codes])
        if not determines_coefficients(design):
            raise DataError(LEFT_OPEN)
        return design

    def fitted(self, counts: np.ndarray) -> Fit:
        """The whole fit where clusters occur `counts` (C,) times."""
        return fit_problem(started_at(self.fit, self._named, self.design(self.top.weights(counts))))

    def _one(self, weights: np.ndarray) -> Estimates:
        with warnings.catch_warnings():
            # What is told of one of very many fits is told of none.
            warnings.simplefilter("ignore", SparseMixedWarning)
            return estimates(started_at(self.fit, self._named, self.design(weights)))

    def _compiled(self, weights: np.ndarray) -> Replicates:
        grouped, many, fit = self._grouped, self._many, self.fit
        assert grouped is not None
        assert many is not None
        ends = Ends.of(len(weights), grouped.searches)
        starts = np.where(grouped.objective.parameters.held, 0.0, moved_off(fit.theta, bool(fit.boundary.any())))
        many.run(weights, starts[None], ends, 0, len(weights))
        df = ends.numbers[:, 3] - (grouped.objective.p if grouped.searches.reml else 0)
        # With as many effects as rows the residual variance may vanish, which compiled searches know nothing of.
        ends.why[ends.numbers[:, 3] <= grouped.objective.cp.q] = 0
        squares = many.squares_left(weights)
        ends.why[above_linear(ends.numbers[:, 0] - self._linear_logdet(weights), squares, df)] = 0
        out = collected(grouped, fit, ends, df)
        # Rows that are counted twice have their precision twice.
        out.llf[:] += 0.5 * (weights @ self._log_precision - self._log_precision.sum())
        return out

    def _linear_logdet(self, weights: np.ndarray) -> np.ndarray | float:
        """What the deviance of the linear model has of X, which is orthonormal only with every group once."""
        assert self._grouped is not None
        assert self._many is not None
        return self._many.logdet(weights) if self._grouped.searches.reml else 0.0
