"""What a fit is made from: the fixed part in orthonormal coordinates, and the random terms as cross-products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.estimation.orthonormal import OrthonormalCoordinates
from sparsemixed.estimation.parameters import ThetaMap
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts


@dataclass(frozen=True)
class Products:
    """The random terms of a model with independent errors.

    Attributes
    ----------
    cp : CrossProducts
        Of the terms with each other and with orthonormal [X y], in the order of `layout`.
    layout : ThetaMap
    weights : list of (J,) arrays, or None
        How many groups every group of every term stands for, where groups have weights.
    """

    cp: CrossProducts
    layout: ThetaMap
    weights: list[np.ndarray] | None


@dataclass(frozen=True)
class Reduction:
    """The data of a fit.

    Attributes
    ----------
    orthogonal : OrthonormalCoordinates
    products : Products or None
        None without random effects, and with residual structures, whose cross-products move with their parameters: their
        problems are made from the design's rows.
    """

    orthogonal: OrthonormalCoordinates
    products: Products | None
