"""The table of options: the one place that says what an option is called, takes and sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sparsemixed.command.arguments import (
    Reader,
    Word,
    degrees_of_freedom,
    level_label,
    number,
    numbers,
    one_of,
    one_of_table,
    whole,
)
from sparsemixed.command.number_formats import number_format
from sparsemixed.command.residuals import residuals
from sparsemixed.command.techniques import techniques
from sparsemixed.command.tsset import tsset
from sparsemixed.command.vce import cluster_variable, vce
from sparsemixed.command.weights import weight_argument
from sparsemixed.errors import suggestion
from sparsemixed.spec import Vce
from sparsemixed.structures.random.table import STRUCTURES


@dataclass(frozen=True)
class Option:
    """One row of the table.

    Attributes
    ----------
    pattern : str
        The name in the notation of `Word`.
    part : {"estimation", "display", "residual", "weights", "constraints", "vce", "data", "equation"}
        Which part of the specification it sets.
    field : str
        The field it sets; options with the same field exclude each other.
    value : object
        What an option without argument sets.
    opposite : object
        What the same option sets when given as the keyword argument `False`.
    argument : Reader or None
        Reads the argument; None if the option takes none.
    equation : {"any", "random"}
        Where an option of an equation may stand.
    takes_argument : bool
        Whether it is written with parentheses.
    in_place : bool
        Whether the reader wants the argument where it stands, after as many blanks as there is text before it, so that the
        offsets it finds are those of the command.
    """

    pattern: str
    part: str
    field: str = ""
    value: object = True
    opposite: object = False
    argument: Reader | None = None
    equation: str = "any"
    takes_argument: bool = False
    in_place: bool = False

    @property
    def word(self) -> Word:
        """The name and its abbreviations."""
        return Word(self.pattern)

    @property
    def name(self) -> str:
        """The whole name, as in keyword arguments."""
        return self.word.name

    @property
    def written(self) -> str:
        """The name as messages show it: with parentheses if it takes an argument."""
        return f"{self.name}()" if self.takes_argument else self.name


def _estimation(pattern: str, reader: Reader) -> Option:
    return Option(pattern, "estimation", Word(pattern).name, argument=reader, takes_argument=True)


def _weight(pattern: str) -> Option:
    field = Word(pattern).name
    return Option(pattern, "equation", field, argument=weight_argument, equation="random", takes_argument=True, in_place=True)


def _display(pattern: str, field: str | None = None, value: bool = True) -> Option:
    return Option(pattern, "display", field or Word(pattern).name, value, not value)


def _format(pattern: str, widest: int) -> Option:
    return Option(pattern, "display", Word(pattern).name, argument=number_format(widest), takes_argument=True)


OPTIONS: tuple[Option, ...] = (
    # Equations
    Option("NOCONstant", "equation", "constant", False, True),
    Option("COVariance", "equation", "covariance", argument=one_of_table(STRUCTURES), equation="random", takes_argument=True),
    Option("COLlinear", "equation", "collinear", equation="random"),
    _weight("FWeight"),
    _weight("PWeight"),
    # Method
    Option("MLe", "estimation", "method", "ml", "reml"),
    Option("REML", "estimation", "method", "reml", "ml"),
    Option("DFMethod", "estimation", "dfmethod", argument=degrees_of_freedom, takes_argument=True),
    Option("RESiduals", "residual", "residual", argument=residuals, takes_argument=True, in_place=True),
    Option("GROUP", "residual", "group", argument=level_label, takes_argument=True),
    Option("CONSTraints", "constraints", "numbers", argument=numbers, takes_argument=True),
    Option("PWSCale", "weights", "scale", argument=one_of(("SIZE", "EFFective", "GK")), takes_argument=True),
    # What names stand for
    Option("TSSET", "data", "tsset", argument=tsset, takes_argument=True),
    Option("VARABBREV", "data", "abbreviations"),
    # Standard errors
    Option("VCE", "vce", "vce", argument=vce, takes_argument=True),
    Option("Robust", "vce", "vce", Vce("robust"), Vce()),
    Option("CLuster", "vce", "vce", argument=cluster_variable, takes_argument=True),
    # Display
    Option("Level", "display", "level", argument=number(10, 99.99), takes_argument=True),
    _display("VARiance", "stddeviations", False),
    _display("STDDEViations"),
    _display("NORETable"),
    _display("NOFETable"),
    _display("NOHEADer"),
    _display("NOGRoup"),
    _display("NOFVLABel"),
    _display("NOCNSReport"),
    Option("DFTable", "display", "dftable", argument=one_of(("DEFault", "CI", "PValue")), takes_argument=True),
    _display("SMALL"),
    _display("ESTMetric"),
    _display("COEFLegend"),
    _display("NOCI"),
    _display("NOPValues"),
    _display("NOOMITted"),
    _display("NOEMPTYcells"),
    _display("BASElevels"),
    _display("ALLBASElevels"),
    _display("VSQUISH"),
    Option("FVWRAP", "display", "fvwrap", argument=whole(1), takes_argument=True),
    Option("FVWRAPON", "display", "fvwrapon", argument=one_of(("WORD", "WIDTH")), takes_argument=True),
    _format("CFORMAT", 9),
    _format("PFORMAT", 5),
    _format("SFORMAT", 8),
    _display("LSTRETCH"),
    _display("NOLSTRETCH", "lstretch", False),
    _display("LOG"),
    _display("NOLOG", "log", False),
    _display("EMLOG"),
    _display("EMDOTs"),
    _display("TRace"),
    _display("GRADient"),
    _display("HESSian"),
    _display("SHOWSTEP"),
    _display("SHOWTOLerance"),
    # Algorithm
    Option("NOSTDerr", "estimation", "nostderr"),
    Option("EMONLY", "estimation", "emonly"),
    _estimation("EMITERate", whole(0)),
    _estimation("EMTOLerance", number(0)),
    _estimation("ITERate", whole(0)),
    _estimation("TOLerance", number(0)),
    _estimation("LTOLerance", number(0)),
    _estimation("NRTOLerance", number(0)),
    Option("NONRTOLerance", "estimation", "nonrtolerance"),
    Option("TECHnique", "estimation", "technique", argument=techniques, takes_argument=True, in_place=True),
    Option("MATSqrt", "estimation", "metric", "matsqrt", "matlog"),
    Option("MATLog", "estimation", "metric", "matlog", "matsqrt"),
    Option("DIFficult", "estimation", "difficult"),
    _estimation("SOLVER", one_of(("AUTO", "BLOCK", "DENSE", "SPARSE", "KRYLOV"))),
    Option("MC_TOLerance", "estimation", "mc_tolerance", argument=number(1e-6, 1), takes_argument=True),
    _estimation("SEED", whole(0)),
)


_ELSEWHERE: dict[str, str] = {
    **dict.fromkeys(
        ("offset", "exposure"), "in a formula + offset(x) is a term; in a command subtract it from the dependent variable"
    ),
    **dict.fromkeys(("groups", "grouping", "id"), "levels are equations: || id:, or (1 | id) in a formula"),
    "method": "maximum likelihood is the default, reml an option of its own; dfmethod() is about degrees of freedom",
    **dict.fromkeys(("family", "link", "eform", "irr"), "the models here are linear, with normal errors"),
    **dict.fromkeys(("intpoints", "intmethod", "laplace"), "the likelihood needs no integration; leave it out"),
    **dict.fromkeys(("fe", "re", "be"), "a random intercept is || id:, fixed effects of groups are i.id"),
    "free": "independent random effects are (x || g) in a formula",
    "absorb": "write i.varname among the variables",
    **dict.fromkeys(("nolrtest", "nolr"), "the test against the linear model costs next to nothing; leave it out"),
    "t": "the variable of times belongs to the structure: residuals(ar 1, t(varname))",
    "i": "levels are equations: || id:, or (1 | id) in a formula",
    "asis": "leave it out",
    **dict.fromkeys(("corr", "correlation"), "the errors' structure is residuals()"),
    **dict.fromkeys(("from", "start", "startvalues", "startgrid"), "starting values are computed"),
    **dict.fromkeys(("optimizer", "control"), "see technique(), iterate() and tolerance()"),
    **dict.fromkeys(("maxiter", "maxiters", "iterations"), "the most iterations are iterate(#)"),
    "prior": 'priors are Python\'s values, by keyword: mixed(..., prior="boundary"), or sparsemixed.bayes',
    **dict.fromkeys(("df", "ddf"), "degrees of freedom are dfmethod()"),
    **dict.fromkeys(("subset", "where"), "rows are chosen by an if condition in a command, or before the call"),
}
"""Options of other commands and programs, and what there is here."""


def option_advice(typed: str, others: Iterable[str] = ()) -> str:
    """The end of a message about an unknown option: what it may have been meant for, if anything.

    Parameters
    ----------
    typed : str
    others : iterable of str
        More names that are known where it was typed.

    Examples
    --------
    >>> option_advice("coviarance"), option_advice("offset")
    ('; did you mean covariance?', '; in a formula + offset(x) is a term; in a command subtract it from the dependent variable')
    """
    advice = _ELSEWHERE.get(typed.lower())
    if advice is not None:
        return f"; {advice}"
    # Names that begin otherwise are other words: offset is no nofetable.
    names = (*(option.name for option in OPTIONS), *others)
    alike = [[name for name in known if name[:1] == typed[:1].lower()] for known in (names, (o.word.shortest for o in OPTIONS))]
    return suggestion(typed, alike[0]) or suggestion(typed, alike[1])


def find_option(typed: str) -> Option | None:
    """The option of that name or abbreviation.

    Examples
    --------
    >>> find_option("cov").name, find_option("covar").name, find_option("c")
    ('covariance', 'covariance', None)
    """
    exact = next((option for option in OPTIONS if option.name == typed), None)
    return exact or next((option for option in OPTIONS if option.word.matches(typed)), None)
