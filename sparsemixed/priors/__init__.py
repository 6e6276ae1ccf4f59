"""Priors of `sparsemixed.bayes` and of `mixed(..., prior=)`: small values with the densities that their names say.

Of coefficients: `Normal`, `Flat`. Of standard deviations and variances: `HalfT`, `HalfNormal`, `HalfCauchy`, `Exponential`,
`pc`, `Gamma`, `InverseGamma`, `Uniform`, `Flat`, `Fixed`. Of correlations: `LKJ`, and `Uniform` and `Beta` of a single one. Of
covariance matrices: `InverseWishart`, `Wishart`, `HuangWand`, and for `mixed` alone `BoundaryAvoiding`.
"""

from __future__ import annotations

from sparsemixed.errors import PriorDataWarning
from sparsemixed.priors.matrices import LKJ, BoundaryAvoiding, HuangWand, InverseWishart, Wishart
from sparsemixed.priors.single import (
    Beta,
    Exponential,
    Fixed,
    Flat,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfT,
    InverseGamma,
    Normal,
    Uniform,
    pc,
)

__all__ = [
    "LKJ",
    "Beta",
    "BoundaryAvoiding",
    "Exponential",
    "Fixed",
    "Flat",
    "Gamma",
    "HalfCauchy",
    "HalfNormal",
    "HalfT",
    "HuangWand",
    "InverseGamma",
    "InverseWishart",
    "Normal",
    "PriorDataWarning",
    "Uniform",
    "Wishart",
    "pc",
]
