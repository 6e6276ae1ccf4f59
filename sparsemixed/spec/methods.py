"""What may be asked of inference: methods of degrees of freedom and covariance matrices of the estimates, as declarations.

Data alone: options, messages, headings and documentation follow from these two tables, and inference binds what computes each
(`inference.degrees.table`, `inference.covariance.cluster_robust`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DegreesMethod:
    """A method of degrees of freedom.

    Attributes
    ----------
    word : str
        As typed, its shortest abbreviation in capitals: `SATterthwaite`.
    title : str
        As printed above the tables.
    needs_reml : bool
        Whether it rests on the restricted likelihood.
    takes_information : bool
        Whether it rests on an information matrix of the variance parameters, expected or observed: `dfmethod(kroger, oim)`.
    own_covariance : bool
        Whether its tests use a covariance matrix of the coefficients other than the fit's.
    """

    word: str
    title: str
    needs_reml: bool = False
    takes_information: bool = False
    own_covariance: bool = False

    @property
    def name(self) -> str:
        """The whole word."""
        return self.word.lower()


@dataclass(frozen=True)
class CovarianceMethod:
    """A covariance matrix of the estimates.

    Attributes
    ----------
    word : str
        As typed, its shortest abbreviation in capitals.
    title : str
        What standard errors are called above their column; empty for the model's own.
    clusters : {"none", "required", "optional"}
        Whether a cluster variable may follow.
    scores : bool
        Whether the standard errors of all parameters come from the clusters' scores. The likelihood is then taken for none of the
        data, and must be a sum over clusters, which a restricted one is not.
    degrees : DegreesMethod or None
        The degrees of freedom that it brings along; then it is a covariance of the coefficients alone.
    """

    word: str
    title: str
    clusters: Literal["none", "required", "optional"] = "none"
    scores: bool = False
    degrees: DegreesMethod | None = None

    @property
    def name(self) -> str:
        """The whole word."""
        return self.word.lower()

    @property
    def model_based(self) -> bool:
        """Whether it is what the model implies: the inverse of the information."""
        return not self.scores and self.degrees is None


def _information(word: str, title: str, own_covariance: bool = False) -> DegreesMethod:
    return DegreesMethod(word, title, needs_reml=True, takes_information=True, own_covariance=own_covariance)


DFMETHODS: dict[str, DegreesMethod] = {
    method.name: method
    for method in (
        DegreesMethod("RESidual", "Residual"),
        DegreesMethod("REPeated", "Repeated"),
        DegreesMethod("ANOVA", "ANOVA"),
        DegreesMethod("BETWithin", "Between-within"),
        _information("SATterthwaite", "Satterthwaite"),
        _information("KRoger", "Kenward-Roger", own_covariance=True),
        _information("KRFull", "Kenward-Roger (full)", own_covariance=True),
        _information("KR2009", "Kenward-Roger (2009)", own_covariance=True),
    )
}
"""What dfmethod() takes, by name."""


def _cluster_robust(word: str) -> CovarianceMethod:
    degrees = DegreesMethod(word, f"Bell-McCaffrey ({word})", own_covariance=True)
    return CovarianceMethod(word, word, "optional", degrees=degrees)


VCE: dict[str, CovarianceMethod] = {
    method.name: method
    for method in (
        CovarianceMethod("OIM", ""),
        CovarianceMethod("Robust", "Robust", scores=True),
        CovarianceMethod("CLuster", "Robust", "required", scores=True),
        *map(_cluster_robust, ("CR0", "CR2", "CR3")),
    )
}
"""What vce() takes, by name."""


def degrees_methods() -> dict[str, DegreesMethod]:
    """Every method of degrees of freedom by name: those of dfmethod(), then those that a vce() brings."""
    return {**DFMETHODS, **{name: method.degrees for name, method in VCE.items() if method.degrees is not None}}
