"""The rows that margins average over: those of a fit's data, other rows, or sums over batches."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from sparsemixed.design import read_frame
from sparsemixed.design.data.rows import Rows
from sparsemixed.design.names.model_frame import model_frame
from sparsemixed.errors import OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.fitting.batches import batch_source, in_batches
from sparsemixed.fitting.call import Call, frame_of, settled
from sparsemixed.postestimation.margins.batch_sample import BatchSample
from sparsemixed.postestimation.margins.cell_means import RowValues
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
        if everywhere:
            raise OptionError("margins: noesample needs all rows at once, and these data come in batches")
        found = _batches(fit, source)
        if found.known is None:
            keep_statistics(fit, found.overall())
        return replace(found, known=kept_statistics(fit))
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


def _batches(fit: Fit, source: Any) -> BatchSample:
    """Rows that are read batch by batch."""
    reader = batch_source(source)
    if reader is None:
        columns = frozenset(map(str, source.columns))
        read = partial(_parts, source)
    else:
        columns, read = frozenset(read_frame(reader.head()).names), reader.batches
    return BatchSample(fit, known=kept_statistics(fit), read=read, columns=columns)


def _parts(source: Any, names: list[str]) -> Iterator[Any]:
    """Partitions of a Dask data frame, one after the other."""
    return (part.compute() for part in source[names].to_delayed())
