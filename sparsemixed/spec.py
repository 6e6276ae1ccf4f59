"""What was asked: a frozen model specification that knows no data values.

Both front ends (the command language and lme4-style formulas) end here, and everything after reads only this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Base = Literal["first", "last", "frequent", "none"] | float | str
"""Which level of a categorical variable gets no column: a rule, or the value of the level itself."""


@dataclass(frozen=True)
class Factor:
    """One variable inside a term.

    Attributes
    ----------
    variable : str
    kind : {"continuous", "categorical", "by_type"}
        `by_type` leaves the choice to the data: numeric columns are continuous, strings and pandas categoricals are
        categorical (formulas only).
    base : Base
        Ignored unless the variable is treated as categorical. A number or string names the level itself.
    levels : tuple
        The only levels that get a column (`i(2 3).a`, `3.a`); empty means all of them.
    omitted : bool
        `o.`: the columns stay in the list of coefficients but are held at zero.
    position : int or None
        Offset in the text as typed, for messages.
    """

    variable: str
    kind: Literal["continuous", "categorical", "by_type"] = "continuous"
    base: Base = "first"
    levels: tuple[float | str, ...] = ()
    omitted: bool = False
    position: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Term:
    """A product of factors: one column when all are continuous, else one per cell. `##` is expanded by the parser."""

    factors: tuple[Factor, ...]


@dataclass(frozen=True)
class RandomEquation:
    """One equation of random effects.

    Attributes
    ----------
    label : str
        The level's name as printed (`id`, `_all`; `a:b` from formulas).
    grouping : tuple of str
        The groups are the observed combinations of these variables: `()` for `_all`; ("region", "state") for `state`
        typed below `region`. Equations with the same grouping belong to one level.
    terms : tuple of Term
        Random coefficients, in the order typed, without the constant.
    constant : bool
        Whether a random intercept ends the list (already decided for repeated levels).
    factor : str or None
        The variable of `R.varname`; then `terms` is empty and `constant` False.
    covariance : str
        Name of a covariance structure: identity, independent, exchangeable, unstructured.
    collinear : bool
        Keep collinear columns.
    position : int or None
        Offset of the equation in the text as typed.
    """

    label: str
    grouping: tuple[str, ...]
    terms: tuple[Term, ...] = ()
    constant: bool = True
    factor: str | None = None
    covariance: str = "independent"
    collinear: bool = False
    position: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class ResidualSpec:
    """residuals(restype [#] [, by(varname) t(varname)]).

    Attributes
    ----------
    name : str
        independent, exchangeable, ar, ma, unstructured, banded, toeplitz or exponential.
    order : int or None
        As typed; None takes the default of the family.
    by, t : str or None
        Variables.
    position : int or None
        Offset of the option's argument in the text.
    """

    name: str = "independent"
    order: int | None = None
    by: str | None = None
    t: str | None = None
    position: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Sample:
    """Which rows were asked for: the parsed `if` expression (see `command.expression`) and the `in` range, 1-based."""

    condition: Any = None
    condition_text: str | None = None
    first: int | None = None
    last: int | None = None


DFMETHODS: dict[str, bool] = {
    "residual": False,
    "repeated": False,
    "anova": False,
    "betwithin": False,
    "satterthwaite": True,
    "kroger": True,
    "krfull": True,
    "kr2009": True,
}
"""Methods of degrees of freedom, and whether each needs REML."""


@dataclass(frozen=True)
class SmallSample:
    """A method of degrees of freedom (a key of `DFMETHODS`) and the information matrix it uses, where it uses one."""

    name: str
    information: Literal["eim", "oim"] = "eim"


@dataclass(frozen=True)
class EstimationOptions:
    """How to estimate. Tolerances follow Stata's names; see `estimation.newton` for what each one bounds."""

    method: Literal["ml", "reml"] = "ml"
    emiterate: int = 0  # Stata runs 20; Newton started from MIVQUE(0) needs none (measured)
    emtolerance: float = 1e-10
    iterate: int = 100
    tolerance: float = 1e-6
    ltolerance: float = 1e-9
    nrtolerance: float | None = None  # 1e-11 with the exact Hessian, 1e-7 with the average information: see estimation.newton
    nostderr: bool = False
    solver: Literal["auto", "block", "dense", "sparse"] = "auto"
    dfmethod: SmallSample | None = None


@dataclass(frozen=True)
class DisplayOptions:
    """How to show a fit; replaying with others never refits."""

    level: float = 95.0
    stddeviations: bool = False
    noretable: bool = False
    nofetable: bool = False
    noheader: bool = False
    nogroup: bool = False
    nofvlabel: bool = False
    log: bool = False
    dftable: Literal["default", "ci", "pvalue"] = "default"
    small: bool | None = None  # None: with the fit's degrees of freedom when it has any


@dataclass(frozen=True)
class ModelSpec:
    """The whole model as asked.

    Attributes
    ----------
    text : str
        The command or formula as typed.
    response : str
    fixed : tuple of Term
        In the order typed, without the constant.
    constant : bool
        Whether the fixed part has a constant (reported last, as `_cons`).
    random : tuple of RandomEquation
        Top to bottom as typed.
    sample : Sample
    estimation, display : EstimationOptions, DisplayOptions
    positions : mapping of variable name to its first offset in `text`, for messages
    residual : ResidualSpec
        Structure of the errors within the lowest-level groups.
    full_coding : bool
        Without a constant the first categorical term of a list keeps all its levels (R's rule, formulas); Stata's
        commands drop the base level all the same.
    """

    text: str
    response: str
    fixed: tuple[Term, ...] = ()
    constant: bool = True
    random: tuple[RandomEquation, ...] = ()
    sample: Sample = Sample()
    estimation: EstimationOptions = EstimationOptions()
    display: DisplayOptions = DisplayOptions()
    positions: dict[str, int] = field(default_factory=dict, compare=False)
    full_coding: bool = False
    residual: ResidualSpec = ResidualSpec()
