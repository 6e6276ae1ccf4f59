"""Data that come in batches: cross-products are sums over rows, so no two batches are needed at the same time.

Of [X y] the triangular factor is kept, which batches update without losing digits to X'X (Demmel, Grigori, Hoemmen & Langou
2012); of the random terms their cross-products with each other and with [X y]. At the end both take the orthonormal coordinates
in which every fit is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparsemixed.design.batches import (
    BatchRows,
    batch_rows,
    group_counts,
    joined,
    skeleton,
    whole_design,
)
from sparsemixed.design.build import build_design
from sparsemixed.design.values import Constraints, Design, SampleSize
from sparsemixed.errors import DataError
from sparsemixed.estimation.invisible import hold_invisible
from sparsemixed.estimation.linear import check_residual
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates
from sparsemixed.estimation.parameters import ThetaMap, parameters
from sparsemixed.estimation.sources.reduction import Products, Reduction
from sparsemixed.lapack import solve_triangular
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts, cross_products
from sparsemixed.solver.crossproducts.sums import merged
from sparsemixed.spec import ModelSpec

Batches = Callable[[], Iterable[Any]]
"""Each call starts a new pass over the batches, in the same order."""


@dataclass(frozen=True)
class PartialProducts:
    """What some rows contribute.

    Attributes
    ----------
    cp : CrossProducts
        Of X and y as they are.
    R : (p + 1, p + 1)
        Triangular factor of [X y].
    counts : tuple of (n_groups,) arrays
        Rows in every group of every level.
    """

    cp: CrossProducts
    R: np.ndarray
    counts: tuple[np.ndarray, ...]

    def __add__(self, other: PartialProducts) -> PartialProducts:
        counts = tuple(a + b for a, b in zip(self.counts, other.counts, strict=True))
        return PartialProducts(merged(self.cp, other.cp), triangular_factor(np.vstack([self.R, other.R])), counts)


def triangular_factor(matrix: np.ndarray) -> np.ndarray:
    """R (c, c) of a matrix (n, c), n >= c."""
    return np.asarray(np.linalg.qr(matrix, mode="r"))


def partial_products(spec: ModelSpec, design: Design, batch: Any, layout: ThetaMap) -> PartialProducts | None:
    """The contribution of a batch; terms in the engine's order and columns. None when no row of it is used."""
    rows: BatchRows | None = batch_rows(spec, design, batch)
    if rows is None:
        return None
    terms = [rows.terms[r] for r in layout.order]
    terms = [term._replace(columns=layout.engine_columns(term.columns, t)) for t, term in enumerate(terms)]
    cp = cross_products(terms, rows.X, rows.y)
    Xy = np.column_stack([rows.X, rows.y])
    padding = np.zeros((max(Xy.shape[1] - len(Xy), 0), Xy.shape[1]))
    return PartialProducts(cp, triangular_factor(np.vstack([Xy, padding])), tuple(group_counts(spec, design, rows)))


def summed(parts: Iterable[PartialProducts | None]) -> PartialProducts | None:
    """The sum of those that are there.

    Two are added once the earlier one has no more rows than the later one: no cell enters more sums than the logarithm of their
    number, where one running sum would be gone through again for every part.
    """
    sums: list[PartialProducts] = []

    def add_last() -> None:
        last = sums.pop()
        sums[-1] = sums[-1] + last

    for part in parts:
        if part is not None:
            sums.append(part)
        while len(sums) > 1 and sums[-2].cp.n <= sums[-1].cp.n:
            add_last()
    while len(sums) > 1:
        add_last()
    return sums[0] if sums else None


def reduce_batches(spec: ModelSpec, batches: Batches) -> tuple[Design, Reduction]:
    """Reduce batches in two passes, to a design without rows and what a fit is made from.

    Parameters
    ----------
    spec : ModelSpec
        A concrete one.
    batches : callable
        Returns an iterable of anything that `design.read_frame` takes.

    Raises
    ------
    OptionError
        The model needs all rows at once.
    DataError
        Batches do not agree, or have no rows for the model.
    """
    whole = joined(spec, [skeleton(spec, batch) for batch in batches()])
    design = build_design(spec, whole)
    layout = parameters(design.random)
    total = summed(partial_products(spec, design, batch, layout) for batch in batches())
    return reduce_sum(spec, design, total)


def reduce_sum(spec: ModelSpec, design: Design, total: PartialProducts | None) -> tuple[Design, Reduction]:
    """The reduction from the sum of all contributions, and the design with their sizes; `design` is that of the skeleton."""
    if total is None:
        raise DataError("the data changed between the two passes over them: no rows are left")
    layout = parameters(design.random)
    orthogonal, cp = in_orthonormal_coordinates(total, design.constraints)
    response = total.R[:, -1]
    size = SampleSize(round(total.cp.n), float(round(total.cp.n)), float(response @ response))
    design = whole_design(design, size, total.counts)
    check_residual(orthogonal, response, spec.response)
    layout = hold_invisible(layout, cp, spec.estimation.method == "reml")
    return design, Reduction(orthogonal, Products(cp, layout, None))


def in_orthonormal_coordinates(
    total: PartialProducts, constraints: Constraints | None
) -> tuple[OrthonormalCoordinates, CrossProducts]:
    """Coordinates of the fixed effects in which X'X = I, and the cross-products in them, without the rows of the data.

    As `orthonormal_coordinates`, but from R with R'R = [X y]'[X y], the triangle of the rows' QR decomposition: its part of X is
    that of X itself. `Q` has no rows, and `residual` one number alone, the length that the n residuals have together.
    """
    R, ZtXy, cp = total.R, total.cp.ZtXy, total.cp
    if constraints is not None:
        change = np.block([[constraints.T, -constraints.a[:, None]], [np.zeros((1, constraints.T.shape[1])), np.ones((1, 1))]])
        R, ZtXy = triangular_factor(R @ change), ZtXy @ change
    p = R.shape[0] - 1
    X, length = R[:p, :p], abs(float(R[p, p]))
    start = solve_triangular(X, R[:p, p]) if p else np.zeros(0)
    ZtQ = solve_triangular(X, ZtXy[:, :p].T, transposed=True).T if p else ZtXy[:, :0]
    residual = ZtXy[:, p] - ZtXy[:, :p] @ start
    products = replace(cp, ZtXy=np.column_stack([ZtQ, residual]), XytXy=np.diag(np.append(np.ones(p), length**2)))
    return OrthonormalCoordinates(np.zeros((0, p)), X, start, np.array([length]), cp.n, 0.0, constraints), products
