"""Which options go together: one table, each rule with its message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sparsemixed.command.settings import Settings
from sparsemixed.spec import EXCLUSIVE, NOT_KRYLOV, CovarianceMethod, EstimationOptions, Vce, WeightSpec
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES


@dataclass(frozen=True)
class Asked:
    """What rules look at: the options that were given, and the weights."""

    settings: Settings
    weights: WeightSpec | None

    def __call__(self, field: str) -> object:
        """The value of a field of the estimation options, its default where nothing sets it."""
        return self.settings.value("estimation", field, getattr(EstimationOptions(), field))

    @property
    def vce(self) -> CovarianceMethod:
        """The covariance matrix asked for, the model's where none is."""
        asked = self.settings.value("vce", "vce")
        return (asked if isinstance(asked, Vce) else Vce()).method

    @property
    def sampled(self) -> bool:
        """Whether there are sampling weights."""
        return self.weights is not None and self.weights.kind == "sampling"

    @property
    def has_degrees(self) -> bool:
        """Whether some option brings degrees of freedom."""
        return self.vce.degrees is not None or self("dfmethod") is not None

    @property
    def words(self) -> dict[str, str]:
        """What messages may name: other options as written, and weights."""
        settings = (("residual", "residual"), *(("display", other) for _, other in EXCLUSIVE))
        found = {field: setting.written for part, field in settings if (setting := self.settings.asked(part, field))}
        if self.weights is not None:
            found |= {"weights": self.weights.written(self.weights.each[0]), "kind": self.weights.name}
        return found


@dataclass(frozen=True)
class Rule:
    """One option that others rule out.

    Attributes
    ----------
    part, field : str
        What the option sets, which the message is about.
    broken : callable
        Of what was asked, where the option is given.
    why : str
        The message after the option's name; braces name other options (`Asked.words`).
    """

    part: str
    field: str
    broken: Callable[[Asked], bool]
    why: str


def _shown(field: str) -> Callable[[Asked], bool]:
    """Whether a display option asks for something that is not shown anyway."""
    return lambda asked: asked.settings.value("display", field, False) not in ("default", False)


def _without_degrees(field: str) -> Callable[[Asked], bool]:
    return lambda asked: _shown(field)(asked) and not asked.has_degrees


def _both(field: str, other: str) -> Callable[[Asked], bool]:
    return lambda asked: _shown(field)(asked) and _shown(other)(asked)


def _not_default(field: str) -> Callable[[Asked], bool]:
    """Whether solver(krylov) is asked for beside an option of the other search."""
    return lambda asked: asked("solver") == "krylov" and asked(field) != getattr(EstimationOptions(), field)


def _correlated(asked: Asked) -> bool:
    return not asked.settings.residual().one_variance


def _needs_reml(asked: Asked) -> bool:
    method = asked("dfmethod")
    return method is not None and method.method.needs_reml and asked("method") != "reml"  # type: ignore[attr-defined]


RULES: tuple[Rule, ...] = (
    Rule(
        "estimation",
        "emonly",
        lambda asked: bool(asked("emonly")) and asked.weights is not None,
        "is available only with unweighted estimation, not with {weights}",
    ),
    Rule(
        "estimation",
        "emonly",
        lambda asked: bool(asked("emonly")) and _correlated(asked),
        "needs independent residuals with constant variance and is not available with {residual}",
    ),
    Rule(
        "estimation",
        "nonrtolerance",
        lambda asked: bool(asked("nonrtolerance")) and asked("nrtolerance") is not None,
        "and nrtolerance() exclude each other",
    ),
    *(
        Rule("estimation", field, _not_default(field), "is not available with solver(krylov), which has one way to search")
        for field in NOT_KRYLOV
    ),
    Rule("estimation", "dfmethod", _needs_reml, "needs REML estimation; add the option reml"),
    Rule(
        "residual",
        "group",
        lambda asked: RESIDUAL_STRUCTURES[asked.settings.residual().name].independent_rows,
        "says where errors are correlated and needs residuals(), as in residuals(ar 1, t(week))",
    ),
    *(
        Rule("display", field, _without_degrees(field), "needs degrees of freedom; add the option dfmethod() or vce(cr2)")
        for field in ("dftable", "small")
    ),
    *(Rule("display", field, _both(field, other), f"and {{{other}}} exclude each other") for field, other in EXCLUSIVE),
    Rule(
        "vce",
        "vce",
        lambda asked: asked.vce.scores and asked("method") == "reml",
        "is not available with reml: the restricted likelihood is not a sum over clusters. Use ML, or vce(cr2)",
    ),
    Rule(
        "vce",
        "vce",
        lambda asked: not asked.vce.model_based and asked("dfmethod") is not None,
        "and dfmethod() exclude each other: degrees of freedom rest on the model's covariance",
    ),
    Rule(
        "vce",
        "vce",
        lambda asked: asked.vce.model_based and asked.sampled,
        "is not available with sampling weights, whose standard errors are robust",
    ),
    Rule(
        "vce",
        "vce",
        lambda asked: asked.vce.degrees is not None and asked.weights is not None and not _precise(asked),
        "is not available with {kind}s; use vce(robust)",
    ),
)
"""In the order in which they are checked. Which weights go together, and with what, is `weight_rules`."""


def _precise(asked: Asked) -> bool:
    """Whether the weights are precisions, which only change the errors' variances."""
    return asked.weights is not None and asked.weights.kind == "precision"


def check_rules(settings: Settings, weights: WeightSpec | None) -> None:
    """Check all rules for the options that are given.

    Raises
    ------
    OptionError
        At the option of the first rule that is broken.
    """
    asked = Asked(settings, weights)
    for rule in RULES:
        if settings.asked(rule.part, rule.field) is not None and rule.broken(asked):
            raise settings.refused(rule.part, rule.field, rule.why.format(**asked.words))
