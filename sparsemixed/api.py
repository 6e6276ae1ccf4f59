"""Fitting and comparing models: the functions of the package's front."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from sparsemixed.command import read_model
from sparsemixed.design import build_design, concrete_spec, read_frame
from sparsemixed.design.batches import check_batches, used_columns
from sparsemixed.design.data.parquet_folder import ParquetFolder
from sparsemixed.errors import warn
from sparsemixed.estimation import estimate
from sparsemixed.estimation.estimate import estimate_batches, estimate_dask
from sparsemixed.estimation.fit import Fit
from sparsemixed.estimation.search.values import LogEntry
from sparsemixed.estimation.sources.dask_frames import is_dask
from sparsemixed.inference.degrees.table import coefficient_degrees
from sparsemixed.inference.hypotheses.likelihood_ratio import likelihood_ratio
from sparsemixed.reporting.compare import side_by_side
from sparsemixed.reporting.hypothesis_tests import TestResult
from sparsemixed.reporting.report import warnings_of
from sparsemixed.reporting.side_by_side import SideBySide
from sparsemixed.results import Results
from sparsemixed.spec import ModelSpec
from sparsemixed.storage.fit_file import load_fit


def mixed(model: str, data: Any, *, progress: Callable[[LogEntry], None] | None = None, **options: Any) -> Results:
    """Fit a linear mixed-effects model.

    Parameters
    ----------
    model : str
        A command, `"weight week || id: week, reml"`, or, when it holds a `~`, a formula, `"weight ~ week + (1 + week | id)"`.
    data : DataFrame or path
        A pandas data frame, any frame that narwhals reads, or the path of a .dta, .csv, .parquet or .feather file. The path
        of a folder of Parquet files and a Dask data frame are reduced batch by batch and never held in memory; their fits
        are like fits saved without data.
    progress : callable, optional
        Called with a `LogEntry` after every iteration.
    **options
        Any option of the command as a keyword: `reml=True`, `level=90`. Weights: `fweights="n"`, `pweights="w"`, by level
        `pweights={"": "w", "school": "w_school"}`, and `precision_weights="1/v"` for known relative precisions of the rows.

    Returns
    -------
    Results

    Warns
    -----
    SparseMixedWarning
        The fit has not converged, columns were omitted, components lie on the boundary, or parameters are not identified. The
        logger `sparsemixed` gets the same.

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
    fit = _estimated(read_model(model, options), data, progress)
    if fit.spec.small_sample is not None:
        # Now, not when they are first shown: a method that cannot serve this design must say so here.
        coefficient_degrees(fit, fit.spec.small_sample)
    return _told(fit)


def _told(fit: Fit) -> Results:
    """The results, after the warnings of what must not be overlooked in them."""
    for kind, message in warnings_of(fit):
        warn(message, kind)
    return Results(fit)


def _estimated(spec: ModelSpec, data: Any, progress: Callable[[LogEntry], None] | None) -> Fit:
    """The fit to a frame in memory, or batch by batch to what never is."""
    if is_dask(data):
        return estimate_dask(_batch_spec(spec, data._meta), data, progress)
    if isinstance(data, (str, os.PathLike)) and os.path.isdir(data):
        folder = ParquetFolder(data)
        concrete = _batch_spec(spec, folder.head())
        return estimate_batches(concrete, lambda: folder.batches(used_columns(concrete)), progress)
    frame = read_frame(data)
    spec = concrete_spec(spec, frame)
    return estimate(spec, build_design(spec, frame), progress=progress)


def _batch_spec(spec: ModelSpec, head: Any) -> ModelSpec:
    """The concrete specification for batches with the columns of `head`, checked."""
    frame = read_frame(head)
    spec = concrete_spec(spec, frame)
    check_batches(spec, frame)
    return spec


def lrtest(a: Results, b: Results) -> TestResult:
    """Likelihood-ratio test of two nested fits, in either order.

    Raises
    ------
    OptionError
        If the fits differ in rows, in criterion, or, under REML, in their fixed parts.
    """
    return TestResult.of(likelihood_ratio(a.fit, b.fit))


def compare(
    *fits: Results,
    names: Sequence[str] | None = None,
    stats: Sequence[str] = ("N", "ll", "aic", "bic"),
    se: bool = True,
    stars: bool = False,
) -> SideBySide:
    """Several fits in the columns of one table.

    Parameters
    ----------
    *fits : Results
    names : sequence of str, optional
        Heads of the columns; by default (1), (2), ...
    stats : sequence of str
        N, ll, df (number of parameters), aic, bic, aicc, caic, or the name of any number in `e`.
    se : bool
        Whether to show standard errors, in parentheses.
    stars : bool
        Whether to mark coefficients by their p-values. Variance parameters have no marks.

    Returns
    -------
    SideBySide
        `str()`, `to_markdown()`, `to_latex()`, `to_html()`, and the numbers in `frame`.

    Examples
    --------
    >>> import sparsemixed
    >>> data = sparsemixed.datasets.simulate_longitudinal(50, 6, seed=1)
    >>> one = sparsemixed.mixed("y time || id:", data)
    >>> two = sparsemixed.mixed("y time || id: time", data)
    >>> sparsemixed.compare(one, two, names=["intercepts", "slopes"]).frame.shape
    (14, 2)
    """
    return side_by_side([result.fit for result in fits], names, stats, se, stars)


def load(path: str | os.PathLike) -> Results:
    """Read a fit that was saved by `Results.save`.

    Reading a file runs nothing that is in it: it holds numbers and texts only.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Results
        Without the data, unless they were saved too: see `Results.save`.

    Raises
    ------
    DataError
        There is no such file, or it is no saved fit, or damaged, or was saved by a newer version of sparsemixed.
    """
    return Results(load_fit(path))
