"""Prior distributions of covariance and correlation matrices of one group's effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsemixed.errors import OptionError
from sparsemixed.priors.special import betaln, gammaln, multigammaln
from sparsemixed.spec.numbers import is_number


@dataclass(frozen=True)
class LKJ:
    """Density proportional to |R|^(eta - 1) of a correlation matrix (Lewandowski, Kurowicka & Joe 2009); uniform for eta = 1."""

    word = "lkj"
    eta: float = 1.0

    def __post_init__(self) -> None:
        _check(self, "eta", self.eta, 0.0)

    def log_density(self, logdet: Any, m: int) -> Any:
        """Log density of the m (m - 1) / 2 correlations, from log|R| (...)."""
        k = np.arange(1, m)
        constant = np.sum((2 * self.eta - 2 + m - k) * (m - k)) * np.log(2.0)
        constant += np.sum((m - k) * betaln(self.eta + (m - k - 1) / 2, self.eta + (m - k - 1) / 2))
        return (self.eta - 1) * logdet - constant

    def log_density_shared(self, r: Any, m: int) -> Any:
        """Log density, normalised, of one correlation that all m effects share: proportional to |R|^(eta - 1)."""
        t = (1 + (m - 1) * r) / m
        a, b = self.eta, (m - 1) * (self.eta - 1) + 1
        if b <= 0:
            raise OptionError(f"{self!r}: eta must exceed {(m - 2) / (m - 1):.4g} for one correlation shared by {m} effects")
        return (a - 1) * np.log(t) + (b - 1) * np.log1p(-t) - betaln(a, b) + np.log((m - 1) / m)


@dataclass(frozen=True)
class BoundaryAvoiding:
    """Proportional to |Sigma|^((shape - 1) / 2): for `mixed(..., prior=)`, keeps estimates off singular covariance matrices.

    Of one standard deviation the limit of Gamma(shape, rate) for a rate of zero (Chung, Rabe-Hesketh, Dorie, Gelman & Liu 2013),
    of a matrix that of Wishart priors (Chung, Gelman, Rabe-Hesketh, Liu & Dorie 2015). With the shape 2 an estimate of zero
    moves by about one standard error, and others hardly do. An eigenvalue that effects share by the structure counts once. It
    has no integral, so that it is none of the priors of `bayes`.
    """

    shape: float = 2.0

    def __post_init__(self) -> None:
        _check(self, "shape", self.shape, 1.0)


class MatrixPrior:
    """A distribution of covariance matrices (m, m)."""

    def log_density(self, S: Any, logdet: Any) -> Any:
        """Log density of the m (m + 1) / 2 entries of S (..., m, m), log|S| (...) given."""
        raise NotImplementedError

    def check(self, m: int) -> None:
        """Refuse a dimension that it is not for."""


@dataclass(frozen=True)
class InverseWishart(MatrixPrior):
    """Inverse Wishart; by default m + 1 degrees of freedom and the identity as its scale matrix."""

    word = "iwishart"
    df: float | None = None
    scale: tuple[tuple[float, ...], ...] | float = 1.0

    def check(self, m: int) -> None:
        _check(self, "df", m + 1 if self.df is None else self.df, m - 1)
        _matrix(self, self.scale, m)

    def log_density(self, S: Any, logdet: Any) -> Any:
        m = S.shape[-1]
        df, scale = float(m + 1 if self.df is None else self.df), _matrix(self, self.scale, m)
        trace = np.einsum("...aa->...", np.linalg.solve(S, np.broadcast_to(scale, S.shape)))
        constant = 0.5 * df * np.linalg.slogdet(scale)[1] - 0.5 * df * m * np.log(2.0) - multigammaln(df / 2, m)
        return constant - 0.5 * (df + m + 1) * logdet - 0.5 * trace


@dataclass(frozen=True)
class Wishart(MatrixPrior):
    """Wishart with expectation df times scale; with df = m + 2 it keeps estimates off singular matrices (Chung et al. 2015)."""

    word = "wishart"
    df: float
    scale: tuple[tuple[float, ...], ...] | float = 1.0

    def check(self, m: int) -> None:
        _check(self, "df", self.df, m - 1)
        _matrix(self, self.scale, m)

    def log_density(self, S: Any, logdet: Any) -> Any:
        m = S.shape[-1]
        scale = _matrix(self, self.scale, m)
        trace = np.einsum("ab,...ba->...", np.linalg.inv(scale), S)
        constant = -0.5 * self.df * m * np.log(2.0) - 0.5 * self.df * np.linalg.slogdet(scale)[1] - multigammaln(self.df / 2, m)
        return constant + 0.5 * (self.df - m - 1) * logdet - 0.5 * trace


@dataclass(frozen=True)
class HuangWand(MatrixPrior):
    """Every standard deviation half-t(df, scale), and correlations uniform for df = 2 (Huang & Wand 2013).

    S given a is inverse Wishart with df + m - 1 degrees of freedom and scale 2 df diag(1 / a), a_k inverse gamma with 1/2 and
    1 / scale_k^2; a is integrated out in closed form.
    """

    word = "huangwand"
    df: float = 2.0
    scale: Sequence[float] | float = 1.0

    def __post_init__(self) -> None:
        _check(self, "df", self.df, 0.0)

    def check(self, m: int) -> None:
        try:
            scales = np.asarray(self.scale, float).ravel()
        except (TypeError, ValueError):
            scales = np.zeros(0)
        if scales.size not in (1, m) or not np.all(scales > 0):
            raise OptionError(f"{self!r}: scale must be one positive number or {m}, one for each effect")

    def log_density(self, S: Any, logdet: Any) -> Any:
        m = S.shape[-1]
        d, A = self.df + m - 1, np.broadcast_to(np.asarray(self.scale, float), (m,))
        inverse = np.einsum("...aa->...a", np.linalg.inv(S))
        constant = 0.5 * m * d * np.log(self.df) - multigammaln(d / 2, m)
        constant += np.sum(gammaln((d + 1) / 2) - 0.5 * np.log(np.pi) - np.log(A))
        return constant - 0.5 * (d + m + 1) * logdet - 0.5 * (d + 1) * np.log(self.df * inverse + A**-2.0).sum(axis=-1)


def _check(prior: object, name: str, value: Any, above: float) -> None:
    if not is_number(value) or not above < value < np.inf:
        raise OptionError(f"{type(prior).__name__}: {name}={value!r} must be a number above {above:g}")


def _matrix(prior: object, scale: Any, m: int) -> np.ndarray:
    """The scale (m, m); one number stands for so many times the identity."""
    try:
        matrix = np.asarray(scale, float)
    except (TypeError, ValueError):
        matrix = np.zeros(0)
    matrix = matrix * np.eye(m) if matrix.ndim == 0 else matrix
    if matrix.shape != (m, m) or not np.allclose(matrix, matrix.T) or np.linalg.eigvalsh(matrix)[0] <= 0:
        raise OptionError(f"{type(prior).__name__}: scale must be a positive definite matrix of order {m}, or a positive number")
    return matrix
