"""What families of covariance matrices of random effects and of errors share: how they are named, and what they print.

The two families are apart, `structures.random` and `structures.residual_errors`, because their parameters move differently.

The covariance G of random effects is sigma2 F F' with a factor F that is *linear* in theta. Variances of zero are ordinary
estimates of random effects: a linear factor reaches singular matrices along a straight line, at a finite theta, and stays smooth
there; and it has no second derivative, so that exact Hessians need nothing beyond dF / dtheta. That excludes families whose
factor is not linear, such as AR(1), which are rarely wanted of the few effects of one group.

The covariance R of the errors of a group is a function R(rho; t) of the times observed in it, of another size in every group,
and positive definite: inv(R) is needed. Correlations that fall with distance, roots inside the unit circle, a band: none of them
is linear in parameters without constraints. So rho moves freely, and derivatives of R come from each class, second ones too.

One class for both was given up: it would have had to offer a factor nobody needs for R, and second derivatives that are zero
for G, and every caller would have asked which of the two it has.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np


class Declared(ABC):
    """A family as the option's word declares it.

    Attributes
    ----------
    word : str
        As typed, its shortest abbreviation in capitals: `UNstructured`.
    name : str
        The whole word, which follows from it.
    """

    word: ClassVar[str]
    name: ClassVar[str]

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if "word" in vars(cls):
            cls.name = cls.word.lower()


Key = tuple[str | int, ...]
"""What a parameter is, then the places of the effects or times it is of, from 0; no places where all share it."""


@dataclass(frozen=True)
class Displayed:
    """A parameter of a structure as it is displayed: a variance, a covariance, a correlation, ... with its gradient.

    Attributes
    ----------
    key : Key
        ("var", i), ("cov", i, j); ("var",) and ("cov",) where all share one; ("rho",), ("phi", 2) and others of a family's own.
    of : str
        What the label has in parentheses: `week`, `week,_cons`, `e`; empty for a parameter of no effect.
    value : float
        Relative to sigma2 (kinds variance and covariance), to sigma (sd), or absolute (the others).
    kind : {"variance", "covariance", "sd", "correlation", "coefficient", "decay"}
        Alone decides the scale of the confidence interval.
    gradient : (q,) float64
        Derivative of `value` with respect to theta.
    level : int
        Which level of by() it belongs to.
    level_label : str or None
        That level as printed; None without by().
    """

    key: Key
    of: str
    value: float
    kind: str
    gradient: np.ndarray
    level: int = 0
    level_label: str | None = None

    @property
    def label(self) -> str:
        """As printed: `var(week)`, `corr(week,_cons)`, `phi2`, `0: var(e)`."""
        what = f"{self.key[0]}({self.of})" if self.of else "".join(map(str, self.key))
        return what if self.level_label is None else f"{self.level_label}: {what}"


def standard_deviation(variance: Displayed) -> Displayed:
    """The sd whose square is `variance`; its gradient is that of sqrt, zero on the boundary where none exists."""
    sd = float(np.sqrt(max(variance.value, 0.0)))
    gradient = variance.gradient / (2 * sd) if sd > 0 else np.zeros_like(variance.gradient)
    return replace(variance, key=("sd", *variance.key[1:]), value=sd, kind="sd", gradient=gradient)


def correlation(covariance: Displayed, first: Displayed, second: Displayed) -> Displayed:
    """The correlation of a covariance and its two variances, with its gradient; NaN where a variance is zero."""
    product = first.value * second.value
    if product > 0:
        value = float(covariance.value / np.sqrt(product))
        gradient = covariance.gradient / np.sqrt(product) - 0.5 * value * (
            first.gradient / first.value + second.gradient / second.value
        )
    else:
        value, gradient = float("nan"), np.full_like(covariance.gradient, np.nan)
    return replace(covariance, key=("corr", *covariance.key[1:]), value=value, kind="correlation", gradient=gradient)


def as_deviations(rows: Sequence[Displayed]) -> list[Displayed]:
    """Variances become standard deviations and covariances correlations, with their gradients; the others stay.

    The covariance ("cov", i, j) goes with ("var", i) and ("var", j), and ("cov",) with ("var",), of the same level of by().
    """
    variances = {(row.level, row.key): row for row in rows if row.kind == "variance"}
    shown = []
    for row in rows:
        if row.kind == "variance":
            shown.append(standard_deviation(row))
        elif row.kind == "covariance":
            pair = (variances[row.level, ("var", *place)] for place in (row.key[1:2], row.key[2:3]))
            shown.append(correlation(row, *pair))
        else:
            shown.append(row)
    return shown
