"""The one table of residual structures: option word -> class."""

from __future__ import annotations

from sparsemixed.structures.residual_errors.autoregressive import Autoregressive
from sparsemixed.structures.residual_errors.base import ResidualStructure
from sparsemixed.structures.residual_errors.exchangeable import ExchangeableErrors
from sparsemixed.structures.residual_errors.exponential import Exponential
from sparsemixed.structures.residual_errors.independent import IndependentErrors
from sparsemixed.structures.residual_errors.moving_average import MovingAverage
from sparsemixed.structures.residual_errors.toeplitz import Toeplitz
from sparsemixed.structures.residual_errors.unstructured import UnstructuredErrors

RESIDUAL_STRUCTURES: dict[str, type[ResidualStructure]] = {
    "independent": IndependentErrors,
    "exchangeable": ExchangeableErrors,
    "ar": Autoregressive,
    "ma": MovingAverage,
    "unstructured": UnstructuredErrors,
    "banded": UnstructuredErrors,
    "toeplitz": Toeplitz,
    "exponential": Exponential,
}
