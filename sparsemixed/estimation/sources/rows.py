"""Rows in memory."""

from __future__ import annotations

from sparsemixed.design.values import Design
from sparsemixed.estimation.invisible import hold_invisible
from sparsemixed.estimation.linear import check_residual
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates, engine_terms, orthonormal_coordinates
from sparsemixed.estimation.parameters import ThetaMap, parameters
from sparsemixed.estimation.sources.reduction import Products, Reduction
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.spec import ModelSpec


def reduce_rows(spec: ModelSpec, design: Design, independent: bool) -> Reduction:
    """Reduce a design with its rows.

    Parameters
    ----------
    independent : bool
        Whether errors are, or are taken as, independent: then random terms are reduced to their cross-products.

    Raises
    ------
    DataError
        The fixed part leaves nothing of the response, or its squares are beyond floating point.
    """
    orthogonal = orthonormal_coordinates(design)
    check_residual(orthogonal, design.y, spec.response)
    return Reduction(orthogonal, _products(spec, design, orthogonal) if independent and design.random else None)


def products_of_rows(
    design: Design, orthogonal: OrthonormalCoordinates, layout: ThetaMap, reml: bool
) -> tuple[CrossProducts, ThetaMap]:
    """Cross-products of the rows, and the layout with what the likelihood does not see held at zero, in columns that suit it."""
    cp = orthogonal.cross_products(engine_terms(design, layout))
    layout = hold_invisible(layout, cp, reml)
    if layout.holds:
        layout = layout.rebased()
        cp = orthogonal.cross_products(engine_terms(design, layout))
    return cp, layout


def _products(spec: ModelSpec, design: Design, orthogonal: OrthonormalCoordinates) -> Products:
    weights = design.weights.groups if design.weights is not None and design.weights.replicates_groups else None
    layout = parameters(design.random, innermost_first=weights is not None)
    cp, layout = products_of_rows(design, orthogonal, layout, spec.estimation.method == "reml")
    return Products(cp, layout, None if weights is None else [weights[r] for r in layout.order])
