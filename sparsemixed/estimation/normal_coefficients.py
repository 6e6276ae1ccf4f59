"""Normal priors of coefficients as named, in the coordinates of orthonormal X: of posteriors and of penalised likelihoods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.estimation.orthonormal import OrthonormalCoordinates
from sparsemixed.priors.single import LOG_2PI, Normal, Prior

NARROWEST = 1e9
"""Precision of a prior, over that of least squares, beyond which other coefficients keep less than seven digits."""


@dataclass(frozen=True)
class NormalCoefficients:
    """What -2 log density of the coefficients gamma of orthonormal X is made of: (gamma - g0)'K(gamma - g0) + constant.

    Attributes
    ----------
    K, g0 : (r, r), (r,)
        Precision and mean; zeros where the prior is flat.
    constant : float
        Of the density of the coefficients as named.
    """

    K: np.ndarray
    g0: np.ndarray
    constant: float


def normal_coefficients(priors: Sequence[Prior], orthogonal: OrthonormalCoordinates) -> NormalCoefficients:
    """Independent priors of the coefficients as named; those that are not `Normal` are flat.

    Raises
    ------
    OptionError
        A standard deviation so far below what the data can tell that no digits are left of the other coefficients.
    """
    R, start = orthogonal.R, orthogonal.start
    normal = [prior for prior in priors if isinstance(prior, Normal)]
    if not normal:
        return NormalCoefficients(np.zeros((len(R), len(R))), np.zeros(len(R)), 0.0)
    precision = np.array([1.0 / prior.sd**2 if isinstance(prior, Normal) else 0.0 for prior in priors])
    half = np.linalg.solve(R.T, np.diag(np.sqrt(precision)))
    mean = np.array([prior.mean if isinstance(prior, Normal) else s for prior, s in zip(priors, start, strict=True)])
    _check_width(priors, half, orthogonal)
    constant = len(normal) * LOG_2PI + 2.0 * float(sum(np.log(prior.sd) for prior in normal))
    return NormalCoefficients(half @ half.T, R @ (mean - start), constant)


def _check_width(priors: Sequence[Prior], half: np.ndarray, orthogonal: OrthonormalCoordinates) -> None:
    """Refuse priors whose precision is `NARROWEST` times the most that the rows can have; half (r, p) has a column for each."""
    squares = orthogonal.square / max(orthogonal.n_obs - orthogonal.rank, 1)
    sizes = squares * (half**2).sum(axis=0)
    k = int(np.argmax(sizes))
    if sizes[k] > NARROWEST:
        raise OptionError(
            f"{priors[k]!r} is too narrow a prior beside what the data say of its coefficient: rounding would take the "
            "digits of the others. Hold it by constraints(), or widen the prior"
        )
