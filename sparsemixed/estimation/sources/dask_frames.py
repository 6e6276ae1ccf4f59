"""Dask data frames: partitions are reduced where they are, and only sums travel."""

from __future__ import annotations

from typing import Any

from sparsemixed.design.batches import joined, skeleton, used_columns
from sparsemixed.design.build import build_design
from sparsemixed.design.values import Design
from sparsemixed.errors import DataError, SparseMixedError, first_line
from sparsemixed.estimation.parameters import parameters
from sparsemixed.estimation.sources.batches import PartialProducts, partial_products, reduce_sum, summed
from sparsemixed.estimation.sources.reduction import Reduction
from sparsemixed.spec import ModelSpec

BRANCHES = 4
"""Sums that a worker adds to one before it travels on."""


def is_dask(data: Any) -> bool:
    """Whether `data` is a Dask data frame; Dask itself is not imported for the answer."""
    return type(data).__module__.partition(".")[0].startswith("dask") and hasattr(data, "to_delayed")


def reduce_dask(spec: ModelSpec, data: Any) -> tuple[Design, Reduction]:
    """Reduce a Dask data frame as `reduce_batches` does; the cross-products are computed on the workers.

    Raises
    ------
    DataError
        Partitions do not agree, or workers were lost for good.
    """
    from dask.delayed import delayed

    parts = data[used_columns(spec)].to_delayed()
    whole = joined(spec, _computed([delayed(skeleton, pure=True)(spec, part) for part in parts]))
    design = build_design(spec, whole)
    layout = parameters(design.random)
    shared = delayed(design)
    sums = [delayed(partial_products, pure=True)(spec, shared, part, layout) for part in parts]
    while len(sums) > 1:
        sums = [delayed(_added, pure=True)(*sums[i : i + BRANCHES]) for i in range(0, len(sums), BRANCHES)]
    (total,) = _computed(sums)
    return reduce_sum(spec, design, total)


def dask_parts(data: Any, names: list[str]) -> list[Any]:
    """Some columns of every partition, in memory."""
    return _computed(list(data[names].to_delayed()))


def _added(*parts: PartialProducts | None) -> PartialProducts | None:
    return summed(parts)


def _computed(tasks: list[Any]) -> list[Any]:
    from dask.base import compute

    try:
        return list(compute(*tasks))
    except SparseMixedError:
        raise
    except Exception as error:  # lost workers, unreadable partitions: whatever the scheduler raises
        first = first_line(error)
        raise DataError(f"Dask could not compute the data's cross-products: {type(error).__name__}: {first}") from error
