"""Fitting and comparing models: the functions of the package's front."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sparsemixed.command import read_model
from sparsemixed.design import build_design
from sparsemixed.errors import NotAvailableError
from sparsemixed.estimation import estimate
from sparsemixed.estimation.fit import LogEntry
from sparsemixed.inference.dof_table import coefficient_degrees
from sparsemixed.inference.likelihood_ratio import likelihood_ratio
from sparsemixed.inference.wald import TestResult
from sparsemixed.results import Results


def mixed(model: str, data: Any, *, progress: Callable[[LogEntry], None] | None = None, **options: Any) -> Results:
    """Fit a linear mixed-effects model.

    Parameters
    ----------
    model : str
        A command, `"weight week || id: week, reml"`, or, when it holds a `~`, a formula, `"weight ~ week + (1 + week | id)"`.
    data : DataFrame or path
        A pandas data frame, any frame that narwhals reads, or the path of a .dta, .csv, .parquet or .feather file.
    progress : callable, optional
        Called with a `LogEntry` after every iteration.
    **options
        Any option of the command as a keyword: `reml=True`, `level=90`.

    Returns
    -------
    Results

    Raises
    ------
    SparseMixedError
        Its message says what was found, where, and what to do.

    Examples
    --------
    >>> import sparsemixed
    >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
    >>> fit = sparsemixed.mixed("y time || id: time, covariance(unstructured)", data)
    >>> fit.nobs
    300
    """
    spec = read_model(model, options)
    design = build_design(spec, data)
    fit = estimate(spec, design, progress=progress)
    if spec.estimation.dfmethod is not None:
        # Now, not when they are first shown: a method that cannot serve this design must say so here.
        coefficient_degrees(fit, spec.estimation.dfmethod)
    return Results(fit)


def lrtest(a: Results, b: Results) -> TestResult:
    """Likelihood-ratio test of two nested fits, in either order.

    Raises
    ------
    OptionError
        If the fits differ in rows, in criterion, or, under REML, in their fixed parts.
    """
    return likelihood_ratio(a.fit, b.fit)


def load(path: Any) -> Results:
    """Read a saved fit."""
    raise NotAvailableError("load() of saved fits is not available yet; fit the model again with mixed()")
