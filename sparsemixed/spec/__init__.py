"""What was asked, and what there is to ask: frozen values that know nothing of the data."""

from __future__ import annotations

from sparsemixed.spec.methods import (
    DFMETHODS,
    VCE,
    CovarianceMethod,
    DegreesMethod,
    degrees_methods,
)
from sparsemixed.spec.model import (
    EXCLUSIVE,
    MOST_FACTORS,
    NOT_KRYLOV,
    TIME_UNITS,
    Base,
    DisplayOptions,
    EstimationOptions,
    Factor,
    ModelSpec,
    RandomEquation,
    ResidualSpec,
    Sample,
    SmallSample,
    Term,
    TimeSet,
    Vce,
    Weight,
    WeightKind,
    WeightSpec,
)

__all__ = [
    "DFMETHODS",
    "EXCLUSIVE",
    "MOST_FACTORS",
    "NOT_KRYLOV",
    "TIME_UNITS",
    "VCE",
    "Base",
    "CovarianceMethod",
    "DegreesMethod",
    "DisplayOptions",
    "EstimationOptions",
    "Factor",
    "ModelSpec",
    "RandomEquation",
    "ResidualSpec",
    "Sample",
    "SmallSample",
    "Term",
    "TimeSet",
    "Vce",
    "Weight",
    "WeightKind",
    "WeightSpec",
    "degrees_methods",
]
