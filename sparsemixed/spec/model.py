"""What was asked: a frozen model specification that knows no data values.

Both front ends (the command language and lme4-style formulas) end here, and everything after reads only this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from sparsemixed.linear_form import Constraint
from sparsemixed.spec.computed import Computed
from sparsemixed.spec.methods import VCE, CovarianceMethod, DegreesMethod, degrees_methods
from sparsemixed.structures.residual_errors.table import RESIDUAL_STRUCTURES

Base = Literal["first", "last", "frequent", "none"] | float | str
"""Which level of a categorical variable gets no column: a rule, or the value of the level itself."""


@dataclass(frozen=True)
class Factor:
    """One variable inside a term.

    Attributes
    ----------
    variable : str
        A column of the data, or one with time-series operators (`L2D.x`, see `time_series`).
    kind : {"continuous", "categorical", "by_type"}
        `by_type` leaves the choice to the data: numeric columns are continuous, strings and pandas categoricals are
        categorical (formulas only).
    base : Base
        Ignored unless the variable is treated as categorical. A number or string names the level itself; "#2" is the
        second smallest.
    levels : tuple
        The only levels that get a column (`i(2 3).a`, `3.a`); empty means all.
    omitted : bool
        `o.`: the columns stay in the list of coefficients but are held at zero.
    pattern : bool
        Whether `variable` stands for several columns: `x*`, `x?`, `x~z` (one, abbreviated), `x1-x9`, with or without
        time-series operators. A specification without any is concrete; see `design.concrete_spec`.
    position : int or None
        Offset in the text as typed, for messages.
    """

    variable: str
    kind: Literal["continuous", "categorical", "by_type"] = "continuous"
    base: Base = "first"
    levels: tuple[float | str, ...] = ()
    omitted: bool = False
    pattern: bool = False
    position: int | None = field(default=None, compare=False)


MOST_FACTORS = 8
"""Interactions of more variables are refused, as in Stata."""


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
    by_column : bool
        The structure is one of columns, levels of a categorical variable among them (`diag()` in a formula).
    """

    label: str
    grouping: tuple[str, ...]
    terms: tuple[Term, ...] = ()
    constant: bool = True
    factor: str | None = None
    covariance: str = "independent"
    collinear: bool = False
    position: int | None = field(default=None, compare=False)
    by_column: bool = False


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
    group : tuple of str or None
        The level (`RandomEquation.grouping`) within whose groups errors are correlated; None for the lowest, typed last.
    position : int or None
        Offset of the option in the text.
    text : str
        The argument as typed.
    positions : mapping of variable name to its offset in the text that `position` refers to
    """

    name: str = "independent"
    order: int | None = None
    by: str | None = None
    t: str | None = None
    group: tuple[str, ...] | None = None
    position: int | None = field(default=None, compare=False)
    text: str = field(default="", compare=False, repr=False)
    positions: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def one_variance(self) -> bool:
        """Whether errors are independent with one variance: no structure at all."""
        return RESIDUAL_STRUCTURES[self.name].independent_rows and self.by is None


WeightKind = Literal["frequency", "sampling", "precision"]


@dataclass(frozen=True)
class Weight:
    """The weight of the rows, or of the groups of one level.

    Attributes
    ----------
    expression : object
        Parsed (see `command.expression`): `variables`, `positions`, `evaluate(columns, n_rows)`.
    text : str
        The expression as typed.
    grouping : tuple of str or None
        The level whose groups it weights (`RandomEquation.grouping`); None for the rows.
    label : str
        The level's label, empty for the rows.
    position : int or None
        Offset of the expression in the command; None when it came as a keyword argument.
    """

    expression: Any
    text: str = field(compare=False)
    grouping: tuple[str, ...] | None = None
    label: str = ""
    position: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class WeightSpec:
    """All weights of a model; they are of one kind.

    Attributes
    ----------
    kind : {"frequency", "sampling", "precision"}
        Frequency weights replicate rows and groups, sampling weights are inverse probabilities of selection (conditional
        on the level above), precision weights divide the error variance of a row: Var(e_i) = sigma2 / w_i.
    rows : Weight or None
        The weight of the observations.
    groups : tuple of Weight
        Weights of groups, one per level that has any, top to bottom; never with precision weights.
    scale : {"size", "effective", "gk"} or None
        pwscale(): how sampling weights are scaled, in models with one level of groups.
    """

    kind: WeightKind
    rows: Weight | None = None
    groups: tuple[Weight, ...] = ()
    scale: Literal["size", "effective", "gk"] | None = None

    @property
    def each(self) -> tuple[Weight, ...]:
        """The rows' weight, if there is one, and those of the levels from the top."""
        return (*([] if self.rows is None else [self.rows]), *self.groups)

    @property
    def name(self) -> str:
        """The kind by its Stata name: fweight, pweight; precision_weights is ours."""
        return {"frequency": "fweight", "sampling": "pweight", "precision": "precision_weights"}[self.kind]

    def written(self, weight: Weight) -> str:
        """One of the weights in the words of a command: `[pweight=w]`, `pweight(w)`; precision_weights is a keyword."""
        if self.kind == "precision":
            return f"{self.name}={weight.text!r}"
        return f"[{self.name}={weight.text}]" if weight.grouping is None else f"{self.name}({weight.text})"


TIME_UNITS = ("daily", "weekly", "monthly", "quarterly", "halfyearly", "yearly")
"""How long a period is, where the time variable of tsset() holds dates."""


@dataclass(frozen=True)
class TimeSet:
    """tsset([panelvar] timevar): what the time-series operators count in; without a panel the data are one series.

    Attributes
    ----------
    time, panel : str
    delta : float
        From one period to the next, in units of the time variable.
    unit : one of `TIME_UNITS`, for a time variable that holds dates
    """

    time: str
    panel: str | None = None
    delta: float = 1.0
    unit: str = ""
    position: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Sample:
    """Which rows were asked for: the parsed `if` expression (see `command.expression`) and the `in` range, 1-based."""

    condition: Any = None
    condition_text: str | None = None
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True)
class Vce:
    """vce(name [clustvar]): a key of `VCE`, and the variable whose values are the clusters (top-level groups by default)."""

    name: str = "oim"
    variable: str | None = None
    position: int | None = field(default=None, compare=False, repr=False)

    @property
    def method(self) -> CovarianceMethod:
        """Its declaration."""
        return VCE[self.name]


@dataclass(frozen=True)
class SmallSample:
    """A method of degrees of freedom (of `degrees_methods`) and the information matrix it uses, if any."""

    name: str
    information: Literal["eim", "oim"] = "eim"

    @property
    def method(self) -> DegreesMethod:
        """Its declaration."""
        return degrees_methods()[self.name]

    @property
    def robust(self) -> bool:
        """Whether a vce() brings it."""
        return self.name in VCE


@dataclass(frozen=True)
class EstimationOptions:
    """How to estimate. Tolerances follow Stata's names; see `estimation.search.minimum` for what each one bounds."""

    method: Literal["ml", "reml"] = "ml"
    emiterate: int = 0  # Stata runs 20; Newton started from MIVQUE(0) needs none (measured)
    emtolerance: float = 1e-10
    emonly: bool = False  # emiterate is then 20 unless given: Settings sees to it
    iterate: int = 100
    tolerance: float = 1e-6
    ltolerance: float = 1e-9
    nrtolerance: float | None = None  # 1e-11 with the exact Hessian, 1e-7 with the average information: see estimation.newton
    nonrtolerance: bool = False
    technique: tuple[tuple[str, int], ...] = (("nr", 5),)  # taking turns, each for so many iterations
    metric: Literal["matsqrt", "matlog"] = "matsqrt"
    difficult: bool = False
    nostderr: bool = False
    solver: Literal["auto", "block", "dense", "sparse", "krylov"] = "auto"
    mc_tolerance: float = 0.01  # of solver("krylov"): Monte Carlo error of the variance parameters, in standard errors
    seed: int = 0
    dfmethod: SmallSample | None = None
    prior: Any = None  # priors.asked.MapPriors, of a penalised likelihood


NOT_KRYLOV = ("emonly", "technique", "metric", "difficult", "nonrtolerance")
"""Options of the search by deviances and Hessians, which solver(krylov) does without."""

EXCLUSIVE = (("estmetric", "stddeviations"), ("estmetric", "dftable"), ("coeflegend", "dftable"))
"""Display options that ask for two different tables."""


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
    log: bool | None = None  # None: when something is asked for that only the log shows
    emlog: bool = False
    emdots: bool = False
    trace: bool = False
    gradient: bool = False
    hessian: bool = False
    showstep: bool = False
    showtolerance: bool = False
    nocnsreport: bool = False
    estmetric: bool = False
    coeflegend: bool = False
    noci: bool = False
    nopvalues: bool = False
    noomitted: bool = False
    noemptycells: bool = False
    baselevels: bool = False
    allbaselevels: bool = False
    vsquish: bool = False
    fvwrap: int = 1
    fvwrapon: Literal["word", "width"] = "word"
    cformat: str | None = None  # of coefficients, standard errors and limits; None: as Stata prints each
    pformat: str | None = None
    sformat: str | None = None
    lstretch: bool = True  # the column of names widens for long ones
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
    full_coding : bool
        Without a constant the first categorical term of a list keeps all its levels (R's rule, formulas); Stata's
        commands drop the base level all the same.
    weights : WeightSpec or None
    vce : Vce
        As asked for; robust by default with sampling weights.
    constraints : tuple of Constraint
        In the order asked for.
    tsset : TimeSet or None
    abbreviations : bool
        Whether names may be abbreviated (`varabbrev`).
    computed : tuple of Computed
        What a formula computes; the model has it under its name.
    offsets : tuple of str
        Variables with the coefficient one.
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
    weights: WeightSpec | None = None
    constraints: tuple[Constraint, ...] = ()
    vce: Vce = Vce()
    tsset: TimeSet | None = None
    abbreviations: bool = False
    computed: tuple[Computed, ...] = ()
    offsets: tuple[str, ...] = ()

    @property
    def small_sample(self) -> SmallSample | None:
        """The method of t and F tests: `dfmethod()` or `estat.df(post=)`, else that of a `vce()` which brings its own."""
        own = None if self.vce.method.degrees is None else SmallSample(self.vce.name)
        return self.estimation.dfmethod or own
