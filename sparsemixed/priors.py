"""Priors of `sparsemixed.bayes`: small values with the densities that their names say.

Of coefficients: `Normal`, `Flat`. Of standard deviations and variances: `HalfT`, `HalfNormal`, `HalfCauchy`, `Exponential`,
`pc`, `Gamma`, `InverseGamma`, `Uniform`, `Flat`, `Fixed`. Of correlations: `LKJ`, and `Uniform` and `Beta` of a single one. Of
covariance matrices: `InverseWishart`, `Wishart`, `HuangWand`.
"""

from __future__ import annotations

from sparsemixed.bayesian.checks import PriorDataWarning
from sparsemixed.bayesian.matrix_priors import LKJ, HuangWand, InverseWishart, Wishart
from sparsemixed.bayesian.priors import (
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
