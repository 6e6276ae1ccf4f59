"""Distinct variances for every level of t(), and distinct covariances within a band."""

from __future__ import annotations

from sparsemixed.structures.residual_errors.base import OrderLimits, Times
from sparsemixed.structures.residual_errors.unstructured import UnstructuredErrors


class BandedErrors(UnstructuredErrors):
    """Banded errors (manual, `residuals(banded #)`): unstructured up to `band` places off the diagonal, zero beyond.

    A banded positive definite matrix has a factor of the same bandwidth, so the parameters are those of `UnstructuredErrors`
    within the band. A band that leaves nothing out is unstructured, and printed so.

    Examples
    --------
    >>> import numpy as np
    >>> BandedErrors(("0", "4", "6"), 1).covariance(np.array([0.0, 0.0, 0.5, 0.25]), np.arange(3))
    array([[1.    , 0.5   , 0.    ],
           [0.5   , 1.25  , 0.25  ],
           [0.    , 0.25  , 1.0625]])
    """

    word = "BAnded"
    order_limits = OrderLimits(0, None, "res_order")

    def __init__(self, labels: tuple[str, ...], band: int, unit: int = 0):
        self._within(labels, band, unit)
        self.order = band

    def _of_unit(self, unit: int) -> BandedErrors:
        return BandedErrors(self.labels, self.band, unit)

    @classmethod
    def build(cls, times: Times, order: int | None) -> BandedErrors:
        assert times.levels is not None
        assert order is not None
        return cls(times.levels, order)

    @property
    def title(self) -> str:
        return super().title if self.band == self.p - 1 else f"Banded({self.band})"
