"""What a family of covariance matrices must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np


@dataclass(frozen=True)
class Parameter:
    """One reported parameter of a structure.

    Attributes
    ----------
    label : str
        As printed: `var(week)`, `cov(week,_cons)`, `sd(week)`, `corr(week,_cons)`.
    value : float
        Relative to sigma2 (kinds variance and covariance), to sigma (sd), or absolute (correlation).
    kind : {"variance", "covariance", "sd", "correlation"}
        Alone decides the scale of the confidence interval.
    gradient : (q,) float64
        Derivative of `value` with respect to theta.
    """

    label: str
    value: float
    kind: str
    gradient: np.ndarray


class Structure(ABC):
    """A family of m x m covariance matrices `sigma2 * factor @ factor.T`, indexed by an unconstrained theta (q,).

    For random effects the factor is *linear* in theta: it reaches singular matrices continuously, and it has no second
    derivative, so that exact Hessians need nothing beyond `dfactor`.

    Attributes
    ----------
    name : str
        The option's word in the command language.
    title : str
        As printed after the level: `Unstructured`.
    m : int
        Dimension.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, m: int):
        self.m = m

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.m})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.m == getattr(other, "m", None)

    def __hash__(self) -> int:
        return hash((type(self), self.m))

    def in_basis(self, gram: np.ndarray, leading: int = 0) -> Structure:
        """The same family with theta in coordinates suited to columns with cross-products `gram` (m, m).

        The effect `leading`, the constant where there is one, is expected to vary most.

        Only the parameterization changes: covariances, their display and the likelihood do not. A family that is not
        closed under linear maps of the effects returns itself.
        """
        return self

    @property
    def n_theta(self) -> int:
        """Number q of parameters."""
        return len(self.edges()[0])

    def factor(self, theta: np.ndarray) -> np.ndarray:
        """(m, m) matrix whose product with its transpose is the covariance over sigma2."""
        return np.tensordot(theta, self.dfactor(), axes=1)

    @abstractmethod
    def dfactor(self) -> np.ndarray:
        """(q, m, m) derivatives of `factor` with respect to theta."""

    @abstractmethod
    def nearest(self, covariance: np.ndarray) -> np.ndarray:
        """theta (q,) of the member that maximises the Gaussian likelihood of a sample covariance (m, m): EM's M-step."""

    def from_root(self, root: np.ndarray) -> np.ndarray:
        """theta (q,) of the member root root', for a root (m, m) of any form; as exact beside singular members as the root is.

        Squaring halves the digits of a small eigenvalue: families whose theta depends on differences do without it.
        """
        return self.nearest(root @ root.T)

    def in_own_basis(self) -> Structure:
        """The family in whose matrices `factor(theta)` is a factor but for the basis chosen by `in_basis`."""
        return self

    @abstractmethod
    def edges(self) -> np.ndarray:
        """(e, q) linear forms in theta; where one of them vanishes the covariance matrix is singular."""

    @abstractmethod
    def edge_names(self, names: tuple[str, ...], label: str) -> list[str]:
        """What each edge means, in words for a status line: `var(week) of id is 0`."""

    @abstractmethod
    def display(self, theta: np.ndarray, names: tuple[str, ...]) -> list[Parameter]:
        """The parameters as variances and covariances."""

    @abstractmethod
    def display_sd(self, theta: np.ndarray, names: tuple[str, ...]) -> list[Parameter]:
        """The parameters as standard deviations and correlations (option `stddeviations`)."""


def standard_deviation(variance: Parameter) -> Parameter:
    """The sd whose square is `variance`; its gradient is that of sqrt, zero on the boundary where none exists."""
    sd = float(np.sqrt(max(variance.value, 0.0)))
    gradient = variance.gradient / (2 * sd) if sd > 0 else np.zeros_like(variance.gradient)
    return Parameter(variance.label.replace("var(", "sd(", 1), sd, "sd", gradient)


def correlation(covariance: Parameter, first: Parameter, second: Parameter) -> Parameter:
    """The correlation of a covariance and its two variances, with its gradient; NaN where a variance is zero."""
    label = covariance.label.replace("cov(", "corr(", 1)
    product = first.value * second.value
    if product <= 0:
        return Parameter(label, float("nan"), "correlation", np.full_like(covariance.gradient, np.nan))
    value = covariance.value / np.sqrt(product)
    gradient = covariance.gradient / np.sqrt(product) - 0.5 * value * (
        first.gradient / first.value + second.gradient / second.value
    )
    return Parameter(label, float(value), "correlation", gradient)
