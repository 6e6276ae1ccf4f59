"""What a family of covariance matrices of random effects must offer."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal

import numpy as np

from sparsemixed.structures.base import Declared, Displayed, as_deviations


class RandomStructure(Declared):
    """A family of m x m covariance matrices `sigma2 * factor @ factor.T`, indexed by an unconstrained theta (q,).

    The factor is *linear* in theta (`structures.base` says why): it reaches singular matrices continuously, and it has no second
    derivative, so that exact Hessians need nothing beyond `dfactor`.

    Attributes
    ----------
    word : str
        In the command language, see `Declared`.
    title : str
        As printed after the level: `Unstructured`.
    factor_levels : {"groups", "columns"} or None
        Where the effects of the levels of `R.varname` stand: each in a group of its own, or side by side in the columns of their
        level's group, so that they can be correlated; None if the family is not for `R.varname`.
    m : int
        Dimension.
    """

    title: ClassVar[str]
    factor_levels: ClassVar[Literal["groups", "columns"] | None] = None

    def __init__(self, m: int):
        self.m = m

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.m})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.m == getattr(other, "m", None)

    def __hash__(self) -> int:
        return hash((type(self), self.m))

    def in_basis(self, gram: np.ndarray, leading: int = 0) -> RandomStructure:
        """The same family with theta in coordinates suited to columns with cross-products `gram` (m, m).

        The effect `leading`, the constant where there is one, is expected to vary most.

        Only the parameterization changes: covariances, their display and the likelihood do not. A family that is not
        closed under linear maps of the effects returns itself.
        """
        return self

    @classmethod
    def of_levels(cls, most: int, n_levels: int) -> RandomStructure:
        """The family's matrix for the levels of `R.varname` that stand in columns.

        Parameters
        ----------
        most : int
            Number of levels that the group with most of them has: columns with data.
        n_levels : int
            Of the variable.

        Returns
        -------
        RandomStructure
            Its m is `most`, or more, if it needs columns without data behind those.
        """
        return cls(most)

    @property
    def n_effects(self) -> int:
        """Number of effects that the covariances hold for: m, but for a family that also counts effects without columns."""
        return self.m

    @property
    def n_theta(self) -> int:
        """Number q of parameters."""
        return len(self.singular_faces()[0])

    def factor(self, theta: np.ndarray) -> np.ndarray:
        """(m, m) matrix whose product with its transpose is the covariance over sigma2."""
        return (theta @ self.dfactor().reshape(len(theta), -1)).reshape(self.m, self.m)

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

    def in_own_basis(self) -> RandomStructure:
        """The family in whose matrices `factor(theta)` is a factor but for the basis chosen by `in_basis`."""
        return self

    @property
    def chosen_basis(self) -> np.ndarray | None:
        """T (m, m) of `in_basis`; None in a family that chooses none."""
        return None

    def from_own_basis(self, matrices: np.ndarray) -> np.ndarray:
        """Covariance matrices (..., m, m) from those that `in_own_basis()` has at the same theta."""
        T = self.chosen_basis
        return matrices if T is None else T @ matrices @ T.T

    def of_effects(self, T: np.ndarray) -> RandomStructure:
        """The family's matrices of the effects inv(T) b in place of b, at the same theta, for T (m, m) of a `chosen_basis`."""
        return self

    def without(self, effects: tuple[int, ...], gram: np.ndarray, leading: int) -> tuple[RandomStructure, np.ndarray] | None:
        """The family in coordinates in which some effects have no variances and covariances where some of theta is zero.

        Parameters
        ----------
        effects : tuple of int
            Not all of them.
        gram, leading
            As in `in_basis`.

        Returns
        -------
        (RandomStructure, (q,) bool) or None
            The structure, and which of theta; None in a family whose effects share their parameters.
        """
        return None

    @abstractmethod
    def singular_faces(self) -> np.ndarray:
        """(f, q) linear forms in theta; where one of them vanishes the covariance matrix is singular."""

    @abstractmethod
    def face_names(self, names: tuple[str, ...], label: str) -> list[str]:
        """What each singular face means, in words for a status line: `var(week) of id is 0`."""

    @abstractmethod
    def display(self, theta: np.ndarray, names: tuple[str, ...]) -> list[Displayed]:
        """The parameters as variances and covariances."""

    def display_sd(self, theta: np.ndarray, names: tuple[str, ...]) -> list[Displayed]:
        """The parameters as standard deviations and correlations (option `stddeviations`)."""
        return as_deviations(self.display(theta, names))

    @classmethod
    def covariances_gained(cls, m: int) -> int | None:
        """How many covariances come with the variance of one more effect beside m others of the same family.

        None where the smaller model is not the larger one with that variance at zero.
        """
        return None
