"""The rows that margins average over: those of a fit's data, other rows, or sums over batches."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from sparsemixed.design import read_frame
from sparsemixed.design.batches import used_columns
from sparsemixed.design.data.parquet_folder import ParquetFolder
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.design.sample import sample_rows
from sparsemixed.errors import NoObservationsError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.batches import in_batches, is_folder
from sparsemixed.fitting.call import Call, frame_of, settled
from sparsemixed.postestimation.margins.cell_means import RowStatistics, RowValues, cell_totals, needed_shapes, of_totals
from sparsemixed.postestimation.margins.sample import (
    MarginSample,
    complete_rows,
    keep_statistics,
    kept_statistics,
    sample_of,
)
from sparsemixed.postestimation.model_comparison import check_same_rows


def margin_sample(
    fit: Fit, call: Call | None, data: Any = None, weighted: bool = True, everywhere: bool = False, ranked: bool = False
) -> MarginSample:
    """The rows for margins of a fit.

    Parameters
    ----------
    fit : Fit
    call : Call or None
        What it was fitted by.
    data : optional
        Other rows to average over, unweighted.
    weighted : bool
        Whether the weights of the estimation count.
    everywhere : bool
        Also the rows of the fit's data that it was not fitted to.
    ranked : bool
        Whether percentiles are needed.

    Raises
    ------
    DataError
        The data are no longer what they were, or are not known.
    """
    if data is not None:
        if everywhere:
            raise OptionError("margins: noesample is for the data of the fit; the rows of data= are all used")
        return _other_rows(fit, data, ranked)
    source = None if call is None else settled(call).data
    if source is None:
        return sample_of(fit, None, weighted, everywhere)
    assert call is not None
    if in_batches(source):
        if kept_statistics(fit) is None:
            keep_statistics(fit, _of_batches(fit, source))
        return sample_of(fit, None, weighted, everywhere)
    frame = frame_of(call, "margins")
    if not isinstance(source, (str, os.PathLike)):
        check_same_rows(fit, frame, "margins")
    return sample_of(fit, frame, weighted, everywhere, ranked)


def keep_margin_statistics(fit: Fit, call: Call | None) -> None:
    """Compute what margins need of the rows, before a fit is saved without them."""
    kept = kept_statistics(fit)
    if (kept is None or not kept.percentiles) and call is not None and fit.design.has_rows:
        margin_sample(fit, call, ranked=True)


def _other_rows(fit: Fit, data: Any, ranked: bool) -> MarginSample:
    frame = model_frame(fit.spec, read_frame(data))
    rows = Rows(frame, complete_rows(fit, frame))
    return MarginSample(fit, RowValues(rows, fit.design.levels), foreign=True, ranked=ranked)


def _of_batches(fit: Fit, source: Any) -> RowStatistics:
    """Means over all batches, one after the other."""
    shapes, spec = needed_shapes(fit.design, fit.spec), fit.spec
    if is_folder(source):
        batches = ParquetFolder(source).batches(used_columns(spec))
    else:
        batches = (part.compute() for part in source[used_columns(spec)].to_delayed())
    totals, n = [np.array(0.0)] * len(shapes), 0.0
    for batch in batches:
        frame = read_frame(batch)
        try:
            values = RowValues(Rows(frame, sample_rows(spec, frame)), fit.design.levels)
        except NoObservationsError:
            continue
        n += values.n
        totals = [total + own for total, own in zip(totals, cell_totals(values, shapes), strict=True)]
    return of_totals(shapes, totals, n, n, {})
