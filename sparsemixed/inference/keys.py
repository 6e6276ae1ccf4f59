"""The names under which values computed for a fit are kept, in memory and in files: changed only with the format of files."""

from __future__ import annotations

KEYS = (
    "anova-rank",
    "beta-covariance",
    "cluster-moments",
    "cluster-scores",
    "coefficient-covariance",
    "coefficient-degrees",
    "data-signature",
    "derivatives-at-optimum",
    "derivatives-in-blocks",
    "derivatives-linear",
    "derivatives-random",
    "derivatives-residual",
    "joint-errors",
    "margin-statistics",
    "method-degrees",
    "penalised-system-error",
    "singular-matrix",
    "theta-covariance",
    "variances-of-zero",
)
"""Functions and files may be renamed freely; these stay. A file with another one was saved by another version."""
