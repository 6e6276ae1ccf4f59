"""The one table of residual structures: option word -> class."""

from __future__ import annotations

from sparsemixed.structures.residual import ResidualStructure
from sparsemixed.structures.residual_autoregressive import Autoregressive
from sparsemixed.structures.residual_exchangeable import ExchangeableErrors
from sparsemixed.structures.residual_exponential import Exponential
from sparsemixed.structures.residual_independent import IndependentErrors
from sparsemixed.structures.residual_moving_average import MovingAverage
from sparsemixed.structures.residual_toeplitz import Toeplitz
from sparsemixed.structures.residual_unstructured import UnstructuredErrors

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
