"""The table of options: the one place that says what an option is called, takes and sets."""

from __future__ import annotations

from dataclasses import dataclass

from sparsemixed.command.arguments import Reader, Word, degrees_of_freedom, number, one_of, whole
from sparsemixed.command.residuals import residuals

COVARIANCES = ("INDependent", "EXchangeable", "IDentity", "UNstructured")
"""Structures of random effects, in the notation of `Word`."""


@dataclass(frozen=True)
class Option:
    """One row of the table.

    Attributes
    ----------
    pattern : str
        The name in the notation of `Word`.
    part : {"estimation", "display", "residual", "equation", "later", "default"}
        Which part of the specification it sets; "later" is not available yet; "default" asks for what is done anyway.
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
    """

    pattern: str
    part: str
    field: str = ""
    value: object = True
    opposite: object = False
    argument: Reader | None = None
    equation: str = "any"
    takes_argument: bool = False

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


def _display(pattern: str, field: str | None = None, value: bool = True) -> Option:
    return Option(pattern, "display", field or Word(pattern).name, value, not value)


def _later(*patterns: str) -> tuple[Option, ...]:
    """Options recognised only; `()` after the pattern marks those with an argument."""
    return tuple(
        Option(pattern.removesuffix("()"), "later", pattern, takes_argument=pattern.endswith("()")) for pattern in patterns
    )


OPTIONS: tuple[Option, ...] = (
    # Equations
    Option("NOCONStant", "equation", "constant", False, True),
    Option("COVariance", "equation", "covariance", argument=one_of(COVARIANCES), equation="random", takes_argument=True),
    Option("COLlinear", "equation", "collinear", equation="random"),
    # Method
    Option("MLE", "estimation", "method", "ml", "reml"),
    Option("REML", "estimation", "method", "reml", "ml"),
    Option("DFMethod", "estimation", "dfmethod", argument=degrees_of_freedom, takes_argument=True),
    Option("RESiduals", "residual", "residual", argument=residuals, takes_argument=True),
    # What is done anyway
    Option("VCE", "default", "vce", argument=one_of(("OIM",), ("Robust", "CLuster")), takes_argument=True),
    Option("TECHnique", "default", "technique", argument=one_of(("NR",), ("DFP", "BFGS"), ("BHHH",)), takes_argument=True),
    Option("MATSqrt", "default", "matsqrt"),
    # Display
    Option("Level", "display", "level", argument=number(10, 99.99), takes_argument=True),
    _display("VARiance", "stddeviations", False),
    _display("STDDEViations"),
    _display("NORETable"),
    _display("NOFETable"),
    _display("NOHEADer"),
    _display("NOGRoup"),
    _display("NOFVLABel"),
    Option("DFTable", "display", "dftable", argument=one_of(("DEFault", "CI", "PValue")), takes_argument=True),
    _display("SMALL"),
    _display("LOG"),
    _display("NOLOG", "log", False),
    # Algorithm
    Option("NOSTDerr", "estimation", "nostderr"),
    _estimation("EMITERate", whole(0)),
    _estimation("EMTOLerance", number(0)),
    _estimation("ITERate", whole(0)),
    _estimation("TOLerance", number(0)),
    _estimation("LTOLerance", number(0)),
    _estimation("NRTOLerance", number(0)),
    _estimation("SOLVER", one_of(("AUTO", "BLOCK", "DENSE", "SPARSE"))),
    # Recognised
    *_later("FWeight()", "PWeight()", "PWSCale()", "CONSTraints()"),
    *_later("Robust", "CLuster()", "ESTMetric", "NOCNSReport", "COEFLegend"),
    *_later("EMONLY", "EMLOG", "EMDOTs", "MATLog"),
    *_later("DIFficult", "TRace", "GRADient", "SHOWSTEP", "HESSian", "SHOWTOLerance", "NONRTOLerance"),
    *_later("NOCI", "NOPValues", "NOOMITted", "VSQUISH", "NOEMPTYcells", "BASElevels", "ALLBASElevels"),
    *_later("FVWRAP()", "FVWRAPON()", "CFORMAT()", "PFORMAT()", "SFORMAT()", "NOLSTRETCH", "LSTRETCH"),
)


def find_option(typed: str) -> Option | None:
    """The option of that name or abbreviation.

    Examples
    --------
    >>> find_option("cov").name, find_option("covar").name, find_option("c")
    ('covariance', 'covariance', None)
    """
    exact = next((option for option in OPTIONS if option.name == typed), None)
    return exact or next((option for option in OPTIONS if option.word.matches(typed)), None)
