"""What may be called in a formula, as declarations: this table is the whole of it.

Names are R's, those of formulaic and patsy beside them. What a function does stands in `design.computed`; here is what a call may
look like, so that everything else is refused before any data are seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["whole", "number", "flag", "flag or number", "numbers", "word"]
MOST_COLUMNS = 100
"""Columns that one polynomial or spline may have."""


@dataclass(frozen=True)
class Parameter:
    """A setting of a function.

    Attributes
    ----------
    name : str
        As formulaic has it.
    kind : str
    also : tuple of str
        Other names, R's.
    choices : tuple of str
        Of a word.
    smallest : int
        Of a whole number.
    """

    name: str
    kind: Kind
    also: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    smallest: int = 0


@dataclass(frozen=True)
class Function:
    """A function that formulas may call.

    Attributes
    ----------
    name : str
    arguments : int
        How many expressions it takes before its parameters.
    parameters : tuple of Parameter
        In the order in which they may be given without their names.
    stateful : bool
        Whether its values in one row depend on the data as a whole.
    columns : bool
        Whether it may give several columns, which makes it none for a response or within another function.
    """

    name: str
    arguments: int = 1
    parameters: tuple[Parameter, ...] = ()
    stateful: bool = False
    columns: bool = False


_DF = Parameter("df", "whole", smallest=1)
_KNOTS = Parameter("knots", "numbers")
_BOUNDS = (
    Parameter("lower_bound", "number"),
    Parameter("upper_bound", "number"),
    Parameter("Boundary.knots", "numbers", ("boundary_knots",)),
    Parameter("extrapolation", "word", choices=("extend", "raise", "clip", "na", "zero")),
)
_CONSTRAINTS = Parameter("constraints", "word", choices=("center",))


def _cubic(name: str) -> Function:
    """A cubic regression spline."""
    return Function(name, 1, (_DF, _KNOTS, *_BOUNDS[:2], _CONSTRAINTS, *_BOUNDS[2:]), stateful=True, columns=True)


FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function("I"),
        Function("log", 1, (Parameter("base", "number"),)),
        *map(Function, ("log2", "log10", "log1p", "exp", "expm1", "sqrt", "abs", "sin", "cos", "tan")),
        Function("as.numeric"),
        Function("pmin", 2),
        Function("pmax", 2),
        Function("dummy", 2),
        Function("scale", 1, (Parameter("center", "flag or number"), Parameter("scale", "flag or number")), stateful=True),
        Function("center", stateful=True),
        Function("poly", 1, (Parameter("degree", "whole", smallest=1), Parameter("raw", "flag")), stateful=True, columns=True),
        Function(
            "bs",
            1,
            (
                _DF,
                _KNOTS,
                Parameter("degree", "whole", smallest=0),
                Parameter("include_intercept", "flag", ("intercept",)),
                *_BOUNDS,
            ),
            stateful=True,
            columns=True,
        ),
        Function("ns", 1, (_DF, _KNOTS, Parameter("intercept", "flag"), *_BOUNDS[:3]), stateful=True, columns=True),
        *map(_cubic, ("cr", "cs", "cc")),
    )
}
"""By name; `C()`, `factor()` and `offset()` besides, which say what a variable is and compute nothing."""

CATEGORICAL = ("C", "factor", "as.factor")
"""What makes a variable categorical."""
OFFSET = "offset"

CONTRASTS: dict[str, str] = {
    "contr.treatment": "treatment",
    "contr.SAS": "sas",
    "contr.sum": "sum",
    "contr.helmert": "helmert",
    "contr.poly": "poly",
    "Treatment": "treatment",
    "Sum": "sum",
    "Helmert": "helmert",
    "Poly": "poly",
    "treatment": "treatment",
    "sum": "sum",
    "helmert": "helmert",
    "poly": "poly",
}
"""Codings of a categorical variable, in the words of R, of patsy and of formulaic."""

COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
OPERATORS = ("+", "-", "*", "/", "^", *COMPARISONS)
"""Within a function; a minus or plus of one argument is a sign."""
CONSTANTS: dict[str, float | bool | None] = {
    "TRUE": True,
    "FALSE": False,
    "True": True,
    "False": False,
    "NULL": None,
    "None": None,
    "pi": 3.141592653589793,
}
