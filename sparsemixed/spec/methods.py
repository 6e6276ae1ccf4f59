"""What may be asked of inference: methods of degrees of freedom and covariance matrices of the estimates, as declarations.

Data alone: options, messages, headings and documentation follow from these two tables. What computes a method stands after this
stage, so a row has no more than its name, `module:object`; inference imports it when a fit asks for the method.
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
    computed_by : str
        `module:class` of a `inference.degrees.method.DofMethod`, made with the information matrix, `eim` or `oim`, if it takes
        one, with the name of the vce() that brings it, or without arguments.
    needs_reml : bool
        Whether it rests on the restricted likelihood.
    takes_information : bool
        Whether it rests on an information matrix of the variance parameters, expected or observed: `dfmethod(kroger, oim)`.
    own_covariance : bool
        Whether its tests use a covariance matrix of the coefficients other than the fit's.
    """

    word: str
    title: str
    computed_by: str
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
    moments : str
        With degrees of freedom, `module:function` of a fit and a `inference.covariance.cluster_blocks.Stack` of N clusters that
        gives the three members of `inference.covariance.cluster_robust.ClusterMoments` for them.
    """

    word: str
    title: str
    clusters: Literal["none", "required", "optional"] = "none"
    scores: bool = False
    degrees: DegreesMethod | None = None
    moments: str = ""

    @property
    def name(self) -> str:
        """The whole word."""
        return self.word.lower()

    @property
    def model_based(self) -> bool:
        """Whether it is what the model implies: the inverse of the information."""
        return not self.scores and self.degrees is None


DEGREES, COVARIANCE = "sparsemixed.inference.degrees", "sparsemixed.inference.covariance"


def _information(word: str, title: str, computed_by: str, own_covariance: bool = False) -> DegreesMethod:
    return DegreesMethod(word, title, computed_by, needs_reml=True, takes_information=True, own_covariance=own_covariance)


DFMETHODS: dict[str, DegreesMethod] = {
    method.name: method
    for method in (
        DegreesMethod("RESidual", "Residual", f"{DEGREES}.residual:Residual"),
        DegreesMethod("REPeated", "Repeated", f"{DEGREES}.repeated:Repeated"),
        DegreesMethod("ANOVA", "ANOVA", f"{DEGREES}.anova:Anova"),
        DegreesMethod("BETWithin", "Between-within", f"{DEGREES}.between_within:BetweenWithin"),
        _information("SATterthwaite", "Satterthwaite", f"{DEGREES}.satterthwaite:Satterthwaite"),
        _information("KRoger", "Kenward-Roger", f"{DEGREES}.kenward_roger:KenwardRoger", True),
        _information("KRFull", "Kenward-Roger (full)", f"{DEGREES}.kenward_roger:FullKenwardRoger", True),
        _information("KR2009", "Kenward-Roger (2009)", f"{DEGREES}.kenward_roger:KenwardRoger2009", True),
    )
}
"""What dfmethod() takes, by name."""


def cluster_robust(word: str, moments: str) -> CovarianceMethod:
    """A covariance of the coefficients from the clusters' residuals, with degrees of freedom by its moments."""
    title = f"Bell-McCaffrey ({word})"
    degrees = DegreesMethod(word, title, f"{DEGREES}.bell_mccaffrey:ClusterRobust", own_covariance=True)
    return CovarianceMethod(word, word, "optional", degrees=degrees, moments=moments)


VCE: dict[str, CovarianceMethod] = {
    method.name: method
    for method in (
        CovarianceMethod("OIM", ""),
        CovarianceMethod("Robust", "Robust", scores=True),
        CovarianceMethod("CLuster", "Robust", "required", scores=True),
        cluster_robust("CR0", f"{COVARIANCE}.cluster_robust:cr0_moments"),
        cluster_robust("CR2", f"{COVARIANCE}.cluster_robust:cr2_moments"),
        cluster_robust("CR3", f"{COVARIANCE}.cluster_robust:cr3_moments"),
    )
}
"""What vce() takes, by name."""


def degrees_methods() -> dict[str, DegreesMethod]:
    """Every method of degrees of freedom by name: those of dfmethod(), then those that a vce() brings."""
    return {**DFMETHODS, **{name: method.degrees for name, method in VCE.items() if method.degrees is not None}}
