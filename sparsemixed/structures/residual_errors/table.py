"""The one table of residual structures: the parser, the design, the documentation and the property tests read it."""

from __future__ import annotations

from sparsemixed.structures.residual_errors.autoregressive import Autoregressive
from sparsemixed.structures.residual_errors.banded import BandedErrors
from sparsemixed.structures.residual_errors.base import ResidualStructure
from sparsemixed.structures.residual_errors.exchangeable import ExchangeableErrors
from sparsemixed.structures.residual_errors.exponential import Exponential
from sparsemixed.structures.residual_errors.independent import IndependentErrors
from sparsemixed.structures.residual_errors.moving_average import MovingAverage
from sparsemixed.structures.residual_errors.toeplitz import Toeplitz
from sparsemixed.structures.residual_errors.unstructured import UnstructuredErrors

RESIDUAL_STRUCTURES: dict[str, type[ResidualStructure]] = {
    family.name: family
    for family in (
        *(IndependentErrors, ExchangeableErrors, Autoregressive, MovingAverage),
        *(UnstructuredErrors, BandedErrors, Toeplitz, Exponential),
    )
}
"""Name -> family."""

DEFAULT = IndependentErrors.name
"""The structure where residuals() is not given."""
